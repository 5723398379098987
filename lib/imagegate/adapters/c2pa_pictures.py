"""C2PA manifests with the package c2pa-python, which a layer of its own brings (infra/c2pa)."""

import io
import json
import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

from imagegate.adapters.signing_identity import Identity, UnusableIdentity
from imagegate.domain.pictures.manifest import build_ingredient, build_manifest
from imagegate.domain.pictures.xmp import Origin
from imagegate.ports.upstreams import ManifestCheck, SigningFailed

_SETTINGS = (
    '{"version": 1, "builder": {"thumbnail": {"enabled": false}}, '
    '"verify": {"remote_manifest_fetch": false, "ocsp_fetch": false, "verify_after_sign": false}}'
)
"""A thumbnail would add up to 1.4 MB. Addresses inside of a picture are its maker's choice: nothing is fetched."""
_MISSING = "the package c2pa-python is not installed"
_LONGEST = 200
"""Characters that the record keeps of a name or an error: a certificate may name its owner in 60,000."""


class C2paPictures:
    """The PictureSigner port."""

    def __init__(self, read_identity: Callable[[], Identity] | None = None) -> None:
        """`read_identity` raises UnusableIdentity, and is called until it succeeds; without it nothing is signed."""
        self._read_identity = read_identity
        self._failure: Exception | None = None

    def sign(
        self, body: bytes, content_type: str, origin: Origin, made: tuple[bytes, str] | None, *, from_signed: bool
    ) -> bytes:
        """The picture with a signed manifest. Raises SigningFailed."""
        self._failure = None
        try:
            return self._sign(body, content_type, origin, made if from_signed else None, converted=made is not None)
        # Whatever goes wrong in a library of another language, or with a key in another service: the picture is made.
        except Exception as error:
            cause = self._failure or error
            logging.warning("a picture could not be signed", exc_info=cause)
            raise SigningFailed(_explained(cause)) from error

    def check(self, body: bytes, content_type: str) -> ManifestCheck:
        """Check the manifest of a picture that has one."""
        try:
            import c2pa

            try:
                with c2pa.Reader(content_type, io.BytesIO(body), context=self._reading) as reader:
                    manifest = reader.get_active_manifest() or {}
                    state = reader.get_validation_state() or "Invalid"
            except c2pa.C2paError as error:
                logging.info("a manifest cannot be read: %s", error)
                return ManifestCheck("invalid")
            signature = manifest.get("signature_info") or {}
            signer = signature.get("issuer") or signature.get("common_name")
            return ManifestCheck(state.lower(), signer and str(signer)[:_LONGEST])
        # Whatever else goes wrong says nothing about the picture, and must not cost it.
        except Exception as error:
            logging.warning("a manifest could not be checked", exc_info=error)
            return ManifestCheck(None)

    def _sign(
        self, body: bytes, content_type: str, origin: Origin, original: tuple[bytes, str] | None, *, converted: bool
    ) -> bytes:
        import c2pa

        manifest = build_manifest(origin, content_type, converted=converted, from_signed=original is not None)
        signed = io.BytesIO()
        with c2pa.Builder(json.dumps(manifest), context=self._signing) as builder:
            if original:
                ingredient = json.dumps(build_ingredient(original[1]))
                builder.add_ingredient(ingredient, original[1], io.BytesIO(original[0]))
            builder.sign(content_type, io.BytesIO(body), signed)
        return signed.getvalue()

    @cached_property
    def _reading(self) -> Any:
        import c2pa

        return c2pa.Context(c2pa.Settings.from_json(_SETTINGS))

    @cached_property
    def _signing(self) -> Any:
        import c2pa

        if self._read_identity is None:
            raise UnusableIdentity("there is no certificate")
        return c2pa.Context(c2pa.Settings.from_json(_SETTINGS), self._signer_of(self._read_identity()))

    def _signer_of(self, identity: Identity) -> Any:
        import c2pa

        if identity.sign:  # which reserves 10 kB in every picture, because a signature's size is not known before
            algorithm = c2pa.C2paSigningAlg[identity.algorithm]
            return c2pa.Signer.from_callback(self._noting_failure(identity.sign), algorithm, identity.chain)
        algorithm, chain, key = (text.encode() for text in (identity.algorithm.lower(), identity.chain, identity.key))
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm, chain, key, None))

    def _noting_failure(self, sign: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        """The same function; the package replaces what it raises by an error that says nothing."""

        def sign_noting(data: bytes) -> bytes:
            try:
                return sign(data)
            except Exception as error:
                self._failure = error
                raise

        return sign_noting


def _explained(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"{_MISSING}."
    if isinstance(error, UnusableIdentity):
        return f"{error}."
    # The package's errors say what is wrong with a certificate, such as that it has expired.
    message = str(error) if type(error).__module__.partition(".")[0] == "c2pa" else ""
    return f"{(message or type(error).__name__)[:_LONGEST].rstrip('.')}."
