"""The check of the certificate that signs pictures: each fault is found, and gone after its remedy."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from imagegate.cli.deploy.stack import CloudFormationStack
from imagegate.cli.doctor import signing
from imagegate.cli.doctor.examination import examine
from imagegate.cli.doctor.finding import Finding, Level
from imagegate.cli.doctor.subject import Subject
from imagegate.local.signing_chain import issue, make_chain
from support.fake_account import refusal
from support.signing import MemoryParameters

DAY = 86_400.0
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/0"
AUTHORITY = make_chain("A Company")


def now() -> float:
    return datetime.now(UTC).timestamp()


class Kms:
    """KMS's client, for one key."""

    def __init__(self, key: Any = None) -> None:
        self.key = key

    def get_public_key(self, *, KeyId: str) -> dict[str, bytes]:
        if self.key is None:
            raise refusal("NotFoundException")
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return {"PublicKey": self.key.public_key().public_bytes(serialization.Encoding.DER, kind)}


def check(pem: str | None, at: float = 0.0, key_arn: str = "", kms: Any = None, **more: str) -> list[Finding]:
    """What is found of a stage that signs."""
    clients: Callable[[str], Any] = {"ssm": MemoryParameters(pem), "kms": kms or Kms()}.__getitem__
    subject = Subject(stage="dev", clients=clients, now=lambda: at or now())
    parameters = {"Signing": "on", "SigningKeyArn": key_arn, **more}
    subject.stack = CloudFormationStack(name="imagegate-dev", id="", status="CREATE_COMPLETE", parameters=parameters)
    return [finding for _, finding in examine(subject, [signing.CHECK])]


def only(found: list[Finding], level: Level, *words: str) -> None:
    assert [finding.level for finding in found] == [level], found
    for word in words:
        assert word in f"{found[0].text} {found[0].remedy}", found


def blocks(pem: str) -> list[str]:
    return [f"{part.strip()}\n" for part in pem.replace("-----BEGIN", "\0-----BEGIN").split("\0") if part.strip()]


def test_where_nothing_is_signed_nothing_is_looked_at() -> None:
    only(check(None, Signing="off"), Level.SKIPPED, "Signing is off")


def test_a_certificate_of_an_authority_is_well() -> None:
    only(check(AUTHORITY), Level.OK, "CN=A Company signer", f"until {datetime.now(UTC).year + 1}")


def test_none_is_set() -> None:
    only(check(None), Level.ERROR, "/imagegate/dev/signing is not set", "signing set chain.pem key.pem")


@pytest.mark.parametrize(
    "pem", ["", "words", blocks(AUTHORITY)[2], AUTHORITY.replace("MII", "???")], ids=["empty", "words", "key", "bent"]
)
def test_what_cannot_be_read(pem: str) -> None:
    only(check(pem), Level.ERROR, "not readable PEM", "signing set")


def test_a_key_of_another_certificate() -> None:
    mixed = "".join([*blocks(AUTHORITY)[:2], blocks(make_chain())[2]])
    only(check(mixed), Level.ERROR, "does not belong to the first certificate", "signing set")


def test_an_expired_one_and_one_that_soon_is() -> None:
    expired = check(AUTHORITY, now() + 366 * DAY)
    assert {finding.level for finding in expired} == {Level.ERROR}
    assert "CN=A Company signer,O=A Company expired on" in expired[0].text
    assert "Ask its authority" in expired[0].remedy
    soon = check(AUTHORITY, now() + 340 * DAY)
    assert {finding.level for finding in soon} == {Level.WARNING}
    assert "expires on" in soon[0].text


def test_one_that_is_not_yet_valid() -> None:
    early = check(AUTHORITY, now() - timedelta(days=2).total_seconds())
    assert {finding.level for finding in early} == {Level.ERROR}
    assert "is not valid before" in early[0].text
    assert "clock" in early[0].remedy


def test_certificates_in_another_order_or_of_another_authority() -> None:
    leaf, _, key = blocks(AUTHORITY)
    stranger = blocks(make_chain("Another Company"))[1]
    only(check(leaf + stranger + key), Level.ERROR, "did not issue", "the signer's own first")


def test_a_self_signed_one_works_and_is_not_trusted() -> None:
    only(check(make_chain()), Level.WARNING, "self-signed", "docs/provenance.md#what-a-deployer-must-do-to-be-trusted")


def test_a_key_that_is_nowhere() -> None:
    without = "".join(blocks(AUTHORITY)[:2])
    only(check(without), Level.ERROR, "no private key", "SigningKeyArn")


def test_a_key_in_kms() -> None:
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = issue("A Company", key.public_key())
    only(check(chain, key_arn=KEY_ARN, kms=Kms(key)), Level.OK, "A Company")
    only(check(chain, key_arn=KEY_ARN, kms=Kms(other)), Level.ERROR, "not the one that the certificate is for")
    only(check(chain, key_arn=KEY_ARN, kms=Kms()), Level.ERROR, "NotFoundException", "its policy")
