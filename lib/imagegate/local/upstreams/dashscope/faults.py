"""The faults of the stand-ins for DashScope."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, POLLED_JOB, FaultSet

INSPECTED = ("DataInspectionFailed", "Input data may contain inappropriate content.")
CALLS: dict[str, tuple[int, str, str]] = {
    "refuse": (400, *INSPECTED),
    "quota": (400, "Arrearage", "Access denied, please make sure your account is in good standing."),
    "error-in-200": (200, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
    "no-model": (404, "ModelNotFound", "Model can not be found."),
    "denied": (403, "Model.AccessDenied", "Model access denied."),
}
"""Faults of a submission that is refused: HTTP status, code, message."""

FAILURES: dict[str, tuple[str, str]] = {
    "refuse-late": ("DataInspectionFailed", "Output data may contain inappropriate content."),
    "error": ("InternalError.Algo", "The stand-in failed on request."),
}
"""How a generation ends that fails."""

CALL_EFFECTS = {
    "error-in-200": "HTTP 200 with an error in it: throttled.",
    "no-model": "HTTP 404, ModelNotFound.",
    "denied": "HTTP 403, Model.AccessDenied.",
}
FEWER = {"fewer": "One picture less than was asked for; in its place stands the code of a refusal."}
FORGOTTEN = {"forgotten": "The task is UNKNOWN, as after 24 hours."}

FAULTS = FaultSet(
    protocol="dashscope",
    title="DashScope",
    stages={
        **dict.fromkeys((*ANY_CALL, *PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys((*JOB, *CALL_EFFECTS, *FEWER), ("submit",)),
    },
    own={**CALL_EFFECTS, **FEWER},
)
TASK_FAULTS = FaultSet(
    protocol="dashscope-tasks",
    title="DashScope tasks",
    stages={
        **dict.fromkeys(ANY_CALL, ("submit", "check", "fetch")),
        **dict.fromkeys((*PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys((*JOB, *POLLED_JOB, *CALL_EFFECTS, *FEWER), ("submit",)),
        **dict.fromkeys(FORGOTTEN, ("check",)),
    },
    own={**CALL_EFFECTS, **FEWER, **FORGOTTEN},
)
