"""Sizes and aspect ratios, in pixels."""

import math
from dataclasses import dataclass

DEFAULT_AREA = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Grid:
    """The sizes an upstream makes: each side within [minimum, maximum] and a multiple of `step` pixels."""

    minimum: int
    maximum: int
    step: int

    def nearest(self, size: Size) -> Size:
        """The supported size nearest to `size`, shrunk as a whole when a side is too long."""
        shrink = min(1.0, self.maximum / max(size.width, size.height))
        return Size(self._align(size.width * shrink), self._align(size.height * shrink))

    def of_ratio(self, width_ratio: int, height_ratio: int, area: int = DEFAULT_AREA) -> Size:
        """The supported size of that aspect ratio whose area (pixels) is nearest to `area`.

        The ratio is exact wherever the grid has such a size, else the nearest.
        """
        common = math.gcd(width_ratio, height_ratio)
        across, down = width_ratio // common, height_ratio // common
        scale = self.step // math.gcd(self.step, math.gcd(across, down))
        unit = Size(across * scale, down * scale)
        multiples = range(
            math.ceil(self.minimum / min(unit.width, unit.height)),
            self.maximum // max(unit.width, unit.height) + 1,
        )
        if not multiples:
            height = math.sqrt(area * down / across)
            return self.nearest(Size(max(1, round(height * across / down)), max(1, round(height))))
        wanted = math.log(area / (unit.width * unit.height)) / 2
        best = min(multiples, key=lambda multiple: abs(math.log(multiple) - wanted))
        return Size(unit.width * best, unit.height * best)

    def _align(self, side: float) -> int:
        return min(self.maximum, max(self.minimum, round(side / self.step) * self.step))
