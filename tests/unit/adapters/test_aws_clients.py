"""The process's AWS clients."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.errorfactory import ClientExceptionsFactory

from imagegate.adapters import aws

THREADS = 4


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A new client of a session that takes its time with the classes of errors."""
    create = ClientExceptionsFactory._create_client_exceptions

    def create_slowly(factory: ClientExceptionsFactory, service_model: Any) -> Any:
        time.sleep(0.05)
        return create(factory, service_model)

    monkeypatch.setattr(ClientExceptionsFactory, "_create_client_exceptions", create_slowly)
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    aws.session.cache_clear()
    yield aws.client.__wrapped__("dynamodb")
    aws.session.cache_clear()


def test_threads_that_come_first_at_once_catch_what_is_raised(dynamodb: Any) -> None:
    together, known = threading.Barrier(THREADS), []

    def catch() -> None:
        together.wait()
        known.append(dynamodb.exceptions.ConditionalCheckFailedException)

    threads = [threading.Thread(target=catch) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(known) == THREADS
    assert len(set(known)) == 1
