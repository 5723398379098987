"""Sizes that upstreams take: never refused, never far from what was asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest
from imagegate.providers import registry
from imagegate.providers.sizes import BoundedGrid, ShapeGrid, shape_of

GPT_IMAGE_2 = registry.limits_of("openai").grid
TOGETHER = registry.limits_of("together").grid
YANDEX = registry.limits_of("yandex-ai-studio").grid
SIDES = st.integers(1, 16384)


@given(SIDES, SIDES)
@pytest.mark.parametrize("grid", [GPT_IMAGE_2, TOGETHER], ids=["gpt-image-2", "together"])
def test_any_size_becomes_one_that_is_taken(grid: BoundedGrid, width: int, height: int) -> None:
    found = grid.nearest(Size(width, height))
    short, long = sorted((found.width, found.height))
    assert grid.minimum <= short
    assert long <= min(grid.maximum, short * grid.ratio_maximum)
    assert grid.area_minimum <= short * long <= grid.area_maximum
    assert found.width % grid.step == found.height % grid.step == 0
    assert grid.nearest(found) == found


@given(st.integers(1, 100), st.integers(1, 100))
def test_any_ratio_becomes_one_that_is_taken(width: int, height: int) -> None:
    found = GPT_IMAGE_2.of_ratio(width, height)
    assert GPT_IMAGE_2.nearest(found) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((1024, 1024), (1024, 1024)),
        ((3840, 2160), (3840, 2160)),
        ((2160, 3840), (2160, 3840)),
        ((256, 256), (816, 816)),
        ((4096, 4096), (2880, 2880)),
        ((1000, 770), (992, 768)),
        ((4000, 400), (1408, 480)),
    ],
)
def test_sizes_of_gpt_image_2(asked: tuple[int, int], found: tuple[int, int]) -> None:
    assert GPT_IMAGE_2.nearest(Size(*asked)) == Size(*found)


def test_ratios_of_gpt_image_2_are_exact_where_they_can_be() -> None:
    assert GPT_IMAGE_2.of_ratio(16, 9) == Size(1280, 720)
    assert GPT_IMAGE_2.of_ratio(4, 1) == Size(1536, 512)


def test_yandex_makes_a_megapixel_of_any_shape() -> None:
    assert YANDEX.nearest(Size(1792, 1024)) == YANDEX.of_ratio(7, 4) == Size(1344, 768)
    assert YANDEX.nearest(Size(64, 64)) == YANDEX.of_ratio(1, 1) == Size(1024, 1024)
    assert isinstance(YANDEX, ShapeGrid)


def test_a_shape_is_in_least_terms() -> None:
    request = ImageRequest(model="m", messages=())
    assert shape_of(request, YANDEX) == (1, 1)
    assert shape_of(ImageRequest(model="m", messages=(), ratio=(32, 18)), YANDEX) == (16, 9)
    assert shape_of(ImageRequest(model="m", messages=(), size=Size(1024, 1536)), YANDEX) == (2, 3)


@pytest.mark.slow
@given(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
@pytest.mark.parametrize("provider", registry._document()["providers"])
def test_no_ratio_of_64_bits_is_too_much(provider: str, width: int, height: int) -> None:
    limits = registry.limits_of(provider)
    found = limits.size_for(ImageRequest(model="m", messages=(), ratio=(width, height)))
    assert limits.grid.minimum <= min(found.width, found.height)
    assert max(found.width, found.height) <= limits.grid.maximum


@pytest.mark.parametrize(
    ("ratio", "shape"),
    [
        ((10**18, 1), (16, 1)),
        ((1, 2**63 - 1), (1, 16)),
        ((10**18, 10**18 - 1), (1, 1)),
        ((2 * 10**9 + 1, 10**9), (2, 1)),
        ((21, 9), (7, 3)),
    ],
)
def test_a_shape_is_the_nearest_there_is(ratio: tuple[int, int], shape: tuple[int, int]) -> None:
    assert shape_of(ImageRequest(model="m", messages=(), ratio=ratio), YANDEX) == shape


@given(SIDES, SIDES)
def test_the_shape_of_any_size_is_near_it(width: int, height: int) -> None:
    across, down = shape_of(ImageRequest(model="m", messages=(), size=Size(width, height)), YANDEX)
    assert max(across, down) <= YANDEX.maximum
    wanted = min(max(width / height, 1 / 16), 16)
    assert abs(across / down - wanted) < wanted / 100
