"""Schedule -> abandoned operations back on the road."""

from imagegate.wiring import upkeep

sweep = upkeep.sweep()


def handler(event: object, context: object) -> dict[str, int]:
    """Restart what stands still, return how many."""
    return {"restarted": sweep()}
