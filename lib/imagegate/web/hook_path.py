"""Which requests show an upstream's token in place of a key."""

from imagegate.domain.operation.hook import HOOK_PATH


def is_hook(method: str, path: str) -> bool:
    """True for the hint of an upstream."""
    return method == "POST" and path.startswith(f"{HOOK_PATH}/")
