"""Many operations in one table (issue #4): `make bench NAME=listing [N=100000] [LISTED=10000]`.

On the embedded stack's DynamoDB, with the template's own table: lists LISTED operations of one owner page by page and
checks that each comes exactly once while others are being inserted; then compares the capacity that creating one
operation consumes with 10 and with N operations in the table.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from imagegate.adapters.dynamodb_listing import DynamoDBListing
from imagegate.adapters.dynamodb_operations import DynamoDBOperations, _item
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.listing import Query
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.local.stack.stack import Stack
from support.stack_settings import on_free_ports

NOW = 1_800_000_000.0
RETENTION = 30 * 86_400


def operation(at: float, owner: str) -> Operation:
    """An operation accepted `at` seconds after NOW."""
    request = ImageRequest("flux", (Message("a red fox in the snow"),))
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
    """Adds up the capacity units of a client's calls."""

    def __init__(self, client: Any) -> None:
        self.units = 0.0
        client.meta.events.register("provide-client-params.dynamodb.*", self._ask)
        client.meta.events.register("after-call.dynamodb.*", self._count)

    def _ask(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        self.units += sum(entry["CapacityUnits"] for entry in (consumed if isinstance(consumed, list) else [consumed]))


def create_units(client: Any, meter: Meter, table: str, at: int) -> float:
    """Capacity units of creating one operation."""
    before = meter.units
    DynamoDBOperations(client, table, 30, lambda: NOW).create(operation(at, "one"))
    return meter.units - before


def main() -> None:
    """Run on a table of a stack of its own."""
    n, count = int(os.environ.get("N", "100000")), int(os.environ.get("LISTED", "10000"))
    with tempfile.TemporaryDirectory() as folder:
        settings = on_free_ports(Path(folder))
        with Stack(settings) as stack:
            client, table = stack.client("dynamodb"), stack.outputs["TableName"]
            fill(client, table, 10, "few")
            metered = stack.client("dynamodb")
            meter = Meter(metered)
            few = create_units(metered, meter, table, 1_000_001)
            wanted = fill(client, table, count, "many")
            newer = iter(range(2_000_000, 3_000_000))
            listing = DynamoDBListing(client, table, lambda: NOW)
            found = list(listed(listing, lambda: fill_one(client, table, next(newer))))
            fill(client, table, max(0, n - count), "others")
            many = create_units(metered, meter, table, 1_000_002)
    exactly_once = len(found) == len(wanted) and set(found) == wanted
    print(f"listing {count} in pages of 100, with an insertion between any two: exactly once: {exactly_once}")
    print(f"creating one operation: {few} units with 10 in the table, {many} with {n}")
    figures = {"listed": len(found), "exactly_once": exactly_once, "units_with_10": few, "units_with_n": many, "n": n}
    print(json.dumps(figures))
    if not exactly_once or few != many:
        raise SystemExit(1)


def fill_one(client: Any, table: str, at: int) -> None:
    """Write one newer operation of the owner whose list is being read."""
    one = operation(at, "many")
    client.put_item(TableName=table, Item=_item(one, one.created_at + RETENTION))


if __name__ == "__main__":
    main()
