"""Who signs pictures: a certificate chain, and a key that is beside it in SSM or stays in AWS KMS."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
_CURVES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "secp256r1": ("ES256", hashes.SHA256()),
    "secp384r1": ("ES384", hashes.SHA384()),
    "secp521r1": ("ES512", hashes.SHA512()),
}
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class UnusableIdentity(Exception):
    """There is nothing to sign with; the message says what is wrong, without a full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the signer of pictures needs."""

    chain: str
    """Certificates (PEM): the signer's own first."""
    algorithm: str
    """C2PA's name of it (C2PA 2.2 §13.2): ES256, ES384, ES512, PS256 or ED25519."""
    key: str = ""
    """The private key (PEM, PKCS #8), if it is at hand."""
    sign: Callable[[bytes], bytes] | None = None
    """Signs bytes with a key that is elsewhere, with an ECDSA signature as r and s side by side."""


@dataclass(frozen=True, slots=True)
class SigningPem:
    """The content of a PEM file, told apart."""

    certificates: tuple[x509.Certificate, ...]
    chain: str
    key: Any = None
    """The private key, if there is one."""

    @property
    def public_key(self) -> PublicKey:
        """The signer's own. Raises UnusableIdentity for a kind that C2PA does not have."""
        key = self.certificates[0].public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
            raise UnusableIdentity("the certificate's key is neither ECDSA, nor RSA, nor Ed25519")
        return key


def parse_signing_pem(text: str) -> SigningPem:
    """Certificates and private key of a PEM text. Raises UnusableIdentity."""
    blocks = [(match[1], match[0]) for match in _BLOCK.finditer(text)]
    chain = "\n".join(block for kind, block in blocks if kind == "CERTIFICATE") + "\n"
    keys = [block for kind, block in blocks if kind.endswith("PRIVATE KEY")]
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
        key = serialization.load_pem_private_key(keys[0].encode(), None) if keys else None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableIdentity("the certificates and the key are not readable PEM without a passphrase") from error
    found = SigningPem(tuple(certificates), chain, key)
    if key is not None and key.public_key() != found.public_key:
        raise UnusableIdentity("the private key does not belong to the first certificate")
    return found


class SsmIdentity:
    """Reads the PEM from SSM, and signs with its key, or with one in KMS."""

    def __init__(self, make_client: Callable[[str], Any], parameter: str, kms_key: str = "") -> None:
        """`make_client` makes a client by the name of its service; `kms_key`: ARN, empty for the key in the PEM."""
        self._make_client = make_client
        self._parameter = parameter
        self._kms_key = kms_key

    def __call__(self) -> Identity:
        """The identity. Raises UnusableIdentity."""
        pem = parse_signing_pem(self._read())
        algorithm, digest = _algorithm(pem.public_key)
        if self._kms_key:
            kms_key = _KmsKey(client=self._make_client("kms"), arn=self._kms_key, algorithm=algorithm, digest=digest)
            return Identity(chain=pem.chain, algorithm=algorithm, sign=kms_key)
        if pem.key is None:
            raise UnusableIdentity(f"{self._parameter} has no private key, and SigningKeyArn is not set")
        key = pem.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Identity(chain=pem.chain, algorithm=algorithm, key=key.decode())

    def _read(self) -> str:
        client = self._make_client("ssm")
        try:
            answer = client.get_parameter(Name=self._parameter, WithDecryption=True)
        except client.exceptions.ParameterNotFound:
            raise UnusableIdentity(f"{self._parameter} is not set (imagegate signing set)") from None
        except (ClientError, BotoCoreError) as error:
            raise UnusableIdentity(f"{self._parameter} cannot be read at the moment") from error
        text: str = answer["Parameter"]["Value"]
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _KmsKey:
    client: Any
    arn: str
    algorithm: str
    digest: hashes.HashAlgorithm | None

    def __call__(self, data: bytes) -> bytes:
        if self.digest is None:
            raise UnusableIdentity("an Ed25519 key in KMS is not supported; use ECC_NIST_P256")
        hashed = hashes.Hash(self.digest)
        hashed.update(data)
        family = "ECDSA" if self.algorithm.startswith("ES") else "RSASSA_PSS"
        try:
            answer = self.client.sign(
                KeyId=self.arn,
                Message=hashed.finalize(),
                MessageType="DIGEST",
                SigningAlgorithm=f"{family}_SHA_{self.digest.digest_size * 8}",
            )
        except (ClientError, BotoCoreError) as error:
            raise UnusableIdentity("KMS does not sign with the key of SigningKeyArn") from error
        signature: bytes = answer["Signature"]
        return _side_by_side(signature, self.algorithm) if family == "ECDSA" else signature


def _algorithm(key: PublicKey) -> tuple[str, hashes.HashAlgorithm | None]:
    """C2PA's algorithm for a key, and the digest that it signs."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise UnusableIdentity("the certificate's curve is none of P-256, P-384 and P-521")
        return _CURVES[key.curve.name]
    return ("PS256", hashes.SHA256()) if isinstance(key, rsa.RSAPublicKey) else ("ED25519", None)


def _side_by_side(signature: bytes, algorithm: str) -> bytes:
    """An ECDSA signature of ASN.1 as COSE has it (RFC 9053 §2.1)."""
    size = {"ES256": 32, "ES384": 48, "ES512": 66}[algorithm]
    return b"".join(part.to_bytes(size) for part in decode_dss_signature(signature))
