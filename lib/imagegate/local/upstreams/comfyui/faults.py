"""The faults of the stand-in for ComfyUI."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, POLLED_JOB, FaultSet

FAILURES = {
    "refuse": "NSFW content detected in the prompt",
    "refuse-late": "NSFW content detected in the picture",
    "error": "The stand-in failed on request.",
    "out-of-memory": "Allocation on device 0 would exceed allowed memory. (out of memory)",
}
"""The exceptions that jobs end with; a refusal is that of a node which checks the content."""

ENDS = {
    "out-of-memory": "The job ends with the exception of a full device.",
    "interrupted": "The job is interrupted by another user.",
    "lost": "The job is lost before its end, as when the server restarts: neither queue nor history have it.",
    "preview": "The job has a preview, and saves no picture.",
}
OLD = {"old-server": "`/jobs` is not there, as on servers of 2025: queue and history have to do."}
GRAPH = {
    "no-model": "HTTP 400: the graph names a model that the server does not have.",
    "no-node": "HTTP 400: the graph has a node that the server does not know.",
}
REDIRECT = {"redirect": "The picture is elsewhere, as on Comfy Cloud: HTTP 302."}

FAULTS = FaultSet(
    protocol="comfyui",
    title="ComfyUI",
    stages={
        **dict.fromkeys(ANY_CALL, ("submit", "check", "fetch")),
        **dict.fromkeys((*PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys((*JOB, *POLLED_JOB, *ENDS, *GRAPH), ("submit",)),
        **dict.fromkeys(OLD, ("check",)),
        **dict.fromkeys(REDIRECT, ("submit",)),
    },
    own={**ENDS, **OLD, **GRAPH, **REDIRECT},
)
