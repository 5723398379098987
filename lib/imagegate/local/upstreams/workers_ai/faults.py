"""The faults of the stand-in for Workers AI, and the errors it writes (docs/protocols/workers-ai.md#errors)."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, FaultSet

NO_CAPACITY = "no-capacity"
WITHDRAWN = "withdrawn"

OWN_EFFECTS = {
    NO_CAPACITY: "HTTP 429 with code 3040: no data centre has room.",
    WITHDRAWN: "HTTP 400 with code 5028: the model is no longer offered.",
}

FAULTS = FaultSet(
    protocol="workers_ai",
    title="Workers AI",
    stages=dict.fromkeys((*ANY_CALL, *JOB, *PICTURE, *OWN_EFFECTS), ("submit",)),
    own=OWN_EFFECTS,
)
