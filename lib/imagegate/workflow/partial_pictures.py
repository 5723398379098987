"""Store the partial pictures of an attempt as they come, so that readers see them while the picture is made."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from imagegate.domain.failure import UpstreamError
from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.partial import Partial
from imagegate.domain.pictures.content_types import EXTENSIONS
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import ImageStore
from imagegate.ports.upstreams import PictureCodec
from imagegate.usecases.update import UpdateWithRetry


@dataclass(slots=True, kw_only=True)
class PartialPictures:
    """Takes the partial pictures of one attempt. It never raises: without them the picture is made all the same."""

    images: ImageStore
    codec: Callable[[], PictureCodec]
    """Loads it when the first picture is there."""
    update: UpdateWithRetry
    clock: Clock
    operation: Operation
    """As it was last written; the partial pictures are part of it."""
    attempt: Attempt
    most: int
    """Partial pictures that are still taken; an upstream that sends more is not believed."""
    stored: int = 0

    def __call__(self, index: int, body: bytes) -> None:
        """Store a partial picture as it came. After an error of the storage none is stored any more."""
        if self.most <= 0:
            return
        try:
            self._store(index, body)
            self.most -= 1
        except UpstreamError as error:
            logging.warning("%s sent a partial picture that is none: %s", self.attempt.provider, error.failure.message)
        except Exception:
            self.most = 0
            logging.exception("a partial picture was not stored")

    def _store(self, index: int, body: bytes) -> None:
        facts = self.codec().inspect(body)
        digest = hashlib.sha256(body).hexdigest()
        name = f"partial-{self.attempt.number}-{digest[:8]}.{EXTENSIONS[facts.content_type]}"
        key = f"images/{self.operation.id[-2:]}/{self.operation.id}/{name}"
        self.images.put(key, body, facts.content_type)
        partial = Partial(
            attempt=self.attempt.number,
            slot=self.attempt.slots[0],
            index=index,
            key=key,
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
            bytes=len(body),
        )
        remaining = self.operation.due_at - self.clock.now()  # `sweep` comes no earlier and no later than without it
        self.operation = self.update(
            self.operation, lambda current: current.with_partial(partial), sweep_after=remaining
        )
        self.stored += 1
