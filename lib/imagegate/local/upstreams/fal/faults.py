"""The faults of the stand-in for fal's queue. A completed request's result is fetched at the stage `result`."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, POLLED_JOB, FaultSet

DETAILS = {
    "refuse": ("content_policy_violation", "The content could not be processed because it was flagged."),
    "refuse-late": ("content_policy_violation", "The content could not be processed because it was flagged."),
    "too-small": ("image_too_small", "Image dimensions are too small."),
    "downstream": ("downstream_service_error", "Downstream service error."),
}
"""Type and message of the HTTP 422 that such a request's result is."""

ERRORS = {
    "error": ("internal_error", "The stand-in failed on request."),
    "too-late": ("request_timeout", "Request timed out."),
}
"""`error_type` and `error` of such a request's status."""

ENDS = {
    "too-small": "The result is a 422 of the caller's making (`image_too_small`).",
    "downstream": "The result is a 422 of fal's making (`downstream_service_error`).",
    "too-late": "The request is completed with the error type `request_timeout`.",
    "unsafe": "The result has a black picture, flagged in `has_nsfw_concepts`.",
    "runner-lost": "The result is a 503 with the error type `runner_disconnected`.",
}
LOCKED = {
    "locked": "HTTP 403: the user is locked for want of credit.",
    "not-enabled": "HTTP 402 of Hugging Face's router: it does not pay this provider for this account.",
}
GONE = {"gone": "HTTP 404 for a request that there was."}
GATEWAY = {"http-504": "HTTP 504 of the gateway, which says nothing about the request."}

FAULTS = FaultSet(
    protocol="fal",
    title="fal",
    stages={
        **dict.fromkeys(ANY_CALL, ("submit", "check", "result", "fetch")),
        **dict.fromkeys((*PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys((*JOB, *POLLED_JOB, *ENDS, *LOCKED), ("submit",)),
        **dict.fromkeys(GATEWAY, ("result", "check")),
        **dict.fromkeys(GONE, ("check", "result")),
    },
    own={**ENDS, **LOCKED, **GATEWAY, **GONE},
)
