"""A key that stays in KMS, as MiniStack plays it, signs pictures; so do keys of every kind beside the certificate."""

import sys
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from imagegate.adapters.c2pa_pictures import C2paPictures
from imagegate.domain.pictures.marks import Provenance
from imagegate.domain.pictures.xmp import Origin
from imagegate.local import signing_chain
from imagegate.local.signing_chain import issue
from imagegate.local.stack.stack import Stack
from imagegate.ports.upstreams import ManifestCheck, SigningFailed
from imagegate.workflow.sign_picture import FAILED, NOT_VALID, sign_picture
from support.fakes import picture
from support.readers import active_manifest, manifests_in
from support.signing import identity_of

ORIGIN = Origin(provider="alpha", model="m", operation="o", made_at=0.0, generator="imagegate 0.1.0")


def sign_with(pem: str, kms: Any = None, arn: str = "") -> tuple[str, str]:
    """The state of a picture's manifest, as c2pa-python reads it, and the algorithm."""
    signed = C2paPictures(identity_of(pem, kms, arn)).sign(picture(), "image/png", ORIGIN, None, from_signed=False)
    store = manifests_in(signed, "image/png")
    return store["validation_state"], active_manifest(store)["signature_info"]["alg"]


@pytest.mark.parametrize(
    ("spec", "algorithm"), [("ECC_NIST_P256", "Es256"), ("ECC_NIST_P384", "Es384"), ("RSA_2048", "Ps256")]
)
def test_a_key_in_kms_signs(signing_stack: Stack, spec: str, algorithm: str) -> None:
    kms = signing_stack.client("kms")
    arn = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    public_key = serialization.load_der_public_key(kms.get_public_key(KeyId=arn)["PublicKey"])
    assert sign_with(issue("imagegate test", public_key), kms, arn) == ("Valid", algorithm)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "Es256"),
        (ec.generate_private_key(ec.SECP384R1()), "Es384"),
        (ec.generate_private_key(ec.SECP521R1()), "Es512"),
        (rsa.generate_private_key(65537, 2048), "Ps256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
    ],
    ids=["p256", "p384", "p521", "rsa", "ed25519"],
)
def test_a_key_of_every_kind_signs(key: Any, algorithm: str) -> None:
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    own = key.private_bytes(pem, private, serialization.NoEncryption()).decode()
    assert sign_with(issue("imagegate test", key.public_key()) + own) == ("Valid", algorithm)


def test_a_certificate_of_another_key_is_noticed(signing_stack: Stack) -> None:
    """KMS signs with whatever key it is told; a picture that viewers would call forged is not handed out."""
    kms = signing_stack.client("kms")
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    other = issue("imagegate test", ec.generate_private_key(ec.SECP256R1()).public_key())
    signer = C2paPictures(identity_of(other, kms, arn))
    body, record = sign_picture(signer, picture(), "image/png", Provenance(), ORIGIN)
    assert (body, record.added) == (picture(), ())
    assert record.note == f"{FAILED}{NOT_VALID}"


def test_an_expired_certificate_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_chain, "_DAYS", 0)  # it is made five minutes old, and then ends at once
    with pytest.raises(SigningFailed, match="certificate was not valid at time of signing"):
        sign_with(signing_chain.make_chain())


def test_a_name_of_any_length_leaves_room_in_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is in the operation's item, which has 400 KB."""
    name = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "O" * 60_000, _validate=False)
    monkeypatch.setattr(signing_chain, "_name", lambda *_: x509.Name([name]))
    signer = C2paPictures(identity_of(signing_chain.make_chain()))
    found = signer.check(signer.sign(picture(), "image/png", ORIGIN, None, from_signed=False), "image/png")
    assert (found.validation, found.signer) == ("valid", "O" * 200)


def test_a_checker_that_fails_calls_no_picture_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = C2paPictures(identity_of(signing_chain.make_chain()))
    signed = signer.sign(picture(), "image/png", ORIGIN, None, from_signed=False)
    assert signer.check(signed[:-100], "image/png") == ManifestCheck("invalid")
    monkeypatch.setattr("c2pa.Reader.get_validation_state", lambda self: 1 / 0)
    assert signer.check(signed, "image/png") == ManifestCheck(None)
    monkeypatch.setitem(sys.modules, "c2pa", None)  # as where the layer is missing
    assert signer.check(signed, "image/png") == ManifestCheck(None)
