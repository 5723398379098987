"""Pictures as upstreams sign them, OpenAI and Bedrock among them: with a C2PA manifest of their own."""

import io
import json
from functools import cache
from importlib.util import find_spec
from typing import Any

from imagegate.local.signing_chain import make_chain

ORGANIZATION = "imagegate stand-in"
_CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
}
_MANIFEST = {
    "claim_generator_info": [{"name": ORGANIZATION, "version": "1"}],
    "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [_CREATED]}}],
}


def can_sign() -> bool:
    """True if the package that signs is installed."""
    return find_spec("c2pa") is not None


def sign(file: bytes, content_type: str) -> bytes:
    """The file with a manifest, signed by ORGANIZATION."""
    import c2pa

    signed = io.BytesIO()
    with c2pa.Builder(json.dumps(_MANIFEST), context=_context()) as builder:
        builder.sign(content_type, io.BytesIO(file), signed)
    return signed.getvalue()


@cache
def _context() -> Any:
    import c2pa

    certificates, begin, key = make_chain(ORGANIZATION).partition("-----BEGIN PRIVATE")
    settings = c2pa.Settings.from_dict({"version": 1, "builder": {"thumbnail": {"enabled": False}}})
    info = c2pa.C2paSignerInfo(b"es256", certificates.encode(), f"{begin}{key}".encode(), None)
    return c2pa.Context(settings, c2pa.Signer.from_info(info))
