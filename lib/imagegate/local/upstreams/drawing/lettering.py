"""Writes the caption that marks a stand-in's picture, in the one font Pillow carries.

That font (Aileron) has little beyond ASCII, and imagegate's Yandex users write Russian: Cyrillic is spelled in Latin
letters, accents are dropped, and what remains unknown becomes `*`.
"""

import unicodedata
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

SMALLEST, LARGEST = 6, 40
"""Bounds of the letters' height in pixels."""

MARGIN = 0.03
"""Space around the caption, as a share of the picture's shorter side."""

LATIN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфцыэ", "abvgdezijklmnoprstufcye", strict=True))
    | {"ё": "yo", "ж": "zh", "\u0445": "kh", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}
    | {"«": '"', "»": '"', "—": "-", "–": "-", "…": "...", "’": "'"}  # noqa: RUF001 - what people do type
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def write_caption(picture: Image.Image, lines: list[str]) -> None:
    """Write the lines on a dark band at the picture's foot; as many as fit in its lower half, the first one always."""
    width, height = picture.size
    margin = max(1, round(MARGIN * min(width, height)))
    font = font_fitting(lines[0], width - 2 * margin, max(12, min(width, height) // 22))
    step = line_height(font)
    visible = lines[: max(1, (height // 2 - 2 * margin) // step)]
    top = height - step * len(visible) - 2 * margin
    pen = ImageDraw.Draw(picture, "RGBA")
    pen.rectangle((0, top, width, height), fill=(10, 10, 20, 150))
    for row, line in enumerate(visible):
        text = shorten(readable(line), font, width - 2 * margin)
        pen.text((margin, top + margin + row * step), text, font=font, fill=(255, 255, 255))


def font_fitting(text: str, width: int, height: int) -> Font:
    """The largest allowed font in which the text fits; the smallest one when none does."""
    for size in range(min(LARGEST, height), SMALLEST - 1, -1):
        if font_of(size).getlength(text) <= width:
            return font_of(size)
    return font_of(SMALLEST)


@lru_cache(maxsize=LARGEST)
def font_of(size: int) -> Font:
    """Pillow's own font, loaded once per size: loading takes longer than drawing."""
    return ImageFont.load_default(size=size)


def line_height(font: Font) -> int:
    """Pixels from one line to the next."""
    return round(font.getbbox("Ag")[3] * 1.3)


def readable(text: str) -> str:
    """The text in printable ASCII."""
    spelled = "".join(transliterate(letter) for letter in " ".join(text.split()))
    plain = unicodedata.normalize("NFKD", spelled)
    return "".join(letter if letter.isascii() else "*" for letter in plain if not unicodedata.combining(letter))


def transliterate(letter: str) -> str:
    """One letter in Latin spelling, capitals kept."""
    latin = letter.lower().translate(LATIN)
    return latin.capitalize() if letter.isupper() else latin


def shorten(text: str, font: Font, width: int) -> str:
    """The text, or its beginning and an ellipsis, in at most `width` pixels."""
    if font.getlength(text) <= width:
        return text
    kept = len(text)
    while kept and font.getlength(text[:kept] + "...") > width:
        kept -= max(1, kept // 16)
    return text[:kept] + "..."
