"""The faults of the stand-in for AUTOMATIC1111, which has neither a filter nor a quota."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, FaultSet

OUT_OF_MEMORY = "out-of-memory"
OTHER_CHECKPOINT = "other-checkpoint"
CUT = "http-524"
WITH_GRID = "with-grid"

OWN_EFFECTS = {
    OUT_OF_MEMORY: "HTTP 500 with the error `OutOfMemoryError`.",
    OTHER_CHECKPOINT: "The checkpoint asked for is passed over in silence; another one draws.",
    CUT: "HTTP 524: a proxy before the server cuts the connection while the picture is drawn.",
    WITH_GRID: "Not a failure: a grid comes before the picture.",
}

FAULTS = FaultSet(
    protocol="sdapi",
    title="AUTOMATIC1111",
    stages={
        fault: ("submit",)
        for fault in (*ANY_CALL, *JOB, *PICTURE, *OWN_EFFECTS)
        if fault not in ("quota", "refuse", "refuse-late")
    },
    own=OWN_EFFECTS,
)
