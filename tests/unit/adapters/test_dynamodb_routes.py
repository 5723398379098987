"""Routes files in the operations table."""

import boto3
import pytest

from imagegate.adapters.dynamodb_routes import DynamoDBRoutes
from imagegate.domain.errors import Conflict
from support.deployed import operations_table


@pytest.fixture
def routes(mocked_aws: None) -> DynamoDBRoutes:
    return DynamoDBRoutes(boto3.client("dynamodb"), operations_table())


def test_what_was_pushed_last_is_in_force_and_the_rest_is_history(routes: DynamoDBRoutes) -> None:
    assert (routes.current(), routes.get("absent"), [*routes.history()]) == (None, None, [])
    first = routes.push("a = 1", "me", "first", None)
    second = routes.push("", "you", "", first)
    assert routes.current() == second
    assert routes.get(first.version) == first
    assert [*routes.history()] == [second, first]
    assert (second.previous, second.text, first.note) == (first.version, "", "first")


def test_two_people_who_push_at_once(routes: DynamoDBRoutes) -> None:
    first = routes.push("a = 1", "me", "", None)
    with pytest.raises(Conflict):
        routes.push("b = 1", "you", "", None)
    routes.push("b = 1", "you", "", first)
    with pytest.raises(Conflict):
        routes.push("c = 1", "me", "", first)
    assert len(routes.history()) == 2


def test_names_of_secrets(routes: DynamoDBRoutes) -> None:
    assert routes.secret_names() is None
    routes.note_secret_names(["B", "A"])
    assert routes.secret_names() == {"A", "B"}
    routes.note_secret_names([])
    assert routes.secret_names() == frozenset()
