"""A function's environment as Lambda gives it, for benchmarks that load one in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
VARIABLES = {
    "TABLE": "t",
    "BUCKET": "pictures",
    "BUS": "b",
    "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:m",
    "SECRETS_PATH": "/imagegate/bench",
    "OPERATION_DAYS": "30",
    "IMAGE_DAYS": "7",
    "YANDEXART_DAYS": "3",
    "PRESIGN_SECONDS": "3600",
    "HOLD_SECONDS": "25",
    "DEADLINE_SECONDS": "900",
    "EXPANDER": "none",
    "STAND_IN_URL": "",
    "ACCESS": "open",
    "KEY_CACHE_SECONDS": "60",
    "WEBHOOK_KEY_PARAMETER": "/imagegate/bench/webhooks",
    "WEBHOOK_QUEUE_URL": "https://sqs.invalid/webhooks",
    "WEBHOOK_RETRY_SCALE": "1",
    "WEBHOOK_LOOPBACK": "false",
    "PUBLIC_URL": "https://api.invalid",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}

_NOT_IN_THE_LAYER = ("pydantic.v1", "click", "h2", "pygments", "rich")
AS_IN_THE_LAYER = f"import sys; sys.modules.update(dict.fromkeys({_NOT_IN_THE_LAYER})); "
"""What lib/Makefile leaves out of the layer, and what lib/requirements.txt does not name, cannot be imported."""


def environment(**more: str) -> dict[str, str]:
    """The variables of a function's process."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'tests'}", **VARIABLES, **more}


@contextmanager
def aws_stub() -> Iterator[str]:
    """A running stub of AWS; gives its URL."""
    script = Path(__file__).with_name("aws_stub.py")
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stub:
        assert stub.stdout
        assert stub.stdin
        yield f"http://127.0.0.1:{stub.stdout.readline().strip()}"
        stub.stdin.close()
