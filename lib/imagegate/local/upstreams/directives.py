"""Switches: words in a prompt that set a stand-in's behaviour for that one request.

`ROWS` is the only list of them; `docs/stand-ins.md` holds the table made from it
(`python -m imagegate.local.upstreams.directives` prints it).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["gradio", "yandexart", "openai", "chat"]
"""What an upstream speaks; the columns of the table."""

Stage = Literal["submit", "check", "fetch", "expand"]
"""The kinds of calls: the POST that asks for a picture, the GET that asks for its state, the GET of its URL, and
the POST to a language model that is to write the prompt out."""

Stages = Mapping[Protocol, tuple[Stage, ...]]
"""At which calls a switch can strike, per protocol; the first is where it strikes unless the switch says otherwise."""

EVERY_CALL: Stages = {
    "gradio": ("submit", "check", "fetch"),
    "yandexart": ("submit", "check"),
    "openai": ("submit", "fetch"),
    "chat": ("expand",),
}
STREAM_FIRST: Stages = {**EVERY_CALL, "gradio": ("check", "submit", "fetch")}
TEXT: Stages = {"chat": ("expand",)}
JOB: Stages = {"gradio": ("submit",), "yandexart": ("submit",), "openai": ("submit",)}
WATCHED_JOB: Stages = {"gradio": ("submit",), "yandexart": ("submit",)}
STREAM: Stages = {"gradio": ("check",)}
PICTURE: Stages = {"gradio": ("submit", "fetch"), "yandexart": ("submit",), "openai": ("submit", "fetch")}
YANDEX: Stages = {"yandexart": ("submit", "check")}
YANDEX_JOB: Stages = {"yandexart": ("submit",)}
PICTURE_URL: Stages = {"gradio": ("submit", "fetch"), "openai": ("submit", "fetch")}

LONGEST_DELAY = 24 * 3600.0
"""Seconds."""

LARGEST_FILE = 64_000_000
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One switch as the docs show it and the stand-ins obey it."""

    name: str
    syntax: str
    effect: str
    stages: Stages

    @property
    def is_fault(self) -> bool:
        """Whether it is written `[fault NAME]`."""
        return self.syntax.startswith("[fault ")


def fault_row(name: str, stages: Stages, effect: str) -> Row:
    """A row written `[fault NAME]`."""
    return Row(name, f"[fault {name}]", effect, stages)


ROWS: tuple[Row, ...] = (
    Row("delay", "[delay 70s]", "The picture takes that long (`500ms`, `70s`, `2m`).", {**JOB, **TEXT}),
    Row("bytes", "[bytes 1500000]", "The picture's file has at least that many bytes.", JOB),
    fault_row("http-429", EVERY_CALL, "HTTP 429 without `Retry-After`."),
    fault_row("http-429-retry-after", EVERY_CALL, "HTTP 429 with `Retry-After: 2`."),
    fault_row("http-500", EVERY_CALL, "HTTP 500."),
    fault_row("http-503", EVERY_CALL, "HTTP 503."),
    fault_row("html", EVERY_CALL, "An HTML page with HTTP 200."),
    fault_row("html-502", EVERY_CALL, "An HTML page with HTTP 502."),
    fault_row("hang", EVERY_CALL, "No answer, and nothing accepted: held until the client goes, at most 15 minutes."),
    fault_row("drop", STREAM_FIRST, "Connection closed in the middle of the answer; a submission was accepted."),
    fault_row("accepted-then-hang", JOB, "The submission is accepted and counted, but never answered."),
    fault_row("endless", WATCHED_JOB, "The job never ends: heartbeats, or `done: false`, for ever."),
    fault_row("chopped", STREAM, "Not a failure: the event stream with CRLF lines, in pieces of seven bytes."),
    fault_row("quota", JOB, "Quota used up: ZeroGPU's text, retry in 5 s (Gradio 4: `null`); HTTP 429 elsewhere."),
    fault_row("refuse", {**JOB, **TEXT}, "The content is refused at once."),
    fault_row("refuse-late", JOB, "The content is refused when the picture would have been ready."),
    fault_row("excuse", TEXT, "The language model declines in so many words, with HTTP 200."),
    fault_row("chatty", TEXT, "Not a failure: the prompt comes with a preamble, quotation marks and a footnote."),
    fault_row("wordy", TEXT, "Not a failure: the prompt is far longer than was asked for."),
    fault_row("cut-short", TEXT, "Not a failure: the answer ends in the middle of a sentence, out of tokens."),
    fault_row("no-text", TEXT, "An answer without a text."),
    fault_row("error", JOB, "The job ends with an internal error."),
    fault_row("no-image", JOB, "The job succeeds, without a picture."),
    fault_row("black", PICTURE, "The picture is uniformly black."),
    fault_row("truncated", PICTURE, "The picture's file ends in the middle."),
    fault_row("not-image", PICTURE, "An HTML page where the picture's file should be."),
    fault_row("wrong-type", PICTURE_URL, "The picture is served as `text/plain`."),
    fault_row("slow", PICTURE_URL, "The picture's bytes drip: 1 KB every half second."),
    fault_row("expired-url", PICTURE_URL, "The picture's URL answers 404."),
    fault_row("redirect-private", PICTURE_URL, "The picture's URL redirects to `http://169.254.169.254/`."),
    fault_row("refuse-in-russian", YANDEX_JOB, "The content is refused at once, in the words of 2026."),
    fault_row("quota-gauge", YANDEX_JOB, "Too many jobs at once: HTTP 429 with the other quota's text."),
    fault_row("error-early", YANDEX_JOB, "The job shows its error while `done` is still false, then fails with it."),
    fault_row("grpc-1", YANDEX, "HTTP 499, CANCELLED."),
    fault_row("grpc-4", YANDEX, "HTTP 504, DEADLINE_EXCEEDED."),
    fault_row("grpc-5", YANDEX, "HTTP 404, NOT_FOUND; at `check` as after three days."),
    fault_row("grpc-6", YANDEX, "HTTP 409, ALREADY_EXISTS."),
    fault_row("grpc-7", YANDEX, "HTTP 403, PERMISSION_DENIED, as for the withdrawn model."),
    fault_row("grpc-10", YANDEX, "HTTP 409, ABORTED."),
    fault_row("grpc-12", YANDEX, "HTTP 501, UNIMPLEMENTED."),
    fault_row("grpc-16", YANDEX, "HTTP 401, UNAUTHENTICATED, in the body of the API design guide."),
)

