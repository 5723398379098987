"""Who signs pictures: PEM from SSM, keys of every kind, KMS."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from imagegate.adapters.signing_identity import UnusableIdentity, parse_signing_pem
from imagegate.local.signing_chain import make_chain
from support.signing import identity_of

DATA = b"claim"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/1"
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "signer")])


def pem_of(key: Any) -> str:
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    kind = serialization.PrivateFormat.PKCS8
    if isinstance(key, ec.EllipticCurvePrivateKey):
        kind = serialization.PrivateFormat.TraditionalOpenSSL  # as `openssl ecparam -genkey` writes it
    private = key.private_bytes(encoding, kind, serialization.NoEncryption())
    return (private + certificate.public_bytes(encoding)).decode()


def from_sides(signature: bytes) -> bytes:
    half = len(signature) // 2
    return utils.encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (rsa.generate_private_key(65537, 2048), "PS256"),
        (ed25519.Ed25519PrivateKey.generate(), "ED25519"),
    ],
    ids=["p256", "p384", "p521", "rsa", "ed25519"],
)
def test_a_key_of_every_kind_is_read_as_the_package_wants_it(key: Any, algorithm: str) -> None:
    identity = identity_of(pem_of(key))()
    assert (identity.algorithm, identity.sign) == (algorithm, None)
    assert identity.key.startswith("-----BEGIN PRIVATE KEY-----")
    assert serialization.load_pem_private_key(identity.key.encode(), None).public_key() == key.public_key()
    assert "PRIVATE" not in identity.chain


class FakeKms:
    """KMS with one P-256 key, as AWS answers: an ECDSA signature in ASN.1 of a digest."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | None) -> None:
        self.key = key

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> dict[str, bytes]:
        assert (KeyId, MessageType, SigningAlgorithm) == (KEY_ARN, "DIGEST", "ECDSA_SHA_256")
        if self.key is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "Sign")
        return {"Signature": self.key.sign(Message, ec.ECDSA(utils.Prehashed(hashes.SHA256())))}


def test_a_key_in_kms_signs() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = parse_signing_pem(pem_of(key)).chain
    identity = identity_of(certificate, FakeKms(key), KEY_ARN)()
    assert identity.sign
    assert not identity.key
    key.public_key().verify(from_sides(identity.sign(DATA)), DATA, ec.ECDSA(hashes.SHA256()))


def test_what_cannot_sign_says_why() -> None:
    certificate = parse_signing_pem(pem_of(ec.generate_private_key(ec.SECP256R1()))).chain
    own, other = make_chain(), make_chain()
    mixed = own[: own.index("-----BEGIN PRIVATE")] + other[other.index("-----BEGIN PRIVATE") :]
    cases = {
        "not set": None,
        "readable PEM": "nothing",
        "belong to": mixed,
        "no private key": certificate,
        "P-256, P-384 and P-521": pem_of(ec.generate_private_key(ec.SECP256K1())),
    }
    for reason, pem in cases.items():
        with pytest.raises(UnusableIdentity, match=reason):
            identity_of(pem)()
    with pytest.raises(UnusableIdentity, match="KMS does not sign"):
        identity_of(certificate, FakeKms(None), KEY_ARN)().sign(DATA)  # type: ignore[misc]
