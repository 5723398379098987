"""The environment as one frozen object, checked at cold start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from imagegate.domain.errors import MisconfiguredError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What template.yaml puts into every function's environment; where a default is no name, it is the template's."""

    table: str = ""
    bucket: str = ""
    bus: str = ""
    state_machine_arn: str = ""
    submit_function: str = ""
    """The function that takes the steps of operations whose client waits; set for the functions that answer HTTP."""
    region: str = ""
    secrets_path: str = ""
    """SSM path of the upstreams' credentials."""
    operation_days: float = 30
    """Days for which operations are kept."""
    image_days: float = 7
    """Days for which pictures are kept."""
    yandexart_days: float = 3
    """Days for which YandexART's clients can fetch an operation after its end."""
    presign_seconds: int = 3600
    """Seconds for which a presigned URL works."""
    hold_seconds: float = 25
    """Seconds for which a POST may wait for its picture before it is answered with 303."""
    deadline_seconds: float = 900
    """Seconds an operation may take when the request does not say."""
    access: str = "keys"
    """`keys`: every request needs an API key; `open`: no request does."""
    key_cache_seconds: float = 60
    """Seconds for which a function trusts what it has read of an API key."""
    webhook_key: str = ""
    """SSM parameter of the key for webhook secrets."""
    webhook_queue_url: str = ""
    webhook_retry_scale: float = 1
    """Multiplies the pauses between the attempts of a delivery."""
    webhook_loopback: bool = False
    """Webhooks may be sent to this machine."""
    public_url: str = ""
    """Where the gateway answers, for links in webhooks."""
    upstream_hooks: str = "off"
    """`on`, `off`, or `auto`: on where `public_url` was given and begins with https. Set for `submit`."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose web pages may call the API; set for the functions that answer HTTP."""
    api_url: str = ""
    """The API's own URL, which keeps answering when `public_url` is another."""
    long_hold_url: str = ""
    """Its long-hold address, empty where there is none. Set for `deliver`: the function behind it cannot know it."""
    long_hold: bool = False
    """True at the long-hold address: a POST is never redirected, but held for all of `hold_seconds`."""
    studio: bool = False
    """Whether `/` is the studio; set for the functions that answer HTTP."""
    dead_letters: str = ""
    """URL of the queue for messages that this function cannot handle; empty for functions without one."""
    intake_key: str = ""
    """The id of the API key that requests by event belong to, or `everybody`; set for `intake`."""
    expander: str = "none"
    """The protocol of the language model that expands prompts; `none`: prompts are not expanded."""
    expander_url: str = ""
    expander_model: str = ""
    expander_secret: str = ""
    """Name of the secret with its key, below `secrets_path`; empty for a language model without keys."""
    provenance: frozenset[str] = frozenset({"metadata"})
    """What is written into pictures: `metadata`, and as well `prompt`. Set for `submit` and `poll`."""
    signing: str = ""
    """SSM parameter of the certificate that signs pictures; empty where it is not done. Set for `submit` and `poll`."""
    signing_key_arn: str = ""
    """The KMS key that signs them; empty for the key beside the certificates."""
    intake_queue_url: str = ""
    """The queue that `intake` reads, and in which it hides requests that have to wait."""
    stand_in_url: str = ""
    """A server that plays every upstream, each below its provider's name; empty for the real ones."""
    bedrock_region: str = ""
    """Whose Bedrock makes pictures; empty for the one of models.toml."""

    @property
    def hooks_url(self) -> str:
        """Where upstreams say that a job has ended; empty where they are not asked to."""
        given = self.public_url.startswith("https://") and self.public_url != self.api_url
        return self.public_url if self.upstream_hooks == "on" or (self.upstream_hooks == "auto" and given) else ""

    @property
    def expands(self) -> bool:
        """True where prompts can be expanded."""
        return self.expander != "none"


