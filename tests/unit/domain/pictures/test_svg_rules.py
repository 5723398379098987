"""SVG pictures: what is taken, and what is refused."""

import random

import pytest

from imagegate.domain.pictures.container import DamagedPicture
from imagegate.domain.pictures.svg_rules import UnsafePicture, inspect_svg

XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def svg(content: str, attributes: str = 'width="10" height="20"', before: str = "") -> bytes:
    return f'{before}<svg xmlns="http://www.w3.org/2000/svg" {XLINK} {attributes}>{content}</svg>'.encode()


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="10" height="20"', (10, 20)),
        ('width="10.6px" height="0.2px" viewBox="0 0 5 5"', (11, 1)),
        ('viewBox="0 0 1024 768"', (1024, 768)),
        ('width="100%" height="100%" viewBox="0,0,30,40"', (30, 40)),
        ("", (0, 0)),
        ('viewBox="nonsense"', (0, 0)),
        ('width="-5" height="1e9"', (0, 0)),
    ],
)
def test_the_size_is_what_the_root_says(attributes: str, size: tuple[int, int]) -> None:
    assert inspect_svg(svg("<path d='M0 0'/>", attributes)) == size


TAKEN = [
    svg('<defs><linearGradient id="a"/></defs><rect fill="url(#a)" style="fill:url(#a);stroke:red"/>'),
    svg("<style>.a { fill: #fff; filter: url('#f') }</style><use href='#b'/><use xlink:href='#b'/>"),
    svg('<image href="data:image/png;base64,iVBORw0KGgo="/>'),
    svg('<animate attributeName="r" from="1" to="5" values="1;5"/><text>on a script: javascript</text>'),
    svg(
        '<metadata><r:RDF xmlns:r="urn:r#"><w:Work xmlns:w="urn:w#" r:about="http://example.com/x"/></r:RDF></metadata>'
    ),
    svg("<title>Drawn &amp; coloured</title>", before='<?xml version="1.0" encoding="UTF-8"?><!-- made -->'),
]


@pytest.mark.parametrize("body", TAKEN)
def test_drawings_are_taken(body: bytes) -> None:
    assert inspect_svg(body) == (10, 20)


HTML = 'xmlns="http://www.w3.org/1999/xhtml"'
REFUSED = [
    svg("<script>alert(1)</script>"),
    svg("<script href='#a'/>"),
    svg("<SCRIPT/>"),
    svg('<a:script xmlns:a="urn:other">alert(1)</a:script>'),
    svg('<rect onclick="alert(1)"/>'),
    svg('<rect OnLoad="alert(1)"/>'),
    svg("<path/>", 'onload="alert(1)"'),
    svg("<foreignObject><p/></foreignObject>"),
    svg(f"<b {HTML}/>"),
    svg(f"<iframe {HTML} src='x'/>"),
    svg('<a href="javascript:alert(1)"><text>x</text></a>'),
    svg('<a href=" java&#10;script:alert(1)"><text>x</text></a>'),
    svg('<a xlink:href="https://example.com/"><text>x</text></a>'),
    svg('<image href="https://example.com/x.png"/>'),
    svg('<image href="//example.com/x.png"/>'),
    svg('<image href="x.png"/>'),
    svg('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>'),
    svg('<image href="data:text/html,x"/>'),
    svg('<use href="https://example.com/x.svg#a"/>'),
    svg('<set attributeName="href" to="javascript:alert(1)"/>'),
    svg('<set attributeName="xlink:href" to="#a"/>'),
    svg('<animate attributeName="onclick" to="alert(1)"/>'),
    svg('<animate attributeName="x" values="a;javascript:alert(1)" to="javascript:alert(1)"/>'),
    svg("<style>@import 'https://example.com/x.css';</style>"),
    svg("<style>a { fill: url(https://example.com/x) }</style>"),
    svg("<style>a { fill: \\75rl(//x) }</style>"),
    svg('<rect style="fill: url(//example.com/x)"/>'),
    svg('<rect style="behavior: x"/>'),
    svg("<rect fill=\"url( 'https://example.com/x')\"/>"),
    svg("<metadata><script/></metadata>"),
    svg("<path/>", before='<?xml-stylesheet href="https://example.com/x.css"?>'),
    svg("<path/>", before='<!DOCTYPE svg [<!ENTITY a "b">]>'),
    svg("<path/>", before='<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">'),
    svg("<path/>", before='<?xml version="1.0" encoding="UTF-7"?>'),
    svg("<g>" * 300 + "</g>" * 300),
    svg("<g/>" * 200_001),
    svg("<path/>", 'width="1000000" height="1"'),
    svg("<path/>" + " " * 8 * 1024 * 1024),
]


@pytest.mark.parametrize("body", REFUSED, ids=[str(at) for at in range(len(REFUSED))])
def test_what_runs_loads_or_explodes_is_refused(body: bytes) -> None:
    with pytest.raises(UnsafePicture):
        inspect_svg(body)


@pytest.mark.parametrize(
    "body", [b"", b"<svg", b"<svg/>", b"<html/>", TAKEN[0][:-3], b"\xff" + TAKEN[0], TAKEN[0] + b"x"]
)
def test_what_is_no_svg(body: bytes) -> None:
    with pytest.raises(DamagedPicture):
        inspect_svg(body)


def test_damaged_drawings_are_no_accident() -> None:
    chance = random.Random(4)
    for _ in range(2000):
        body = bytearray(chance.choice(TAKEN + REFUSED[:30]))
        for _ in range(chance.randint(1, 4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        try:
            inspect_svg(bytes(body))
        except (UnsafePicture, DamagedPicture):
            continue
