"""The faults of the stand-in for FLUX.1-schnell Spaces."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, POLLED_JOB, FaultSet

FAULTS = FaultSet(
    protocol="gradio",
    title="Gradio",
    stages={
        **dict.fromkeys(ANY_CALL, ("submit", "check", "fetch")),
        "drop": ("check", "submit", "fetch"),
        **dict.fromkeys((*JOB, *POLLED_JOB), ("submit",)),
        "chopped": ("check",),
        **dict.fromkeys((*PICTURE, *PICTURE_URL), ("submit", "fetch")),
    },
    own={"chopped": "Not a failure: the event stream with CRLF lines, in pieces of seven bytes."},
)
