"""The faults of the stand-in for Black Forest Labs."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, POLLED_JOB, FaultSet

STATUSES = {
    "refuse": "Request Moderated",
    "refuse-late": "Content Moderated",
    "error": "Error",
    "failed": "Failed",
}
"""How a task ends, by fault."""

ENDS = {"failed": "The task ends as `Failed`."}
LOST = {"task-not-found": "The task is not found: that status, with HTTP 200."}
BUSY = {"busy": "HTTP 429 in BFL's other error shape, with `retry_after` in the body."}
FOREIGN = {"foreign-address": "The address to ask at is at another host."}

FAULTS = FaultSet(
    protocol="bfl",
    title="Black Forest Labs",
    stages={
        **dict.fromkeys(ANY_CALL, ("submit", "check", "fetch")),
        **dict.fromkeys((*PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys((*JOB, *POLLED_JOB, *ENDS, *FOREIGN), ("submit",)),
        **dict.fromkeys(BUSY, ("submit", "check")),
        **dict.fromkeys(LOST, ("check",)),
    },
    own={**ENDS, **LOST, **BUSY, **FOREIGN},
)
