"""Curves and marks on logarithmic axes, in panels, as one PNG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]

WIDTH, HEIGHT, COLUMNS = 560, 420, 3
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 46, 56
INK, GRID = "#222222", "#e2e2e2"
COLOURS = ("#1b7f4d", "#d1495b")
FONT, TITLE = ImageFont.load_default(14), ImageFont.load_default(18)


@dataclass(frozen=True)
class Panel:
    """One diagram."""

    title: str
    x_label: str
    y_label: str
    curves: Mapping[str, Sequence[Point]]
    marks: Mapping[str, Point]
    log_x: bool = True


class Scale:
    """Values to pixels on one axis."""

    def __init__(self, values: Sequence[float], low: float, high: float, logarithmic: bool) -> None:
        self.logarithmic = logarithmic
        least, most = self._place(min(values)), self._place(max(values))
        margin = (most - least) * 0.06
        self._from, self._span = least - margin, most - least + 2 * margin
        self._low, self._high = low, high

    def __call__(self, value: float) -> float:
        """The pixel of `value`."""
        return self._low + (self._place(value) - self._from) / self._span * (self._high - self._low)

    def ticks(self) -> list[float]:
        """Round values in sight."""
        if self.logarithmic:
            candidates = [digit * 10.0**power for power in range(-3, 5) for digit in (1, 2, 5)]
        else:
            candidates = [100.0 * step for step in range(20)]
        return [candidate for candidate in candidates if 0 <= (self._place(candidate) - self._from) / self._span <= 1]

    def _place(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Write the panels, row by row."""
    rows = math.ceil(len(panels) / COLUMNS)
    image = Image.new("RGB", (WIDTH * COLUMNS, HEIGHT * rows), "white")
    for number, panel in enumerate(panels):
        tile = Image.new("RGB", (WIDTH, HEIGHT), "white")
        _panel(ImageDraw.Draw(tile), panel)
        image.paste(tile, (number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def _panel(pen: ImageDraw.ImageDraw, panel: Panel) -> None:
    points = [point for curve in panel.curves.values() for point in curve] + list(panel.marks.values())
    x = Scale([point[0] for point in points], LEFT, WIDTH - RIGHT, panel.log_x)
    y = Scale([point[1] for point in points], HEIGHT - BOTTOM, TOP, True)
    _axes(pen, panel, x, y)
    for colour, (label, curve) in zip(COLOURS, panel.curves.items(), strict=False):
        _curve(pen, [(x(entry), y(other)) for entry, other in curve], colour, dots=label == "learned")
    for label, (one, other) in panel.marks.items():
        _mark(pen, x(one), y(other), label)
    _legend(pen, panel)


def _axes(pen: ImageDraw.ImageDraw, panel: Panel, x: Scale, y: Scale) -> None:
    for value in x.ticks():
        pen.line((x(value), TOP, x(value), HEIGHT - BOTTOM), GRID)
        pen.text((x(value), HEIGHT - BOTTOM + 6), f"{value:g}", INK, FONT, anchor="ma")
    for value in y.ticks():
        pen.line((LEFT, y(value), WIDTH - RIGHT, y(value)), GRID)
        pen.text((LEFT - 8, y(value)), f"{value:g}", INK, FONT, anchor="rm")
    pen.rectangle((LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM), outline=INK)
    pen.text((LEFT, TOP - 26), panel.title, INK, TITLE)
    pen.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 28), panel.x_label, INK, FONT, anchor="ma")
    pen.text((WIDTH - RIGHT, TOP - 24), panel.y_label, INK, FONT, anchor="ra")


def _curve(pen: ImageDraw.ImageDraw, pixels: Sequence[Point], colour: str, dots: bool) -> None:
    pen.line(pixels, colour, 2)
    for x, y in pixels if dots else ():
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), colour)


def _mark(pen: ImageDraw.ImageDraw, x: float, y: float, label: str) -> None:
    pen.line((x - 5, y - 5, x + 5, y + 5), INK, 2)
    pen.line((x - 5, y + 5, x + 5, y - 5), INK, 2)
    on_the_left = x > WIDTH * 0.7
    pen.text((x - 9 if on_the_left else x + 9, y - 1), label, INK, FONT, anchor="rm" if on_the_left else "lm")


def _legend(pen: ImageDraw.ImageDraw, panel: Panel) -> None:
    for row, (colour, label) in enumerate(zip(COLOURS, panel.curves, strict=False)):
        height = TOP + 14 + 20 * row
        pen.line((WIDTH - RIGHT - 130, height, WIDTH - RIGHT - 104, height), colour, 3)
        pen.text((WIDTH - RIGHT - 98, height), label, INK, FONT, anchor="lm")
