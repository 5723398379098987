"""The faults of the stand-ins that speak OpenAI's Images API."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, FaultSet

FAULTS = FaultSet(
    protocol="openai",
    title="OpenAI Images",
    stages={
        **dict.fromkeys((*ANY_CALL, *PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys((*JOB, "bad-partial"), ("submit",)),
    },
    own={"bad-partial": "The partial pictures of a stream are no base64."},
)
