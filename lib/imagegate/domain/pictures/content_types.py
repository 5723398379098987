"""Content types of the pictures that are stored."""

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/svg+xml": "svg",
}
FORMATS = {content_type: {"jpg": "jpeg"}.get(name, name) for content_type, name in EXTENSIONS.items()}
