"""What the first bytes of a picture say."""

_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


def content_type_of(body: bytes) -> str | None:
    """The content type of a PNG, JPEG or WebP picture by its first bytes; `None` for anything else."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return next((content_type for magic, content_type in _MAGIC if body.startswith(magic)), None)
