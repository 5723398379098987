"""Schedule -> abandoned operations back on the road."""

from imagegate.deployment import Deployment

sweep = Deployment.from_environment().sweep


def handler(event: object, context: object) -> dict[str, int]:
    """Restart what stands still, return how many."""
    return {"restarted": sweep()}
