"""A self-signed certificate, which no viewer trusts, to try signed pictures with."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANIZATION = "imagegate self-signed"
_DAYS = 365


def make_chain(organization: str = ORGANIZATION) -> str:
    """A certificate for signing pictures, that of the authority made for it, and its private key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return issue(organization, key.public_key()) + private.decode()


def is_made_here(leaf: x509.Certificate) -> bool:
    """True for a certificate that `make_chain` made."""
    return ORGANIZATION in leaf.issuer.rfc4514_string()


def issue(organization: str, key: Any) -> str:
    """A certificate for signing pictures with that public key, and that of the authority made for it, as PEM."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _name(organization, f"{organization} authority")
    root = (
        _builder(authority, authority, authority_key.public_key())
        .add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), True)
        .sign(authority_key, hashes.SHA256())
    )
    leaf = (
        _builder(_name(organization, f"{organization} signer"), authority, key)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(_usage(digital_signature=True), True)
        # C2PA 2.2 §14.5.1: one purpose of the list there, and none beside it.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False)
        .sign(authority_key, hashes.SHA256())
    )
    return "".join(certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in (leaf, root))


def _builder(subject: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:
    now = datetime.now(UTC) - timedelta(minutes=5)  # the clocks of others may be slow
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    )


def _name(organization: str, common_name: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _usage(**allowed: bool) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in every.split()})
