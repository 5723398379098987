"""The faults of the stand-in for Amazon Bedrock."""

from imagegate.local.upstreams.directives import ANY_CALL, JOB, PICTURE, FaultSet

NO_SUBSCRIPTION = "no-subscription"
FILTERED_WORDS = "filtered-words"
MODEL_ERROR = "model-error"
NOT_READY = "not-ready"

FAULTS = FaultSet(
    protocol="bedrock",
    title="Amazon Bedrock",
    stages=dict.fromkeys(
        (*ANY_CALL, *JOB, *PICTURE, NO_SUBSCRIPTION, FILTERED_WORDS, MODEL_ERROR, NOT_READY), ("submit",)
    ),
    own={
        NO_SUBSCRIPTION: "HTTP 403: the role lacks the Marketplace's rights.",
        FILTERED_WORDS: "The prompt is refused as a ValidationException.",
        MODEL_ERROR: "HTTP 424: the model failed.",
        NOT_READY: "HTTP 429: the model is being loaded.",
    },
)