FAULTS: dict[str, Row] = {row.name: row for row in ROWS if row.is_fault}


@dataclass(frozen=True, slots=True)
class Fault:
    """One `[fault …]` of a prompt: what, at which calls, and how many times (None: always)."""

    name: str
    stage: Stage
    times: int | None


@dataclass(frozen=True, slots=True)
class Directives:
    """What a prompt asks of a stand-in: seconds of delay (None: the upstream's own), bytes, faults in order."""

    delay: float | None = None
    at_least: int = 0
    faults: tuple[Fault, ...] = ()

    def next_fault(self, stage: Stage, call: int) -> str | None:
        """The name of the fault that meets the `call`-th call (from 1) at that stage, or None."""
        due = (fault for fault in self.faults if fault.stage == stage)
        return next((fault.name for fault in due if fault.times is None or call <= fault.times), None)


class DirectiveError(ValueError):
    """A prompt holds a switch this upstream cannot honour; upstreams answer it with their HTTP 400."""


DIRECTIVE = re.compile(r"\[(delay|bytes|fault)\b([^\]]*)\]", re.IGNORECASE)
DELAY = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|)(?:\s+at\s+expand)?")
BYTES = re.compile(r"\d+")
FAULT = re.compile(r"([a-z0-9-]+)(?:\s+at\s+(submit|check|fetch|expand))?(?:\s+x(\d+))?")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}
AT_EXPAND = re.compile(r"\[(?:delay|fault)\b[^\]]*\sat\s+expand\b[^\]]*\]", re.IGNORECASE)
"""Switches for the language model; all others are for whoever makes the picture."""


def parse_directives(prompt: str, protocol: Protocol) -> Directives:
    """The switches in a prompt; raises DirectiveError for one that is unknown, malformed or not for this protocol.

    Two stand-ins may come to read one prompt: each passes over what is meant for the other.
    """
    mine = " ".join(AT_EXPAND.findall(prompt)) if protocol == "chat" else AT_EXPAND.sub(" ", prompt)
    found = [(word.lower(), rest.strip().lower()) for word, rest in DIRECTIVE.findall(mine)]
    return Directives(
        delay=next((read_delay(rest) for word, rest in found if word == "delay"), None),
        at_least=next((read_bytes(rest) for word, rest in found if word == "bytes"), 0),
        faults=tuple(read_fault(rest, protocol) for word, rest in found if word == "fault"),
    )


def read_delay(text: str) -> float:
    """Seconds from `70s`, `500ms`, `2m` or `70`."""
    match = DELAY.fullmatch(text)
    if not match:
        raise DirectiveError(f"[delay {text}] is not a time; write [delay 500ms], [delay 70s] or [delay 2m]")
    return min(float(match[1]) * SECONDS[match[2]], LONGEST_DELAY)


def read_bytes(text: str) -> int:
    """A number of bytes."""
    if not BYTES.fullmatch(text) or int(text) > LARGEST_FILE:
        raise DirectiveError(f"[bytes {text}] is not a number of bytes up to {LARGEST_FILE}; write [bytes 1500000]")
    return int(text)


def read_fault(text: str, protocol: Protocol) -> Fault:
    """The fault from `NAME`, `NAME xN`, `NAME at STAGE` or `NAME at STAGE xN`."""
    match = FAULT.fullmatch(text)
    row = FAULTS.get(match[1]) if match else None
    stages = row.stages.get(protocol, ()) if row else ()
    if not match or not stages:
        known = ", ".join(name for name, each in FAULTS.items() if protocol in each.stages)
        raise DirectiveError(f"[fault {text}] is not known to the stand-in for {protocol}; known: {known}")
    stage = next((each for each in stages if each == match[2]), None) if match[2] else stages[0]
    if stage is None:
        raise DirectiveError(f"[fault {text}]: for {protocol}, {match[1]} can strike at {', '.join(stages)}")
    return Fault(match[1], stage, int(match[3]) if match[3] else None)


def describe_directives() -> str:
    """The table of all switches in Markdown."""
    head = ["| switch | what it does | Gradio | YandexART | OpenAI | language model |", "|---|---|---|---|---|---|"]
    return "\n".join(head + [describe_row(row) for row in ROWS])


def describe_row(row: Row) -> str:
    """One line of the table; the cells name the calls a switch can strike, its default first."""
    protocols: tuple[Protocol, ...] = ("gradio", "yandexart", "openai", "chat")
    cells = [", ".join(row.stages.get(protocol, ())) or "no" for protocol in protocols]
    return f"| `{row.syntax}` | {row.effect} | {' | '.join(cells)} |"


if __name__ == "__main__":
    print(describe_directives())
