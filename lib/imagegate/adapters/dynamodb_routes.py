"""The deployment's routes files in the operations table.

`pk` = `routes#<version>` is one that was pushed, which never changes; `routes#current` is a copy of the one in force,
so that a function reads one item. The pushed ones stand in the index `owner` under an owner that no operation can have.
`routes#secrets` has the names of the upstream credentials that are set.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from typing import Any

from imagegate.domain.errors import Conflict
from imagegate.ports.storage import PushedRoutes

_DIRECTORY = "routes"
_CURRENT = "current"


class DynamoDBRoutes:
    """The RoutesStore port on the operations table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def current(self) -> PushedRoutes | None:
        """The file in force; `None` when none was ever pushed."""
        return self._read(_CURRENT)

    def get(self, version: str) -> PushedRoutes | None:
        """The file that was pushed as this version."""
        return self._read(version)

    def push(self, text: str, pushed_by: str, note: str, over: PushedRoutes | None) -> PushedRoutes:
        """Put a file in force. Raises Conflict when another one than `over` is in force by now."""
        pushed = PushedRoutes(
            version=_version(text),
            text=text,
            previous=over.version if over else "",
            pushed_at=time.time(),
            pushed_by=pushed_by,
            note=note,
        )
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if over:
            condition = {
                "ConditionExpression": "version = :over",
                "ExpressionAttributeValues": {":over": {"S": over.version}},
            }
        directory = {"owner": {"S": _DIRECTORY}, "id": {"S": pushed.version}}
        once = {"ConditionExpression": "attribute_not_exists(pk)"}
        puts = [
            {"Put": {"TableName": self._table, "Item": _item(pushed.version, pushed) | directory, **once}},
            {"Put": {"TableName": self._table, "Item": _item(_CURRENT, pushed), **condition}},
        ]
        try:
            self._client.transact_write_items(TransactItems=puts)
        except self._client.exceptions.TransactionCanceledException as error:
            raise Conflict("Another user pushed routes at the same moment. Look at them, and push again.") from error
        return pushed

    def history(self) -> Sequence[PushedRoutes]:
        """Every file that was pushed, the newest first. One that is seconds old may be missing."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="owner",
            KeyConditionExpression="#owner = :directory",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":directory": {"S": _DIRECTORY}},
            ScanIndexForward=False,
        )
        found = (self.get(item["id"]["S"]) for page in pages for item in page["Items"])
        return [pushed for pushed in found if pushed]

    def secret_names(self) -> frozenset[str] | None:
        """Names of the upstream credentials that are set; `None` when that was never noted."""
        item = self._client.get_item(TableName=self._table, Key=_pk("secrets")).get("Item")
        return frozenset(name["S"] for name in item["names"]["L"]) if item else None

    def note_secret_names(self, names: Iterable[str]) -> None:
        """Note which credentials are set, for functions that may not ask where they are kept."""
        listed = [{"S": name} for name in sorted(names)]
        self._client.put_item(TableName=self._table, Item={**_pk("secrets"), "names": {"L": listed}})

    def _read(self, which: str) -> PushedRoutes | None:
        item = self._client.get_item(TableName=self._table, Key=_pk(which)).get("Item")
        if item is None:
            return None
        text = {name: item[name]["S"] for name in ("version", "text", "previous", "pushed_by", "note")}
        return PushedRoutes(**text, pushed_at=float(item["pushed_at"]["N"]))


def _version(text: str) -> str:
    """Sorts by time, and names the content."""
    now = time.time()
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
    return f"{moment}.{int(now % 1 * 1000):03}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _pk(which: str) -> dict[str, Any]:
    return {"pk": {"S": f"routes#{which}"}}


def _item(which: str, pushed: PushedRoutes) -> dict[str, Any]:
    return {
        **_pk(which),
        "version": {"S": pushed.version},
        "text": {"S": pushed.text},
        "previous": {"S": pushed.previous},
        "pushed_by": {"S": pushed.pushed_by},
        "note": {"S": pushed.note},
        "pushed_at": {"N": repr(pushed.pushed_at)},
    }
