"""The faults of the stand-ins that speak Gemini's `generateContent`."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, FaultSet

RETRY_DELAY = "retry-delay"

FAULTS = FaultSet(
    protocol="gemini",
    title="Gemini",
    stages=dict.fromkeys((*ANY_CALL, *JOB, *PICTURE, RETRY_DELAY), ("submit",)),
    own={RETRY_DELAY: "HTTP 429 whose body says to wait 34 seconds, without `Retry-After`."},
)
