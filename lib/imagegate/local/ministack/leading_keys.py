"""The condition key `dynamodb:LeadingKeys`, which MiniStack 1.5.33 does not know: it would let every policy pass on it.

On AWS it holds the partition keys of all items that a request names; of a query, that of the table or index.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ministack.core import iam_actions
from ministack.services import dynamodb

Body = Mapping[str, Any]
_EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")


def apply_patches() -> None:
    """Have MiniStack evaluate the key from now on; call it once."""
    context_of = iam_actions.dynamodb_service_context

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = context_of(body)
        keys = sorted(set(leading_keys(_document(body))))
        return {**context, "dynamodb:LeadingKeys": keys} if keys else context

    iam_actions.dynamodb_service_context = with_leading_keys


def _document(body: bytes) -> Body:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def leading_keys(request: Body) -> Iterator[str]:
    """The partition keys in the body of a DynamoDB request, of whichever action."""
    for entry in _of_one_table(request):
        name = _partition(entry)
        for item in _items(entry):
            if name in item:
                yield str(next(iter(item[name].values())))
        yield from _queried(entry, name)


def _of_one_table(request: Body) -> Iterable[Body]:
    """The request, taken apart into parts with one table each."""
    parts = [part for item in request.get("TransactItems", []) for part in item.values()]
    for table, content in request.get("RequestItems", {}).items():
        wanted = [content] if isinstance(content, dict) else [put for entry in content for put in entry.values()]
        parts += [{**attempt, "TableName": table} for attempt in wanted]
    return [*parts, request]


def _items(request: Body) -> list[Body]:
    named = [request[name] for name in ("Key", "Item") if name in request]
    return [*named, *request.get("Keys", [])]


def _partition(request: Body) -> str:
    """The name of the partition key of the table, or of the index that is queried."""
    table: Body = dynamodb._tables.get(str(request.get("TableName", "")).rpartition("/")[2]) or {}
    indexes = [*table.get("GlobalSecondaryIndexes", []), *table.get("LocalSecondaryIndexes", [])]
    keyed = next((index for index in indexes if index["IndexName"] == request.get("IndexName")), table)
    return next((str(key["AttributeName"]) for key in keyed.get("KeySchema", []) if key["KeyType"] == "HASH"), "")


def _queried(request: Body, name: str) -> Iterator[str]:
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    for placeholder, value in _EQUALS.findall(request.get("KeyConditionExpression", "")):
        if names.get(placeholder, placeholder) == name and value in values:
            yield str(next(iter(values[value].values())))
