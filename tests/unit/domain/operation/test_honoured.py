"""What a finished picture does not show of its request."""

from dataclasses import replace

import pytest

from imagegate.domain.operation.honoured import not_honoured, unmet
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.picture import Picture
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest

REQUEST = ImageRequest(model="flux", messages=())


@pytest.mark.parametrize(
    ("asked", "came", "found"),
    [
        ({"size": Size(1024, 768)}, (1024, 768), ()),
        ({"size": Size(1024, 768)}, (1024, 760), ()),
        ({"size": Size(1024, 768)}, (1024, 1024), ("size",)),
        ({"size": Size(1024, 768)}, (512, 384), ("size",)),
        ({"size": Size(1024, 768)}, (0, 0), ()),
        ({"ratio": (16, 9)}, (1344, 756), ()),
        ({"ratio": (16, 9)}, (1344, 768), ()),
        ({"ratio": (2, 1)}, (1472, 704), ("aspect_ratio",)),
        ({"ratio": (16, 9)}, (768, 1344), ("aspect_ratio",)),
        ({}, (1, 5000), ()),
    ],
)
def test_the_shape_is_what_was_asked_for_within_two_hundredths(
    asked: dict[str, object], came: tuple[int, int], found: tuple[str, ...]
) -> None:
    assert unmet(replace(REQUEST, **asked), *came, transparent=False) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("background", "transparent", "found"),
    [("transparent", False, ("background",)), ("transparent", True, ()), ("opaque", False, ()), (None, False, ())],
)
def test_transparency_is_there_where_it_was_asked_for(
    background: str | None, transparent: bool, found: tuple[str, ...]
) -> None:
    assert unmet(replace(REQUEST, background=background), 8, 8, transparent=transparent) == found


@pytest.mark.parametrize(
    ("digests", "seeds", "found"),
    [
        ("ab", (1, 2), False),
        ("aa", (1, 2), True),
        ("aa", (1, 1), False),
        ("aa", (None, 2), False),
        ("aa", (None, None), False),
    ],
)
def test_another_seed_makes_another_picture(digests: str, seeds: tuple[int | None, ...], found: bool) -> None:
    made = Picture(
        slot=0, key="k", sha256="s", content_type="image/png", width=8, height=8, bytes=1, provider="p",
        not_honoured=("size",),
    )  # fmt: skip
    pictures = tuple(
        replace(made, slot=slot, seed=seed, source_sha256=digest)
        for slot, (digest, seed) in enumerate(zip(digests, seeds, strict=True))
    )
    operation = Operation(
        id="o", owner="me", dialect="d", request=REQUEST, created_at=0, deadline=1, due_at=1, pictures=pictures
    )
    for picture in pictures:
        assert not_honoured(operation, picture) == (("size", "seed") if found else ("size",))
