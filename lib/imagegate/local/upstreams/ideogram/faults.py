"""The faults of the stand-in for Ideogram."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, POLLED_JOB, FaultSet

UNSAFE = "unsafe-image"
FEWER = "fewer-images"
GONE = "gone-generation"

OWN_EFFECTS = {
    UNSAFE: "The generation completes, and its picture failed the safety check: it has no URL, and is charged.",
    FEWER: "One picture less than was asked for has a URL.",
    GONE: "HTTP 404 for a generation that there was.",
}

FAULTS = FaultSet(
    protocol="ideogram",
    title="Ideogram",
    stages={
        **dict.fromkeys(ANY_CALL, ("submit", "check", "fetch")),
        **dict.fromkeys((*JOB, *POLLED_JOB, UNSAFE, FEWER), ("submit",)),
        **dict.fromkeys((*PICTURE, *PICTURE_URL), ("submit", "fetch")),
        GONE: ("check",),
    },
    own=OWN_EFFECTS,
)
