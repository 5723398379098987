"""How long a synchronous client can be kept waiting, and what to tell it meanwhile. Pure.

API Gateway ends every request after 30 s. A `303 See Other` to the next long-poll keeps unmodified
clients waiting far longer, as measured on their packages (docs/protocols/openai-images.md#redirects).
"""

from dataclasses import dataclass
from enum import Enum, auto

from imagegate.domain.operation.coalescing import BURST

LONGER = 1 / 8
"""Share of its wait so far for which it is held at least, so that its redirects last for minutes."""
STARTS_WITHIN = 3.0
"""Seconds within which the first step of a workflow has run, its cold start included, if Lambda has capacity."""
SHORTEST_HOLD = 2.0
"""Seconds of a hold even when Lambda has no capacity, because a client follows a limited number of redirects."""
HOP_SHARE = 28.25 / 25
"""Hold of a hop relative to that of a POST. API Gateway ends both after 30 s; a POST has more to do at its start."""
HANDOVER = BURST
"""Seconds for which a POST is held at least. A redirect costs as much as half a second of the POST's memory; but a
client that is shown the redirect and repeats its POST at once must come after the burst that its orders may make."""
_MADE_UP = HOP_SHARE - 27 / 25
"""Share of a POST's hold by which each hop is longer than when every POST was held in full."""
_DEFAULT_HOPS = 19


@dataclass(frozen=True, slots=True)
class Client:
    """What the User-Agent says about a client's patience."""

    hops: int
    """Redirects it follows, less one that is kept for a large answer in S3."""
    repeats: bool
    """True when it posts again after a 503 with Retry-After (the OpenAI family)."""
    follows: bool = False
    """True when it surely follows a redirect after a POST."""


_HOPS_OF_AGENT = (
    ("aiohttp", 8), ("go-http-client", 8), ("python-urllib", 9), ("got (", 9), ("python-requests", 28),
    ("dart/", 4), ("powershell/", 4), ("http-tiny", 4),
)  # fmt: skip
_HOPS_OF_CFNETWORK = 14
"""URLSession of Apple's systems and Safari follow 16."""
_HOPS_OF_NO_AGENT = 4
"""Of clients that send no User-Agent, superagent follows the fewest redirects."""
_FOLLOWING_NOTHING = (
    "guzzlehttp", "faraday", "n8n", "(.net", "libwww-perl", "langchain4j", "java-http-client", "reactornetty",
)  # fmt: skip
"""Parts of the User-Agents of clients that treat a redirect after a POST as an error, or do so by default: Java's
client, on which Spring AI is built, and Reactor Netty."""
_OPENAI_GO = "openai/go"
_OPENAI_GO_HOPS = 9
"""Go's limit. A large answer is one redirect more; openai-go then repeats its request, which is answered at once."""
_REPEATING_AGENTS = (
    "openai/", "asyncopenai/", "azureopenai/", "asyncazureopenai/", "ai/", "ai-sdk/", "litellm",
    "openai::client/",
)  # fmt: skip


def client_of(user_agent: str, redirects: bool = True) -> Client:
    """The client behind a User-Agent header; unknown ones get what fetch, httpx and browsers allow.

    `redirects`: false at the long-hold address, which sends its clients nowhere.
    """
    agent = user_agent.lower()
    repeats = agent.startswith(_REPEATING_AGENTS) or "ai-sdk" in agent
    otherwise = _DEFAULT_HOPS if agent else _HOPS_OF_NO_AGENT
    hops = next((hops for name, hops in _HOPS_OF_AGENT if name in agent), otherwise)
    hops = _HOPS_OF_CFNETWORK if "cfnetwork/" in agent else hops
    hops = _DEFAULT_HOPS if repeats else hops
    if agent.startswith(_OPENAI_GO):
        hops = _OPENAI_GO_HOPS
    if any(part in agent for part in _FOLLOWING_NOTHING):
        hops = 0
    known = repeats or any(name in agent for name, _ in _HOPS_OF_AGENT)
    return Client(hops if redirects else 0, repeats, follows=known and redirects and hops > 0)


class NextMove(Enum):
    """What to do with a request that waits for an operation."""

    ANSWER = auto()
    """The operation has ended: say how."""
    HOLD = auto()
    """Keep the request a little longer."""
    REDIRECT = auto()
    """Send the client to the next hop."""
    GIVE_UP = auto()
    """The client would follow no further redirect."""


def next_move(done: bool, held: float, hold: float, hop: int, client: Client) -> NextMove:
    """Judge a request at hop `hop` (0 is the POST itself) that was held for `held` of `hold` seconds."""
    if done:
        return NextMove.ANSWER
    if held < hold:
        return NextMove.HOLD
    return NextMove.REDIRECT if hop < client.hops else NextMove.GIVE_UP


def hold_before_handover(hold: float, client: Client) -> float:
    """Seconds to hold a POST, of `hold`, before its client is redirected to where waiting costs a quarter.

    A client that may not follow is held in full. The others are held long enough for their whole wait to be no shorter
    than with POSTs held in full.
    """
    if not client.follows:
        return hold
    return min(hold, max(HANDOVER, hold * (1 - client.hops * _MADE_UP)))


def hold_while_untouched(waited: float, starts_within: float = STARTS_WITHIN) -> float:
    """Seconds to hold a request for an operation whose workflow has not run a step yet.

    `waited`: seconds from when the operation was queued to this request. A first step later than `starts_within`
    seconds means that Lambda has no room for it, most likely because requests are held in all there is.
    """
    return max(starts_within - waited, SHORTEST_HOLD, waited * LONGER)


def pause(held: float, expected: float) -> float:
    """Seconds until the next read of the table: at the expected moment, then 0.1 s growing to 1 s.

    `expected`: seconds from now until the picture is likely there (0 when it is overdue or unknown).
    """
    return max(expected, min(1.0, 0.1 + held / 10))
