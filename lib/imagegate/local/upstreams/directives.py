"""Directives: words in square brackets in a prompt that set a stand-in's behaviour for that one request.

What they do is here; which of them a stand-in obeys, and at which calls, says the FaultSet of its folder.
`docs/stand-ins.md` holds the tables that are made from both (`make docs`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from imagegate.local.upstreams.drawing.signing import can_sign

Stage = str
"""A kind of call: `submit` asks for a picture, `check` for the state of a job, `fetch` for a picture by its URL, and
`expand` has a language model write the prompt out. A protocol with calls of another kind names them itself."""

ANY_CALL = ("http-429", "http-429-retry-after", "http-500", "http-503", "http-401", "html", "html-502", "hang", "drop")
JOB = ("accepted-then-hang", "quota", "refuse", "refuse-late", "error", "no-image")
POLLED_JOB = ("endless",)
PICTURE = ("black", "truncated", "not-image")
PICTURE_URL = ("wrong-type", "slow", "expired-url", "redirect-private")

COMMON_EFFECTS: Mapping[str, str] = {
    "http-429": "HTTP 429 without `Retry-After`.",
    "http-429-retry-after": "HTTP 429 with `Retry-After: 2`.",
    "http-500": "HTTP 500.",
    "http-503": "HTTP 503.",
    "http-401": "HTTP 401: the key is rejected.",
    "html": "An HTML page with HTTP 200.",
    "html-502": "An HTML page with HTTP 502.",
    "hang": "No answer, and nothing accepted: held until the client goes, at most 15 minutes.",
    "drop": "Connection closed in the middle of the answer; a submission was accepted.",
    "accepted-then-hang": "The submission is accepted and counted, but never answered.",
    "endless": "The job never ends.",
    "quota": "A quota is used up, as this upstream says it.",
    "refuse": "The content is refused at once.",
    "refuse-late": "The content is refused when the picture would have been ready.",
    "error": "The job ends with an internal error.",
    "no-image": "The job succeeds, without a picture.",
    "black": "The picture is uniformly black.",
    "truncated": "The picture's file ends in the middle.",
    "not-image": "An HTML page where the picture's file should be.",
    "wrong-type": "The picture is served as `text/plain`.",
    "slow": "The picture's bytes drip: 1 KB every half second.",
    "expired-url": "The picture's URL answers 404.",
    "redirect-private": "The picture's URL redirects to `http://169.254.169.254/`.",
}
"""Fault to what it does, for those that more than one protocol may have."""

LONGEST_DELAY = 24 * 3600.0
"""Seconds."""

LARGEST_FILE = 64_000_000
"""Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSet:
    """The faults that the stand-ins of one protocol obey."""

    protocol: str
    title: str
    """How the documentation calls the protocol."""
    stages: Mapping[str, tuple[Stage, ...]]
    """Fault to the calls it can apply to; it applies to the first unless the directive says otherwise."""
    own: Mapping[str, str] = field(default_factory=dict)
    """What those faults do that are not among COMMON_EFFECTS."""
    delay_at: Stage = "submit"
    """The call whose work `[delay]` lengthens."""

    def __post_init__(self) -> None:
        if unexplained := self.stages.keys() - COMMON_EFFECTS.keys() - self.own.keys():
            raise ValueError(f"{self.protocol}: what do these faults do? {sorted(unexplained)}")

    @property
    def is_expander(self) -> bool:
        """Whether the stand-in reads only the directives that say `at expand`, and all others pass over those."""
        return self.delay_at == "expand"


@dataclass(frozen=True, slots=True)
class Fault:
    """One `[fault …]` of a prompt: what, at which calls, and how many times (None: always)."""

    name: str
    stage: Stage
    times: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directives:
    """What a prompt asks of a stand-in: seconds of delay (None: the upstream's own), bytes, faults in order."""

    delay: float | None = None
    at_least: int = 0
    faults: tuple[Fault, ...] = ()
    signed: bool = False
    """Whether the picture has a C2PA manifest."""

    def next_fault(self, stage: Stage, call: int) -> str | None:
        """The name of the fault that meets the `call`-th call (from 1) at that stage, or None."""
        due = (fault for fault in self.faults if fault.stage == stage)
        return next((fault.name for fault in due if fault.times is None or call <= fault.times), None)


class DirectiveError(ValueError):
    """A prompt holds a directive this upstream cannot obey; upstreams answer it with their HTTP 400."""


DIRECTIVE = re.compile(r"\[(delay|bytes|fault|signed(?=\]))\b([^\]]*)\]", re.IGNORECASE)
DELAY = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|)(?:\s+at\s+expand)?")
BYTES = re.compile(r"\d+")
FAULT = re.compile(r"([a-z0-9-]+)(?:\s+at\s+([a-z]+))?(?:\s+x(\d+))?")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}
AT_EXPAND = re.compile(r"\[(?:delay|fault)\b[^\]]*\sat\s+expand\b[^\]]*\]", re.IGNORECASE)
"""Directives for the language model; all others are for the upstream that makes the picture."""


def parse_directives(prompt: str, faults: FaultSet) -> Directives:
    """The directives in a prompt; raises DirectiveError for one that is unknown, malformed or not among `faults`.

    A language model and an upstream may both read one prompt: each passes over the other's directives.
    """
    mine = " ".join(AT_EXPAND.findall(prompt)) if faults.is_expander else AT_EXPAND.sub(" ", prompt)
    found = [(word.lower(), rest.strip().lower()) for word, rest in DIRECTIVE.findall(mine)]
    return Directives(
        delay=next((parse_delay(rest) for word, rest in found if word == "delay"), None),
        at_least=next((parse_bytes(rest) for word, rest in found if word == "bytes"), 0),
        faults=tuple(parse_fault(rest, faults) for word, rest in found if word == "fault"),
        signed=any(word == "signed" and allow_signed() for word, _ in found),
    )


def parse_delay(text: str) -> float:
    """Seconds from `70s`, `500ms`, `2m` or `70`."""
    match = DELAY.fullmatch(text)
    if not match:
        raise DirectiveError(f"[delay {text}] is not a time; write [delay 500ms], [delay 70s] or [delay 2m]")
    return min(float(match[1]) * SECONDS[match[2]], LONGEST_DELAY)


def parse_bytes(text: str) -> int:
    """A number of bytes."""
    if not BYTES.fullmatch(text) or int(text) > LARGEST_FILE:
        raise DirectiveError(f"[bytes {text}] is not a number of bytes up to {LARGEST_FILE}; write [bytes 1500000]")
    return int(text)


def allow_signed() -> bool:
    """True, where a stand-in can sign."""
    if not can_sign():
        raise DirectiveError("[signed] needs the package c2pa-python; install it with: make c2pa")
    return True


def parse_fault(text: str, faults: FaultSet) -> Fault:
    """The fault from `NAME`, `NAME xN`, `NAME at STAGE` or `NAME at STAGE xN`."""
    match = FAULT.fullmatch(text)
    stages = faults.stages.get(match[1], ()) if match else ()
    if not match or not stages:
        known = ", ".join(faults.stages)
        raise DirectiveError(f"[fault {text}] is not known to the stand-in for {faults.protocol}; known: {known}")
    stage = match[2] or stages[0]
    if stage not in stages:
        raise DirectiveError(f"[fault {text}]: for {faults.protocol}, {match[1]} applies only at {', '.join(stages)}")
    return Fault(match[1], stage, int(match[3]) if match[3] else None)
