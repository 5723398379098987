"""Bring finished pictures home: fetch, check, convert, put in S3."""

import hashlib
from dataclasses import dataclass
from itertools import chain, repeat

from imagegate.domain.attempt import Attempt
from imagegate.domain.operation import Operation, Picture
from imagegate.domain.outcome import Ready
from imagegate.domain.request import ImageRequest
from imagegate.ports.keeping import ImageStore
from imagegate.ports.making import Http, Pictures

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Keep:
    """Stores what an attempt yielded. Safe to run twice: keys are fixed and never overwritten."""

    images: ImageStore
    http: Http
    pictures: Pictures

    def __call__(self, operation: Operation, attempt: Attempt, ready: Ready, base: str) -> tuple[Picture, ...]:
        """The pictures of `attempt`, now in S3.

        `base`: the provider's base URL, the one host allowed to be private.
        Raises UpstreamError when a picture cannot be fetched or is not one.
        """
        bodies = [*ready.bodies, *(self.http.download(source.url, base) for source in ready.sources)]
        told = chain(ready.revised_prompts, repeat(None))
        kept = zip(attempt.slots, bodies, told, strict=False)
        return tuple(self._store(operation, attempt, slot, body, revised) for slot, body, revised in kept)

    def _store(self, operation: Operation, attempt: Attempt, slot: int, body: bytes, revised: str | None) -> Picture:
        body, made_from = self._converted(body, operation.request), revised or operation.words_for(attempt)
        told = not operation.request.private and made_from != operation.request.prompt
        facts = self.pictures.inspect(body)
        key = f"images/{operation.id[-2:]}/{operation.id}/{slot}.{EXTENSIONS[facts.content_type]}"
        self.images.put(key, body, facts.content_type)
        return Picture(
            slot=slot,
            key=key,
            sha256=hashlib.sha256(body).hexdigest(),
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
            bytes=len(body),
            provider=attempt.provider,
            seed=attempt.seed,
            # Servers of the g4f kind always tell a prompt, also when it is the one they were given.
            revised_prompt=made_from if told else None,
        )

    def _converted(self, body: bytes, request: ImageRequest) -> bytes:
        """The body in the format asked for; compressed anew only where that is asked for as well."""
        made = FORMATS[self.pictures.inspect(body).content_type]
        wanted = request.output_format or made
        if wanted == made and (request.output_compression is None or made == "png"):
            return body
        return self.pictures.convert(body, wanted, request.output_compression)
