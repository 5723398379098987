"""Many clients at once on one stack, and what came of each."""

import hashlib
import io
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import requests
from PIL import Image

from clients.outcome import Ask, Outcome
from clients.register import Client, Entry
from imagegate.local.stack.stack import Stack
from support.recording_door import RecordingDoor, recording_door


@dataclass(frozen=True, slots=True)
class Run:
    """One client's way to its picture or error."""

    stack: Stack
    prompt: str
    outcome: Outcome
    door: RecordingDoor
    seconds: float

    def operations(self) -> list[dict[str, Any]]:
        """Every operation there is for this prompt."""
        pages = self.stack.client("dynamodb").get_paginator("scan").paginate(TableName=self.stack.outputs["TableName"])
        items = [item for page in pages for item in page["Items"] if item["pk"]["S"].startswith("op#")]
        stored = [json.loads(item["body"]["S"]) for item in items]
        return [operation for operation in stored if operation["request"]["messages"][0]["text"] == self.prompt]

    def submissions(self) -> int:
        """How many jobs the upstreams accepted for this prompt."""
        url = f"{self.stack.upstreams_url}/_standin/submissions"
        return int(requests.get(url, params={"prompt": self.prompt}, timeout=10).json()["count"])

    def stored_picture(self) -> bytes:
        """The file of the only operation's only picture."""
        [operation] = self.operations()
        [kept] = operation["pictures"]
        bucket = self.stack.outputs["BucketName"]
        body: bytes = self.stack.client("s3").get_object(Bucket=bucket, Key=kept["key"])["Body"].read()
        return body


Runs = Mapping[str, Future[Run]]


def run(stack: Stack, generate: Client, generation: Ask) -> Run:
    """Let a client ask at a door of its own."""
    with recording_door(stack) as door:
        began = time.monotonic()
        outcome = generate(replace(generation, base_url=door.url))
        return Run(stack, generation.prompt, outcome, door, time.monotonic() - began)


@contextmanager
def under_way(stack: Stack, asked: Mapping[str, tuple[Client, Ask]]) -> Iterator[Runs]:
    """All the runs by name, at once, so that their waits are paid once."""
    pool = ThreadPoolExecutor(max_workers=len(asked))
    try:
        yield {name: pool.submit(run, stack, generate, generation) for name, (generate, generation) in asked.items()}
    finally:
        pool.shutdown(cancel_futures=True)


def waiting_for(seconds: int, entries: Mapping[str, Entry]) -> dict[str, tuple[Client, Ask]]:
    """Each client with a picture of its own to ask for, which takes that long."""
    return {
        name: (
            entry.generate,
            Ask(f"[delay {seconds}s] a fox that waits for {name}", response_format=entry.response_format),
        )
        for name, entry in entries.items()
    }


def assert_picture(run: Run, image_format: str = "WEBP") -> None:
    """The client has, byte for byte, the one picture of its one operation."""
    assert run.outcome.error is None
    stored = run.stored_picture()
    assert run.outcome.sha256 == hashlib.sha256(stored).hexdigest()
    assert (run.outcome.bytes, run.outcome.magic) == (len(stored), stored[:4].hex())
    image = Image.open(io.BytesIO(stored))
    assert (image.format, image.size) == (image_format, (512, 320))


def assert_waited_along_redirects(run: Run) -> None:
    """It asked once and followed every redirect to the picture; the upstream was asked once."""
    assert run.submissions() == 1
    assert run.door.posts == 1
    assert [call.status for call in run.door.calls] == [303] * len(run.door.hops) + [200]
