"""Events are told as soon as they are complete, however the bytes are cut."""

import pytest

from imagegate.adapters.streamed_body import StreamedBody

EVENTS = [b": ping\n\n", b"event: drop\ndata: 1\n\n", b"data: keep\r\n\r\n", b"event: drop\rdata: 2\r\r", b"data: end"]
BODY = b"".join(EVENTS)


def read(size: int, told: list[bytes]) -> bytes:
    def take(event: bytes) -> bool:
        told.append(event)
        return b"drop" not in event

    body = StreamedBody(take)
    for at in range(0, len(BODY), size):
        body.add(BODY[at : at + size])
    return bytes(body.kept)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, len(BODY)])
def test_events_are_told_once_and_left_out(size: int) -> None:
    told: list[bytes] = []
    assert read(size, told) == b": ping\n\ndata: keep\r\n\r\ndata: end"
    assert told == EVENTS[:-1]


def test_what_is_no_stream_is_kept() -> None:
    body = StreamedBody()
    body.add(BODY)
    assert body.kept == BODY
