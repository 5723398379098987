"""Many operations in one table: `make bench NAME=listing [N=100000] [LISTED=10000]`.

On the embedded stack's DynamoDB, with the template's own table: lists LISTED operations of one owner page by page and
checks that each comes exactly once while others are being inserted. Then compares what a call consumes with 10
operations and with N in the table, LISTED of which are the owner's: all but a list whose filter matches nothing must
cost the same, and that one at most UNMATCHED.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.cost_counting import item_bytes
from imagegate.adapters.dynamodb_listing import DynamoDBListing
from imagegate.adapters.dynamodb_operations import DynamoDBOperations, _item
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.listing import Query
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.stack.stack import Stack
from support.stack_settings import on_free_ports

NOW = 1_800_000_000.0
RETENTION = 30 * 86_400
UNMATCHED = 300.0
"""Read units of one page, at most."""


def operation(at: float, owner: str) -> Operation:
    """An operation accepted `at` seconds after NOW."""
    request = ImageRequest(model="flux", messages=(Message("a red fox in the snow"),))
    now = NOW + at
    return Operation(
        id=new_id(now),
        owner=owner,
        dialect="openai_images",
        request=request,
        created_at=now,
        deadline=now + 900,
        due_at=now + 60,
        model="flux",
        claim=f"same#{owner}#{at}",
    )


def silence(stack: Stack) -> None:
    """Keep the functions from running: MiniStack compares every item of the table with each query that they send."""
    functions, events = stack.client("lambda"), stack.client("events")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    for rule in events.list_rules()["Rules"]:
        events.disable_rule(Name=rule["Name"])


def fill(client: Any, table: str, count: int, owner: str) -> set[str]:
    """Write `count` operations as they would have been written; gives their ids."""
    ids = set()
    for start in range(0, count, 25):
        batch = [operation(at / 1000, owner) for at in range(start, min(start + 25, count))]
        ids |= {operation.id for operation in batch}
        puts = [{"PutRequest": {"Item": _item(operation, operation.created_at + RETENTION)}} for operation in batch]
        client.batch_write_item(RequestItems={table: puts})
        if start % 5000 == 0:
            print(f"\r  {start} of {count} written ", end="", flush=True)
    print(f"\r  {count} of {count} written ")
    return ids


def listed(listing: DynamoDBListing, insert: Callable[[], None]) -> Iterator[str]:
    """Every id of the owner's list, page by page, with insertions in between."""
    page = listing.page(Query(owner="many", size=100))
    yield from (operation.id for operation in page.operations)
    while page.next_before_id:
        insert()
        page = listing.page(Query(owner="many", size=100, before_id=page.next_before_id))
        yield from (operation.id for operation in page.operations)


class Meter:
    """Adds up the capacity units of a client's calls: as MiniStack reports them, of BatchGetItem as AWS bills it."""

    def __init__(self, client: Any) -> None:
        self.units = 0.0
        client.meta.events.register("provide-client-params.dynamodb.*", self._ask)
        client.meta.events.register("after-call.dynamodb.*", self._count)

    def _ask(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "BatchGetItem":
            items = [item for found in parsed["Responses"].values() for item in found]
            self.units += sum(0.5 * ceil(item_bytes(item) / 4096) for item in items)
            return
        consumed = parsed.get("ConsumedCapacity", [])
        self.units += sum(entry["CapacityUnits"] for entry in (consumed if isinstance(consumed, list) else [consumed]))


def units(client: Any, meter: Meter, table: str, at: int, owner: str) -> dict[str, float]:
    """Capacity units of one call of each kind, the lists being the owner's."""
    store, listing = DynamoDBOperations(client, table, 30, lambda: NOW), DynamoDBListing(client, table, lambda: NOW)
    one = operation(at, "one")
    calls: dict[str, Callable[[], Any]] = {
        "create": lambda: store.create(one),
        "change": lambda: store.replace(replace(one, version=one.version + 1, state=State.RUNNING)),
        "read": lambda: store.get(one.id),
        "list": lambda: listing.page(Query(owner=owner, size=10)),
        "list, no such state": lambda: listing.page(Query(owner=owner, size=10, state=State.CANCELLED)),
        "list, no such model": lambda: listing.page(Query(owner=owner, size=10, model="none")),
    }
    used = {}
    for name, call in calls.items():
        before = meter.units
        call()
        used[name] = meter.units - before
    return used


def main() -> None:
    """Run on a table of a stack of its own."""
    n, count = int(os.environ.get("N", "100000")), int(os.environ.get("LISTED", "10000"))
    with tempfile.TemporaryDirectory() as folder:
        settings = on_free_ports(Path(folder))
        with Stack(settings) as stack:
            silence(stack)
            client, table = stack.client("dynamodb"), stack.outputs["TableName"]
            fill(client, table, 10, "few")
            metered = stack.client("dynamodb")
            meter = Meter(metered)
            few = units(metered, meter, table, 1_000_001, "few")
            wanted = fill(client, table, count, "many")
            newer = iter(range(2_000_000, 3_000_000))
            listing = DynamoDBListing(client, table, lambda: NOW)
            found = list(listed(listing, lambda: fill_one(client, table, next(newer))))
            fill(client, table, max(0, n - count), "others")
            many = units(metered, meter, table, 1_000_002, "many")
    exactly_once = len(found) == len(wanted) and set(found) == wanted
    print(f"listing {count} in pages of 100, with an insertion between any two: exactly once: {exactly_once}")
    for name, used in many.items():
        print(f"{name}: {few[name]} units with 10 in the table, {used} with {n}")
    flat = all(many[name] == used for name, used in few.items() if "no such" not in name)
    bounded = all(used <= UNMATCHED for used in many.values())
    figures = {"listed": len(found), "exactly_once": exactly_once, "units_with_10": few, "units_with_n": many, "n": n}
    print(json.dumps(figures))
    if not (exactly_once and flat and bounded):
        raise SystemExit(1)


def fill_one(client: Any, table: str, at: int) -> None:
    """Write one newer operation of the owner whose list is being read."""
    one = operation(at, "many")
    client.put_item(TableName=table, Item=_item(one, one.created_at + RETENTION))


if __name__ == "__main__":
    main()
