"""The faults of the stand-in for GigaChat."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, PICTURE_URL, FaultSet

OWN_EFFECTS = {"expired-token": "HTTP 401: the token has expired, and is no longer taken."}

FAULTS = FaultSet(
    protocol="gigachat",
    title="GigaChat",
    stages={
        **dict.fromkeys((*ANY_CALL, *PICTURE, *PICTURE_URL), ("submit", "fetch")),
        **dict.fromkeys(JOB, ("submit",)),
        # At `read` the token is looked at, before the file is: of two counts, each has its own.
        "expired-token": ("submit", "read"),
    },
    own=OWN_EFFECTS,
)
