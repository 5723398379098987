"""The package `webuiapi`: one call of `txt2img`."""

import io

from PIL import Image
from run import Asked, run
from webuiapi import WebUIApi


def generate(asked: Asked) -> list[bytes]:
    """The pictures, which the package has decoded; `options` are further arguments."""
    result = WebUIApi(baseurl=asked["base_url"]).txt2img(prompt=asked["prompt"], **asked.get("options", {}))
    return [encoded(image) for image in result.images]


def encoded(image: Image.Image) -> bytes:
    """As PNG."""
    body = io.BytesIO()
    image.save(body, "PNG")
    return body.getvalue()


run(generate)
