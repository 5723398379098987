"""The page of the stand-in upstreams: which there are, and how to make them slow or faulty."""

from imagegate.cli.markdown import table
from imagegate.local.upstreams.app import STAND_INS
from imagegate.local.upstreams.directives import COMMON_EFFECTS, FaultSet, Stage
from imagegate.providers import registry

_INTRODUCTION = """# Stand-in upstreams

A stand-in plays an upstream: it speaks the real protocol, and draws a landscape from prompt and seed that is marked
"imagegate stand-in". `make run` starts the stand-ins beside the embedded stack, all on loopback; they need no key and
no internet, and accept any key where the real service wants one. An edited picture shows the pictures that came in;
with a mask, the landscape shows where the mask is transparent. A language model that [expands prompts](expansion.md) is
there too; it adds the same words to every prompt.

They listen on a port of their own, 1339 or what `.imagegate/ports.json` says.
`GET http://127.0.0.1:1339/_standin/submissions` shows what they have accepted (`?prompt=` and `?upstream=` narrow it;
`DELETE` clears it and restarts every `xN`), and `/_standin/calls?prompt=…` how often a faulty prompt was sent, refused
requests included. Both are lost, as are jobs under way, when the stand-ins [stop](local.md#stopping). In tests,
`serving(build_app(latency_seconds=0.1))` of `imagegate.local.upstreams` gives their URL.

## Which there are

The last column says what proves that a stand-in speaks like its original: on a **real server** the same tests pass; an
**official** or **third-party client**, which we did not write, works with it (`make test-vendors`: a plain call, a
refusal, a throttle, a slow job); **recordings** are requests and answers as documentation shows them.

`POST /v1/images/generations` with a row's model and provider has its stand-in make the picture:
`{"model": "flux", "provider": "voodoohop", "prompt": "a fox"}` (`tests/integration/test_every_provider.py` asks them
all).

"""
_DIRECTIVES = """
## Directives

Words in square brackets in the prompt set the behaviour for that one request. After five failed ones in a row, however,
imagegate [pauses the stand-in](architecture.md#when-a-provider-is-sick) like any provider: other requests wait too.

- `[delay 70s] a fox`: the picture takes 70 seconds (`500ms`, `70s`, `2m`).
- `[bytes 1500000] a fox`: the picture's file has at least that many bytes.
- `[signed] a fox`: the picture has a C2PA manifest, as OpenAI's have (needs `make c2pa`).
- `[fault http-503] a fox`: every submission of this prompt is refused.
- `[fault http-503 x2] a fox`: only the first two are, whichever stand-ins they reach, so that retries succeed.
- `[fault http-503 at check x2] a fox`: the job starts, and the first two questions about it fail.
- `[fault http-503 at expand] a fox`: the prompt is not expanded. The language model reads only the directives that say
  `at expand`; the others pass them over and read all the rest, which it leaves in the prompt.

Several faults may be given; each counts for itself. A directive that is misspelled, or that a stand-in cannot obey, is
answered with HTTP 400 and the list of those it knows.

"""
_STAGES = """
## Where a fault applies

`submit` is the POST that asks for a picture, `check` the GET that asks for its state, `fetch` the GET of its URL. A
fault at `submit` stays with its job. A fault with a star applies there only if the directive says so
(`[fault http-503 at check]`). Faults of the picture's URL need an answer by URL.

"""


def stand_ins() -> str:
    """The page."""
    models = {target.provider: route.model for route in reversed([*registry.routes()]) for target in route.targets}
    protocols = {stand_in.faults.protocol: stand_in.faults for stand_in in STAND_INS}.values()
    return "".join(
        (
            _INTRODUCTION,
            table(
                ("provider", "model", "plays", "base path", "protocol", "proven by"),
                [
                    (
                        f"`{each.name}`",
                        f"`{models[each.name]}`" if each.name in models else "",
                        each.speaks,
                        f"`{each.base_path}`",
                        each.faults.title,
                        f"{each.proof}: {each.proven_by}",
                    )
                    for each in STAND_INS
                ],
            ),
            _DIRECTIVES,
            table(("directive", "what it does", "only"), _effects(list(protocols))),
            _STAGES,
            table(("protocol", "at", "faults"), [row for faults in protocols for row in _strikes(faults)]),
        )
    )


def _effects(protocols: list[FaultSet]) -> list[tuple[str, str, str]]:
    common = [(f"`[fault {name}]`", effect, "") for name, effect in COMMON_EFFECTS.items()]
    own = [(f"`[fault {name}]`", effect, each.title) for each in protocols for name, effect in each.own.items()]
    return common + own


def _strikes(faults: FaultSet) -> list[tuple[str, str, str]]:
    """A row for each kind of call."""
    kinds: dict[Stage, None] = dict.fromkeys(stage for stages in faults.stages.values() for stage in stages)

    def names(kind: Stage) -> str:
        at_kind = [(name, stages[0]) for name, stages in faults.stages.items() if kind in stages]
        return ", ".join(f"`{name}`" + ("" if first == kind else "\\*") for name, first in at_kind)

    return [(faults.title, f"`{kind}`", names(kind)) for kind in kinds]
