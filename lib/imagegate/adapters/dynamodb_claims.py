"""Claims of bodies in DynamoDB: which operations a repeated request may belong to (domain/operation/coalescing.py).

One item per claim: `pk` = `same#…`, `version`, `latest_at`, `expires_at` (TTL), and for each operation a map `op#<id>`
with the attributes of a Candidate. An Idempotency-Key's claim is written with its operation (dynamodb_operations.py).
"""

import random
import time
from collections.abc import Mapping
from typing import Any

from imagegate.domain.operation.coalescing import BURST, Arrival, BodyClaim, Candidate, Registration, claim_expires_at
from imagegate.domain.operation.operation import Operation

Item = Mapping[str, Mapping[str, Any]]
_PREFIX = "op#"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6)
"""Seconds, at most, before an update that met a transaction is tried again."""


class DynamoDBClaims:
    """The Claims on the operations table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def read_claim(self, claim: str) -> BodyClaim:
        """Read consistently the operations with this claim."""
        answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": claim}}, ConsistentRead=True)
        return _body_claim(answer.get("Item", {}))

    def take(self, claim: str, candidate: Candidate, arrival: Arrival) -> bool:
        """Give the operation to a request; false when another request took it first."""
        return self._update(
            claim,
            candidate.operation_id,
            "SET #op.taken_at = :at, #op.retry_count = :count, #op.invited = :left",
            "#op.taken_at = :seen AND #op.invited = :invited",
            at=max(arrival.at, candidate.taken_at),
            count=arrival.retry_count,
            left=max(0, candidate.invited - 1),
            seen=candidate.taken_at,
            invited=candidate.invited,
        )

    def count_waiting(self, operation: Operation, more: int, invited: int = 0) -> None:
        """Add to the operation's waiting callers, and to those that were told to come back."""
        self._update(
            operation.claim or "",
            operation.id,
            "SET #op.waiting = #op.waiting + :more, #op.invited = #op.invited + :invited",
            "attribute_exists(#op)",
            more=more,
            invited=invited,
        )

    def note_answer(self, operation: Operation, at: float) -> None:
        """Keep when a caller was answered with the operation's end, and count it no longer as waiting."""
        claim, noted = operation.claim or "", "SET #op.answered_at = :at"
        counted = f"{noted}, #op.waiting = #op.waiting - :one"
        if not self._update(claim, operation.id, counted, "#op.waiting >= :one", at=at, one=1):
            self._update(claim, operation.id, noted, "attribute_exists(#op)", at=at)

    def _update(self, claim: str, operation_id: str, expression: str, condition: str, **values: float) -> bool:
        known = self._client.exceptions
        for pause in _PAUSES:
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": claim}},
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#op": _PREFIX + operation_id},
                    ExpressionAttributeValues={f":{name}": _number(value) for name, value in values.items()},
                )
            except known.ConditionalCheckFailedException:
                return False
            except known.TransactionConflictException:
                time.sleep(pause * random.random())  # noqa: S311 - spreads writers, no secret
            else:
                return True
        return False


def registration_write(table: str, operation: Operation, registration: Registration) -> dict[str, Any]:
    """The part of a transaction that adds a new operation to the claim of its body.

    Its condition fails when an operation was added since the claim was read, unless by a request of the same burst; of
    a claim that was not read, when there is one.
    """
    arrival, seen = registration.arrival, registration.seen
    unchanged = "version = :seen" if seen.version else "attribute_not_exists(version)"
    values: dict[str, Any] = {":seen": _number(seen.version)} if seen.version else {}
    if not arrival.retry_count and not registration.unread:
        unchanged += " OR latest_at BETWEEN :from AND :to"
        values |= {":from": _number(arrival.at - BURST), ":to": _number(arrival.at + BURST)}
    superseded = {f"#old{at}": _PREFIX + each for at, each in enumerate(registration.superseded)}
    remove = f" REMOVE {', '.join(superseded)}" if superseded else ""
    candidate = Candidate(
        operation_id=operation.id, begun_at=arrival.at, taken_at=arrival.at, retry_count=arrival.retry_count
    )
    return {
        "TableName": table,
        "Key": {"pk": {"S": operation.claim or ""}},
        "UpdateExpression": f"SET #op = :op, latest_at = :at, expires_at = :expires ADD version :one{remove}",
        "ConditionExpression": unchanged,
        "ExpressionAttributeNames": {"#op": _PREFIX + operation.id, **superseded},
        "ExpressionAttributeValues": {
            ":op": {"M": _attributes(candidate)},
            ":at": _number(arrival.at),
            ":expires": _number(int(max(seen.expires_at, claim_expires_at(operation)))),
            ":one": _number(1),
            **values,
        },
    }


def _number(value: float) -> dict[str, str]:
    return {"N": repr(value)}


def _attributes(candidate: Candidate) -> dict[str, dict[str, str]]:
    return {
        "begun_at": _number(candidate.begun_at),
        "taken_at": _number(candidate.taken_at),
        "retry_count": _number(candidate.retry_count),
        "waiting": _number(candidate.waiting),
        "invited": _number(candidate.invited),
    }


def _candidate(operation_id: str, attributes: Item) -> Candidate:
    number = {name: float(value["N"]) for name, value in attributes.items()}
    return Candidate(
        operation_id=operation_id,
        begun_at=number["begun_at"],
        taken_at=number["taken_at"],
        retry_count=int(number["retry_count"]),
        waiting=int(number["waiting"]),
        invited=int(number["invited"]),
        answered_at=number.get("answered_at", 0.0),
    )


def _body_claim(item: Item) -> BodyClaim:
    if "version" not in item:
        return BodyClaim()
    candidates = [
        _candidate(name.removeprefix(_PREFIX), value["M"]) for name, value in item.items() if name.startswith(_PREFIX)
    ]
    return BodyClaim(candidates, int(item["version"]["N"]), float(item["expires_at"]["N"]))
