"""The faults of the stand-in for YandexART; errors.py has their answers."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, POLLED_JOB, FaultSet

JOB_EFFECTS = {
    "refuse-in-russian": "The content is refused at once, in the words of 2026.",
    "quota-gauge": "Too many jobs at once: HTTP 429 with the other quota's text.",
    "error-early": "The job shows its error while `done` is still false, then fails with it.",
}
CALL_EFFECTS = {
    "grpc-1": "HTTP 499, CANCELLED.",
    "grpc-4": "HTTP 504, DEADLINE_EXCEEDED.",
    "grpc-5": "HTTP 404, NOT_FOUND; at `check` as after three days.",
    "grpc-6": "HTTP 409, ALREADY_EXISTS.",
    "grpc-7": "HTTP 403, PERMISSION_DENIED, as for the withdrawn model.",
    "grpc-10": "HTTP 409, ABORTED.",
    "grpc-12": "HTTP 501, UNIMPLEMENTED.",
    "grpc-16": "HTTP 401, UNAUTHENTICATED, in the body of the API design guide.",
}

FAULTS = FaultSet(
    protocol="yandexart",
    title="YandexART",
    stages={
        **dict.fromkeys((*ANY_CALL, *CALL_EFFECTS), ("submit", "check")),
        **dict.fromkeys((*JOB, *POLLED_JOB, *PICTURE, *JOB_EFFECTS), ("submit",)),
    },
    own={**JOB_EFFECTS, **CALL_EFFECTS},
)
