"""Sizes as upstreams understand them that bound more, or less, than the sides of a picture."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from imagegate.domain.request.geometry import DEFAULT_AREA, Grid, Size
from imagegate.domain.request.request import ImageRequest


@dataclass(frozen=True, slots=True)
class BoundedGrid(Grid):
    """A grid with bounds on the area and the shape too, as gpt-image-2 has (docs/protocols/providers.md#openai)."""

    area_minimum: int = 1
    """Pixels."""
    area_maximum: int = 2**62
    """Pixels."""
    ratio_maximum: int = 2**31
    """Longer side to shorter side."""

    def nearest(self, size: Size) -> Size:
        """The supported size nearest to `size`: smaller or larger as a whole, cropped only when too long a strip."""
        short = min(size.width, size.height)
        long = min(float(max(size.width, size.height)), float(short * self._ratio))
        scale = self._scale(long, short)
        sides = self._sides(long * scale, short * scale)
        return Size(*sides) if size.width >= size.height else Size(*reversed(sides))

    def of_ratio(self, width_ratio: int, height_ratio: int, area: int = DEFAULT_AREA) -> Size:
        """The supported size of that aspect ratio whose area (pixels) is nearest to `area`."""
        # Not super(): a slotted dataclass is another class than the one the compiler bound it to.
        return self.nearest(Grid.of_ratio(self, width_ratio, height_ratio, area))

    def _scale(self, long: float, short: int) -> float:
        largest = min(self.maximum / long, math.sqrt(self.area_maximum / (long * short)))
        smallest = max(self.minimum / short, math.sqrt(self.area_minimum / (long * short)))
        return min(max(1.0, smallest), largest)

    def _sides(self, long: float, short: float) -> tuple[int, int]:
        """Both sides on the grid: rounded, or else down or up so that the area stays within its bounds."""
        for rounded in (round, math.floor, math.ceil):
            sides = [rounded(side / self.step) * self.step for side in (long, short)]
            if self.area_minimum <= sides[0] * sides[1] <= self.area_maximum:
                break
        longest = math.floor(sides[1] * self._ratio / self.step) * self.step
        return min(sides[0], longest, self.maximum), sides[1]

    @property
    def _ratio(self) -> Fraction:
        return _longest_ratio(self.ratio_maximum, self.maximum, self.minimum)


@cache
def _longest_ratio(ratio_maximum: int, maximum: int, minimum: int) -> Fraction:
    """Kept for each grid, because every accepted request is priced by the sizes of several."""
    return min(Fraction(ratio_maximum), Fraction(maximum, minimum))


@dataclass(frozen=True, slots=True)
class ShapeGrid(Grid):
    """For upstreams that take a shape and choose the pixels: about one megapixel, as measured."""

    def nearest(self, size: Size) -> Size:
        """The size to expect for the shape of `size`."""
        scale = math.sqrt(DEFAULT_AREA / (size.width * size.height))
        return Size(self._align(size.width * scale), self._align(size.height * scale))

    def of_ratio(self, width_ratio: int, height_ratio: int, area: int = DEFAULT_AREA) -> Size:
        """The size to expect for that aspect ratio; `area` is not for us to choose."""
        return self.nearest(Size(width_ratio, height_ratio))


@dataclass(frozen=True, slots=True)
class ShapeTable(Grid):
    """For upstreams that are told one of a few aspect ratios by name."""

    shapes: tuple[tuple[tuple[int, int], Size], ...] = ()
    """Width to height, and the pixels to expect for it."""

    def nearest(self, size: Size) -> Size:
        """The size of the aspect ratio that is nearest to that of `size`."""
        return self._entry(size.width / size.height)[1]

    def of_ratio(self, width_ratio: int, height_ratio: int, area: int = DEFAULT_AREA) -> Size:
        """The size of the nearest aspect ratio; `area` is not for us to choose."""
        return self._entry(width_ratio / height_ratio)[1]

    def name_for(self, request: ImageRequest) -> str:
        """The aspect ratio nearest to what is asked for, as `16:9`; `1:1` unless the caller says otherwise."""
        width, height = (request.size.width, request.size.height) if request.size else (request.ratio or (1, 1))
        return "{}:{}".format(*self._entry(width / height)[0])

    def _entry(self, ratio: float) -> tuple[tuple[int, int], Size]:
        return min(self.shapes, key=lambda entry: abs(math.log(ratio * entry[0][1] / entry[0][0])))


def shape_of(request: ImageRequest, grid: Grid) -> tuple[int, int]:
    """Width to height, for upstreams that take a shape; 1 to 1 unless the caller says otherwise.

    In least terms, and in numbers no larger than the pixels of `grid`, whose longest strip is the longest there is.
    """
    width, height = (request.size.width, request.size.height) if request.size else (request.ratio or (1, 1))
    wanted = Fraction(min(width, height), max(width, height)).limit_denominator(grid.maximum)
    ratio = max(wanted, Fraction(grid.minimum, grid.maximum))
    short, long = ratio.as_integer_ratio()
    return (long, short) if width > height else (short, long)
