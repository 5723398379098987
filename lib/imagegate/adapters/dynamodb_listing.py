"""An owner's operations, newest first, from the index `owner` of the operations table."""

from collections.abc import Callable, Sequence
from typing import Any

from imagegate.adapters.dynamodb_operations import operation_of
from imagegate.domain.operation.listing import Page, Query
from imagegate.domain.operation.operation import Operation

OWNER_INDEX = "owner"
_READ_PER_CALL = 100
_CALLS = 20
"""Calls that one page may cost before it is returned with fewer operations than requested."""


class DynamoDBListing:
    """The Listing port. The index holds ids and what is filtered by; bodies are read by id."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._now = now

    def page(self, query: Query) -> Page:
        """A part of the list; short when filters leave little of many operations."""
        ids: list[str] = []
        before: str | None = query.below_id
        for _ in range(_CALLS):
            found, before = self._ids(query, before or "")
            ids += found
            if len(ids) >= query.size or before is None:
                break
        if len(ids) > query.size:
            before = ids[query.size - 1]
        return Page(self._read(ids[: query.size]), before)

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
    """The filter expression with its names and values; all empty when nothing is filtered by."""
    wanted = {"state": query.state, "model": query.model}
    used = {name: value for name, value in wanted.items() if value}
    if not used:
        return {}, {}, {}
    expression = " AND ".join(f"#{name} = :{name}" for name in used)
    names = {f"#{name}": name for name in used}
    return {"FilterExpression": expression}, names, {f":{name}": {"S": value} for name, value in used.items()}
