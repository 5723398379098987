"""An owner's operations, newest first, from the index `owner` of the operations table."""

from collections.abc import Callable, Sequence
from typing import Any

from imagegate.adapters.dynamodb_operations import operation_of
from imagegate.domain.operation.listing import Page, Query
from imagegate.domain.operation.operation import Operation

OWNER_INDEX = "owner"
_READ_PER_CALL = 100
_CALLS = 20
"""Reads of the index that one page may cost before it is returned with fewer operations than requested."""
_CALLS_BY_STATE = 5
"""The same where 100 operations are read for each."""


class DynamoDBListing:
    """The Listing port. The index holds ids and models; all else is read by id, the state included (docs/adr/0033)."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._now = now

    def page(self, query: Query) -> Page:
        """A part of the list; short when filters leave little of many operations."""
        found: list[Operation] = []
        before: str | None = query.below_id
        for _ in range(_CALLS_BY_STATE if query.state else _CALLS):
            ids, following = self._ids(query, before or "")
            left = query.size - len(found)
            read = ids if query.state else ids[:left]
            matching = [each for each in self._read(read) if query.state in (None, each.state)]
            found += matching[:left]
            if len(matching) > left or read != ids:
                return Page(tuple(found), matching[left - 1].id if len(matching) > left else read[-1])
            before = following
            if len(found) >= query.size or before is None:
                break
        return Page(tuple(found), before)

    def _ids(self, query: Query, before: str) -> tuple[list[str], str | None]:
        """Ids below `before`, and where to go on; `None` at the end of the list."""
        if before < query.lowest_id:
            return [], None
        filters, names, values = _filters(query)
        answer = self._client.query(
            TableName=self._table,
            IndexName=OWNER_INDEX,
            ScanIndexForward=False,
            Limit=max(_READ_PER_CALL, query.size),
            KeyConditionExpression="#owner = :owner AND id BETWEEN :lowest AND :before",
            ExpressionAttributeNames={"#owner": "owner", **names},
            ExpressionAttributeValues={
                ":owner": {"S": query.owner},
                ":lowest": {"S": query.lowest_id},
                ":before": {"S": before},
                **values,
            },
            **filters,
        )
        ids = [item["id"]["S"] for item in answer["Items"] if item["id"]["S"] != before]
        last = answer.get("LastEvaluatedKey")
        return ids, last["id"]["S"] if last else None

    def _read(self, ids: Sequence[str]) -> tuple[Operation, ...]:
        """The operations of `ids`, in their order, without those whose retention has ended."""
        items: dict[str, Any] = {}
        wanted = [{"pk": {"S": f"op#{operation_id}"}} for operation_id in ids]
        while wanted:
            request = {self._table: {"Keys": wanted[:_READ_PER_CALL]}}
            answer = self._client.batch_get_item(RequestItems=request)
            items |= {item["id"]["S"]: item for item in answer["Responses"][self._table]}
            left = answer["UnprocessedKeys"].get(self._table, {}).get("Keys", [])
            wanted = [*left, *wanted[_READ_PER_CALL:]]
        found = (items[operation_id] for operation_id in ids if operation_id in items)
        return tuple(operation_of(item) for item in found if float(item["expires_at"]["N"]) >= self._now())


def _filters(query: Query) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
    """The filter expression with its names and values; all empty when the index filters by nothing."""
    if not query.model:
        return {}, {}, {}
    return {"FilterExpression": "#model = :model"}, {"#model": "model"}, {":model": {"S": query.model}}
