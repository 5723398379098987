"""What the waiting of 1,000 clients costs at each address: calls counted on the real front x the public prices.

`make bench NAME=waiting`. The picture itself (`make bench NAME=cost`) costs the same at both and is not in it. Time is
simulated, so the figures are the same each time; docs/waiting.md has them.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cost_usage import PRICE, PRICES
from imagegate.domain.operation.operation import State
from imagegate.domain.operation.picture import Picture
from imagegate.local.stack.packaging import load_yaml
from support.gateway import Gateway
from support.stack_settings import TEMPLATE

SECONDS = (10, 30, 120, 600)
"""How long the picture takes."""
AGENT = "python-requests/2.32"
"""Follows as many redirects as any client."""
ANSWERING = 0.02
"""Seconds of an invocation beside its waiting: what it takes to read, decide and answer."""
_DOCUMENT = load_yaml(TEMPLATE)
_PARAMETERS, _RESOURCES = _DOCUMENT["Parameters"], _DOCUMENT["Resources"]


@dataclass(frozen=True)
class Address:
    """One of the two addresses, as template.yaml has it."""

    name: str
    function: str
    hop_function: str
    hold_parameter: str
    redirects: bool
    through_api_gateway: bool

    @property
    def hold(self) -> float:
        return float(_PARAMETERS[self.hold_parameter]["Default"])

    @property
    def gigabytes(self) -> float:
        """Of the function that takes the POST."""
        return gigabytes_of(self.function)

    @property
    def gigabytes_of_a_hop(self) -> float:
        """Of the function that takes what the POST is redirected to."""
        return gigabytes_of(self.hop_function)


def gigabytes_of(function: str) -> float:
    """A function's memory, as the template has it."""
    usual = _DOCUMENT["Globals"]["Function"]["MemorySize"]
    return float(_RESOURCES[function]["Properties"].get("MemorySize", usual)) / 1024


ADDRESSES = (
    Address("redirects", "ApiFunction", "WaitFunction", "HoldSeconds", redirects=True, through_api_gateway=True),
    Address("long hold", "HoldFunction", "HoldFunction", "LongHoldSeconds", redirects=False, through_api_gateway=False),
)


def counted(address: Address, seconds: float) -> Counter[str]:
    """What one client's waiting uses, by the names of the prices."""
    gateway = Gateway(hold_seconds=address.hold, redirects=address.redirects)
    used: Counter[str] = Counter()
    _count(gateway.store, "get", used, "dynamodb_read_unit", 0.5)
    _count(gateway.store, "read_claim", used, "dynamodb_read_unit", 1.0)
    _count(gateway.store, "count_waiting", used, "dynamodb_write_unit", 1.0)
    _count(gateway.store, "note_answer", used, "dynamodb_write_unit", 1.0)
    _finish_after(gateway, seconds)
    answer = None
    while answer is None or answer.status == 303:
        began = gateway.clock.now()
        method, url = ("GET", answer.headers["location"]) if answer else ("POST", "/v1/images/generations")
        body = None if answer else {"model": "flux", "prompt": "a cat"}
        gigabytes = address.gigabytes_of_a_hop if answer else address.gigabytes
        answer = gateway.call(method, url, body, user_agent=AGENT)
        used["lambda_request"] += 1
        used["lambda_gb_second"] += (gateway.clock.now() - began + ANSWERING) * gigabytes  # type: ignore[assignment]
        used["http_api_request"] += address.through_api_gateway
    assert answer.status == 200, answer.text
    return used


def dollars(address: Address, seconds: float) -> float:
    """For 1,000 clients."""
    return 1000 * sum(amount * PRICE[name] for name, amount in counted(address, seconds).items())


def _count(owner: Any, name: str, used: Counter[str], unit: str, amount: float) -> None:
    method: Callable[..., Any] = getattr(owner, name)

    def counting(*arguments: Any, **named: Any) -> Any:
        used[unit] += amount * (2 if named.get("consistent") else 1)  # type: ignore[assignment]
        return method(*arguments, **named)

    setattr(owner, name, counting)


def _finish_after(gateway: Gateway, seconds: float) -> None:
    """Have the picture there when so much time has passed."""
    sleep, at = gateway.clock.sleep, gateway.clock.now() + seconds

    def slept(pause: float) -> None:
        sleep(pause)
        [document] = gateway.store.documents
        found = type(gateway.store).get(gateway.store, document)
        if found and not found.done and gateway.clock.now() >= at:
            made = Picture(
                slot=0,
                key=f"images/{found.id}/0",
                sha256="s",
                content_type="image/png",
                width=64,
                height=48,
                bytes=9,
                provider="alpha",
            )
            ended = found.moved(State.RUNNING, at).with_pictures((made,)).complete_if_done(gateway.clock.now())
            gateway.store.replace(replace(ended, version=found.version + 1))

    gateway.clock.sleep = slept  # type: ignore[method-assign]


def main() -> None:
    """A table, then the last line."""
    print(f"dollars for the waiting of 1,000 clients; prices of {PRICES['date']}, {PRICES['region']}")
    figures: dict[str, Any] = {"prices": PRICES["date"]}
    for address in ADDRESSES:
        costs = {f"{seconds}s": round(dollars(address, seconds), 3) for seconds in SECONDS}
        memory = f"{address.gigabytes * 1024:.0f}, {address.gigabytes_of_a_hop * 1024:.0f} MB"
        print(f"{address.name:10} {memory:12} {costs}")
        for seconds in SECONDS:
            print(f"  {seconds} s: {dict(counted(address, seconds))}")
        figures[address.name] = costs
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
