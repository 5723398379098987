"""Pictures of a deployment that signs them; tests/provenance reads real signatures back."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from imagegate.domain.operation.operation import State
from imagegate.domain.operation.representation import represent
from imagegate.domain.pictures.marks import Provenance
from imagegate.domain.pictures.provenance import LOST, SIGNED
from imagegate.domain.pictures.xmp import MADE_BY_MODEL, Origin
from imagegate.ports.upstreams import ManifestCheck, SigningFailed
from imagegate.workflow.sign_picture import FAILED, INGREDIENT, NOT_VALID, sign_picture
from support.fakes import picture
from support.world import World, ready

ORIGIN = Origin(provider="alpha", model="m", operation="o", made_at=0.0, generator="imagegate")
THEIRS = Provenance(upstream=("c2pa",), kept=("c2pa",), note=SIGNED)
CONVERTED = Provenance(upstream=("c2pa", "xmp"), kept=("xmp",), added=("xmp",), note=LOST)


@dataclass
class ScriptedSigner:
    """Appends to a picture, and notes what it was asked."""

    failure: str = ""
    validation: str | None = "valid"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def sign(self, body: bytes, content_type: str, origin: Origin, made: Any, *, from_signed: bool) -> bytes:
        if self.failure:
            raise SigningFailed(self.failure)
        self.asked.append({"content_type": content_type, "made": made, "from_signed": from_signed})
        return body + b" signed"

    def check(self, body: bytes, content_type: str) -> ManifestCheck:
        return ManifestCheck(self.validation if body.endswith(b" signed") else "invalid", "A signer")


def test_a_picture_without_a_signature_is_signed() -> None:
    signer = ScriptedSigner()
    body, record = sign_picture(signer, b"picture", "image/avif", Provenance(note="x"), ORIGIN)
    assert body == b"picture signed"
    assert signer.asked == [{"content_type": "image/avif", "made": None, "from_signed": False}]
    assert (record.added, record.kept, record.note) == (("c2pa",), (), "x")
    assert (record.validation, record.signer) == ("valid", "A signer")
    assert record.digital_source_type == MADE_BY_MODEL


def test_an_upstreams_signature_is_only_checked() -> None:
    signer = ScriptedSigner()
    body, record = sign_picture(signer, b"theirs", "image/png", THEIRS, ORIGIN)
    assert (body, signer.asked) == (b"theirs", [])
    assert (record.kept, record.added, record.validation) == (("c2pa",), (), "invalid")


def test_a_converted_signed_picture_keeps_the_original_as_an_ingredient() -> None:
    signer, made = ScriptedSigner(), (b"theirs", "image/png")
    _, record = sign_picture(signer, b"converted", "image/webp", CONVERTED, ORIGIN, made)
    assert signer.asked == [{"content_type": "image/webp", "made": made, "from_signed": True}]
    assert record.kept == ("c2pa", "xmp")
    assert (record.added, record.note) == (("xmp", "c2pa"), INGREDIENT)


def test_a_signature_that_fails_is_told_and_loses_nothing() -> None:
    signer = ScriptedSigner(failure="KMS is gone.")
    body, record = sign_picture(signer, b"converted", "image/webp", CONVERTED, ORIGIN, (b"theirs", "image/png"))
    assert body == b"converted"
    assert (record.added, record.validation) == (("xmp",), None)
    assert record.note == f"{LOST} {FAILED}KMS is gone."


def test_a_signature_that_is_not_valid_is_left_out() -> None:
    signer = ScriptedSigner(validation="invalid")
    body, record = sign_picture(signer, b"picture", "image/png", Provenance(added=("xmp",)), ORIGIN)
    assert body == b"picture"
    assert (record.added, record.validation, record.signer) == (("xmp",), None, None)
    assert record.note == f"{FAILED}{NOT_VALID}"


def test_a_signature_that_could_not_be_checked_is_kept() -> None:
    signer = ScriptedSigner(validation=None)
    body, record = sign_picture(signer, b"picture", "image/png", Provenance(), ORIGIN)
    assert (body, record.added, record.validation) == (b"picture signed", ("c2pa",), None)


@pytest.mark.parametrize("signs", [True, False])
def test_an_operation_ends_with_its_picture_whether_it_is_signed_or_not(signs: bool) -> None:
    """This project's environment may lack the package that signs; the deployment's SSM has no certificate either."""
    world = World(signing="/imagegate/dev/signing" if signs else "")
    world.alpha.checks = [ready()]
    ended = world.drive(world.begun())
    assert ended.state is State.SUCCEEDED
    [reported] = represent(ended)["images"]
    assert reported["provenance"]["added"] == ["xmp"]
    assert (FAILED in (reported["provenance"]["note"] or "")) is signs
    assert world.images.objects[reported["key"]][:8] == picture()[:8]
