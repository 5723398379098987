"""The certificate that signs pictures."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from imagegate.cli.doctor.finding import Check, Finding, error, ok, skipped, warning
from imagegate.cli.doctor.subject import Subject
from imagegate.cli.sentences import command
from imagegate.cli.signing import SOON, read_certificate
from imagegate.cli.target import LOCAL_STAGE
from imagegate.settings import signing_parameter

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from imagegate.adapters.signing_identity import SigningPem

_TRUST = "To be trusted, buy one: docs/provenance.md#what-a-deployer-must-do-to-be-trusted"


def run(subject: Subject) -> Iterator[Finding]:
    """Whether pictures can be signed with it, now and in a month, and whether viewers will trust them."""
    from imagegate.adapters.signing_identity import UnusableIdentity, parse_signing_pem

    if subject.stack.parameters.get("Signing") != "on":
        yield skipped("Pictures are not signed (the parameter Signing is off).")
        return
    stage = subject.stage or LOCAL_STAGE
    name, set_it = signing_parameter(stage), f"{command()} signing set{subject.target.options} chain.pem key.pem"
    text = read_certificate(subject.aws("ssm"), stage)
    if text is None:
        yield error(f"{name} is not set, so no picture is signed.", f"Run: {set_it}")
        return
    try:
        pem = parse_signing_pem(text)
        found = [*_about_the_key(subject, pem, set_it), *_about_the_chain(pem.certificates, subject.now(), set_it)]
    except UnusableIdentity as unusable:
        yield error(f"No picture is signed: {unusable}.", f"Set a certificate and the key it is for: {set_it}")
        return
    leaf = pem.certificates[0]
    who = leaf.subject.rfc4514_string()
    if not found and _is_self_signed(leaf) and not subject.local:
        found = [warning(f"{who} is self-signed: viewers call its signatures valid, and trust none.", _TRUST)]
    yield from found or [ok(f"{who} signs pictures until {leaf.not_valid_after_utc:%Y-%m-%d}.")]


def _about_the_key(subject: Subject, pem: "SigningPem", set_it: str) -> Iterator[Finding]:
    """Whether the key of the certificate is where the functions look for it. Raises UnusableIdentity."""
    arn, public_key = subject.stack.parameters.get("SigningKeyArn", ""), pem.public_key
    if not arn and pem.key is None:
        yield error(
            "The certificate has no private key, and SigningKeyArn names none in KMS.",
            f"Set both: {set_it}; or deploy with SigningKeyArn.",
        )
    if not arn:
        return
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        answer = subject.aws("kms").get_public_key(KeyId=arn)
    except ClientError as refused:
        code = refused.response["Error"]["Code"]
        remedy = "See that it exists, is enabled, and that its policy lets roles of the account use it."
        yield error(f"KMS does not show the key of SigningKeyArn ({code}).", remedy)
        return
    if load_der_public_key(answer["PublicKey"]) != public_key:
        remedy = "Have a certificate issued for that key, or name the key that the certificate is for."
        yield error("The key of SigningKeyArn is not the one that the certificate is for.", remedy)


def _about_the_chain(chain: "Sequence[Certificate]", now: float, set_it: str) -> Iterator[Finding]:
    """Whether each certificate is valid at this time, and issued by the one behind it."""
    moment = datetime.fromtimestamp(now, UTC)
    renewed = f"Ask its authority for a new one, and set it: {set_it}"
    for each in chain:
        who, begin, end = each.subject.rfc4514_string(), each.not_valid_before_utc, each.not_valid_after_utc
        if end <= moment:
            yield error(f"The certificate of {who} expired on {end:%Y-%m-%d}.", renewed)
        elif begin > moment:
            remedy = "Wait until then, or set one that is valid; if it should be, see that the clock is right."
            yield error(f"The certificate of {who} is not valid before {begin:%Y-%m-%d %H:%M} UTC.", remedy)
        elif end - moment < SOON:
            yield warning(f"The certificate of {who} expires on {end:%Y-%m-%d}.", renewed)
    for issued, issuer in pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except Exception:  # cryptography raises four kinds, one without a common base
            text = f"{issuer.subject.rfc4514_string()} did not issue the certificate before it."
            yield error(text, f"Put the signer's own first, and each one's issuer behind it: {set_it}")


def _is_self_signed(leaf: "Certificate") -> bool:
    """True for one that vouches for itself, and for what `signing set --self-signed` makes."""
    from imagegate.local.signing_chain import is_made_here

    return leaf.issuer == leaf.subject or is_made_here(leaf)


CHECK = Check(name="signing", run=run, needs=("stack", "embedded AWS"))
