"""The faults of the stand-in for Runware."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, POLLED_JOB, FaultSet

REFUSAL = ("contentPolicyViolation", "The prompt was refused by the stand-in's content policy.")
FAILURES = {
    "refuse-late": REFUSAL,
    "error": ("inferenceError", "The stand-in failed on request."),
    "provider-busy": ("providerRateLimitExceeded", "The provider behind the stand-in is throttled."),
    "provider-timeout": ("providerTimeout", "The provider behind the stand-in took too long."),
}
"""How a task ends that fails: code and message, by fault."""

ENDS = {
    "provider-busy": "The task fails, as the provider behind it was throttled (`providerRateLimitExceeded`).",
    "provider-timeout": "The task fails, as the provider behind it took too long (`providerTimeout`).",
    "fewer": "The task has one picture less than was asked for, and an error for that one.",
}
GONE = {"gone": "The task is not known, though it was accepted (`taskNotFound`)."}
NO_MODEL = {"no-model": "The model is not known (`modelNotFound`)."}

FAULTS = FaultSet(
    protocol="runware",
    title="Runware",
    stages={
        **dict.fromkeys(ANY_CALL, ("submit", "check")),
        **dict.fromkeys((*JOB, *POLLED_JOB, *PICTURE, *ENDS, *NO_MODEL), ("submit",)),
        **dict.fromkeys(GONE, ("check",)),
    },
    own={**ENDS, **GONE, **NO_MODEL},
)
