"""The faults of the stand-in for Replicate."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, POLLED_JOB, FaultSet

FAILURES = {
    "refuse": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
    "refuse-late": "NSFW content detected. Try running it again, or try a different prompt.",
    "error": "The stand-in failed on request. (E1000)",
    "out-of-memory": "CUDA out of memory. (E1001)",
}
"""What a prediction that fails says, by fault."""

ENDS = {
    "aborted": "The prediction ends as `aborted`: it was not begun in time.",
    "out-of-memory": "The prediction fails for want of memory (E1001).",
    "removed": "The prediction succeeds, but its output has been removed.",
    "fewer": "The prediction has one picture less than was asked for, as when one of them was unsafe.",
}
THROTTLED = {"throttled": "HTTP 429 that names the wait in its text alone: `resets in ~30s`."}
GONE = {"gone": "HTTP 404 for a prediction that there was."}

FAULTS = FaultSet(
    protocol="replicate",
    title="Replicate",
    stages={
        **dict.fromkeys((*ANY_CALL, *PICTURE, *PICTURE_URL), ("submit", "check", "fetch")),
        **dict.fromkeys((*PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys((*JOB, *POLLED_JOB, *ENDS), ("submit",)),
        **dict.fromkeys(THROTTLED, ("submit", "check")),
        **dict.fromkeys(GONE, ("check",)),
    },
    own={**ENDS, **THROTTLED, **GONE},
)
