"""The embedded stack as tests and benchmarks run it; `dataclasses.replace` says what is different about one."""

from pathlib import Path

from imagegate.local.stack.settings import StackSettings
from imagegate.local.upstreams.chat import EXPANDER_PARAMETERS

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
MONITORING = TEMPLATE.parent / "infra" / "monitoring.yaml"
WITH_WEBHOOKS = {"WebhookLoopback": "true", "WebhookRetryScale": "0.00001", "PublicUrl": ""}
"""Parameters for webhooks to this machine, whose three days of retries take three seconds."""


def on_free_ports(state: Path) -> StackSettings:
    """The project's template, with its data in `state`, on free ports, without API keys."""
    return StackSettings(
        template=TEMPLATE,
        state=state,
        port=0,
        ministack_port=0,
        upstreams_port=0,
        long_hold_port=0,
        parameters={
            "Access": "open",
            "IntakeKey": "everybody",
            "LongHold": "on",
            "Monitoring": "full",
            **EXPANDER_PARAMETERS,
        },
    )