def read(environment: Mapping[str, str]) -> Settings:
    """Read and check the environment. Raises MisconfiguredError naming the variable."""
    return Settings(
        table=_text(environment, "TABLE"),
        bucket=_text(environment, "BUCKET"),
        bus=_text(environment, "BUS"),
        state_machine_arn=_text(environment, "STATE_MACHINE_ARN"),
        submit_function=environment.get("SUBMIT_FUNCTION", ""),
        region=_text(environment, "AWS_REGION"),
        secrets_path=_text(environment, "SECRETS_PATH"),
        operation_days=_number(environment, "OPERATION_DAYS"),
        image_days=_number(environment, "IMAGE_DAYS"),
        yandexart_days=_number(environment, "YANDEXART_DAYS"),
        presign_seconds=int(_number(environment, "PRESIGN_SECONDS")),
        hold_seconds=_number(environment, "HOLD_SECONDS"),
        deadline_seconds=_number(environment, "DEADLINE_SECONDS"),
        access=_choice(environment, "ACCESS", ("keys", "open")),
        key_cache_seconds=_number(environment, "KEY_CACHE_SECONDS"),
        cors_origins=tuple(filter(None, environment.get("CORS_ORIGINS", "").split(","))),
        long_hold=environment.get("LONG_HOLD", "off") == "on",
        studio=environment.get("STUDIO", "off") == "on",
        dead_letters=environment.get("DEAD_LETTERS", ""),
        intake_queue_url=environment.get("INTAKE_QUEUE_URL", ""),
        intake_key=environment.get("INTAKE_KEY_ID", ""),
        **_expander(environment),
        webhook_key=_text(environment, "WEBHOOK_KEY_PARAMETER"),
        webhook_queue_url=_text(environment, "WEBHOOK_QUEUE_URL"),
        webhook_retry_scale=_number(environment, "WEBHOOK_RETRY_SCALE"),
        webhook_loopback=_choice(environment, "WEBHOOK_LOOPBACK", ("true", "false")) == "true",
        public_url=_text(environment, "PUBLIC_URL").rstrip("/"),
        upstream_hooks=environment.get("UPSTREAM_HOOKS", "off"),
        api_url=environment.get("API_URL", ""),
        long_hold_url=environment.get("LONG_HOLD_URL", ""),
        provenance=_provenance(environment.get("PROVENANCE", "metadata")),
        signing=environment.get("SIGNING", ""),
        signing_key_arn=environment.get("SIGNING_KEY_ARN", ""),
        stand_in_url=environment.get("STAND_IN_URL", "").rstrip("/"),
        bedrock_region=environment.get("BEDROCK_REGION", ""),
    )


@cache
def current() -> Settings:
    """The settings of this process; the environment is read once."""
    return read(os.environ)


def _expander(environment: Mapping[str, str]) -> dict[str, str]:
    protocol = _choice(environment, "EXPANDER", ("none", "openai", "yandexgpt"))
    if protocol == "none":
        return {}
    return {
        "expander": protocol,
        "expander_url": environment.get("EXPANDER_URL", ""),
        "expander_model": _text(environment, "EXPANDER_MODEL"),
        "expander_secret": environment.get("EXPANDER_SECRET_NAME", ""),
    }


def _provenance(value: str) -> frozenset[str]:
    parts = frozenset(value.split("+"))
    if not {"metadata"} <= parts <= {"metadata", "prompt"}:
        raise MisconfiguredError(f"PROVENANCE must be metadata or metadata+prompt, not {value!r}")
    return parts


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise MisconfiguredError(f"the environment variable {name} is not set (template.yaml sets it)")
    return value


def _number(environment: Mapping[str, str], name: str) -> float:
    value = _text(environment, name)
    try:
        return float(value)
    except ValueError:
        raise MisconfiguredError(f"{name} must be a number, not {value!r}") from None


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = _text(environment, name)
    if value not in choices:
        raise MisconfiguredError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def of_stage(stage: str, outputs: Mapping[str, str], *, local: bool = False) -> Settings:
    """What can be known of a stage's deployment from outside: from its name, and from the outputs of its stack."""
    return Settings(
        secrets_path=upstream_secrets_path(stage),
        webhook_key=f"/imagegate/{stage}/webhooks",
        webhook_loopback=local,
        table=outputs.get("TableName", ""),
        bus=outputs.get("EventBusName", ""),
        api_url=outputs.get("ApiUrl", ""),
        dead_letters=outputs.get("UnacceptedQueueUrl", ""),
    )


def upstream_secrets_path(stage: str) -> str:
    """The SSM path of the stage's upstream credentials, as template.yaml has it."""
    return f"/imagegate/{stage}/upstreams"


def signing_parameter(stage: str) -> str:
    """The SSM parameter of the stage's certificate for signing pictures, as template.yaml has it."""
    return f"/imagegate/{stage}/signing"
