"""A certificate in a parameter store of memory."""

from dataclasses import dataclass, field
from typing import Any

from imagegate.adapters.signing_identity import SsmIdentity
from imagegate.local.signing_chain import make_chain

PARAMETER = "/imagegate/dev/signing"


class ParameterNotFound(Exception):
    """As SSM's client raises it."""


class _Exceptions:
    ParameterNotFound = ParameterNotFound


@dataclass
class MemoryParameters:
    """SSM's client, for one parameter."""

    value: str | None = field(default_factory=make_chain)
    exceptions: Any = _Exceptions

    def put_parameter(self, *, Name: str, Value: str, **_: Any) -> None:
        assert Name == PARAMETER
        self.value = Value

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> dict[str, Any]:
        assert WithDecryption
        if self.value is None or Name != PARAMETER:
            raise ParameterNotFound
        return {"Parameter": {"Value": self.value}}


def identity_of(pem: str | None, kms: Any = None, kms_key: str = "") -> SsmIdentity:
    """Who signs with a PEM text, or with a key of a KMS client."""
    clients = {"ssm": MemoryParameters(pem), "kms": kms}
    return SsmIdentity(clients.__getitem__, PARAMETER, kms_key)
