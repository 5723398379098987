"""The faults of the stand-in for a language model."""

from imagegate.local.upstreams.directives import ANY_CALL, FaultSet

OWN = {
    "excuse": "The language model declines in so many words, with HTTP 200.",
    "chatty": "Not a failure: the prompt comes with a preamble, quotation marks and a footnote.",
    "wordy": "Not a failure: the prompt is far longer than was asked for.",
    "cut-short": "Not a failure: the answer ends in the middle of a sentence, out of tokens.",
    "no-text": "An answer without a text.",
}

FAULTS = FaultSet(
    protocol="chat",
    title="language model",
    stages=dict.fromkeys((*ANY_CALL, "refuse", *OWN), ("expand",)),
    own=OWN,
    delay_at="expand",
)
