"""A certificate for loopback, trusted only by programs that are configured to trust it."""

import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_VALID = timedelta(days=365)
_RENEW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the server shows, and where clients find what to trust."""

    pem: bytes
    """Key and certificate."""
    roots: Path
    """This certificate and the public ones: gRPC takes one file for all channels of a process."""


def certificate(folder: Path) -> Certificate:
    """The certificate kept in `folder`, replaced a month before it ends; clients that run then keep trusting theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    kept, roots = folder / "server.pem", folder / "roots.pem"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pem = _still_good(kept) or _made(kept)
        own = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.PEM)
        _replace(roots, own + certifi.contents().encode(), 0o644)
    return Certificate(pem, roots.resolve())


def _still_good(kept: Path) -> bytes | None:
    try:
        pem = kept.read_bytes()
        ends = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except (OSError, ValueError):
        return None
    return pem if ends - datetime.now(UTC) > _RENEW else None


def _made(kept: Path) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + _signed(key).public_bytes(Encoding.PEM)
    _replace(kept, pem, 0o600)
    return pem


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step, so that it is never read half written."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    new.replace(path)


def _signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "imagegate bridge")])
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + _VALID)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
