"""Store finished pictures: fetch, check, convert, and put them in S3."""

import hashlib
from dataclasses import dataclass, replace
from itertools import chain, repeat

from imagegate import __version__
from imagegate.domain.errors import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Attempt, Source
from imagegate.domain.operation.operation import Operation, Picture
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.pictures.marks import Provenance
from imagegate.domain.pictures.provenance import mark, read_marks
from imagegate.domain.pictures.xmp import Origin
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.request import ImageRequest
from imagegate.ports.storage import ImageStore
from imagegate.ports.upstreams import Http, PictureCodec, PictureFacts, Provider

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
CONTENT_TYPES = {name: content_type for content_type, name in FORMATS.items()}
_PERMANENT = {FailureCode.EXPIRED, FailureCode.BAD_PAYLOAD, FailureCode.CONTENT_FILTERED}


@dataclass(frozen=True, slots=True)
class StoredPictures:
    """The pictures of an attempt that are in S3."""

    pictures: tuple[Picture, ...]
    failure: Failure | None = None
    """Why some are missing. A retryable failure comes before a final one, and a final one before the rest."""

    @property
    def retryable(self) -> bool:
        """True when a further fetch may succeed."""
        return self.failure is not None and self.failure.code not in _PERMANENT


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePictures:
    """Stores the pictures of an attempt. Safe to run twice: a key is determined by the bytes."""

    images: ImageStore
    http: Http
    codec: PictureCodec
    with_prompt: bool = False
    """Whether the prompt is written into the pictures."""

    def __call__(self, operation: Operation, attempt: Attempt, ready: Ready, provider: Provider) -> StoredPictures:
        """Store the pictures of `attempt`, which `provider` made, that the operation does not have yet.

        Only the host of the provider's own base URL may have a private address.
        """
        filled = {picture.slot for picture in operation.pictures}
        results: list[bytes | Source] = [*ready.bodies, *ready.sources]
        prompts = chain(ready.revised_prompts[-len(results) :], repeat(None))
        pictures: list[Picture] = []
        failures = (
            [] if results else [Failure(FailureCode.BAD_PAYLOAD, f"{attempt.provider} is ready without a picture.")]
        )
        # Of pictures that came as bytes and as URLs, only the URLs are there when they are fetched again.
        for slot, entry, revised in zip(attempt.slots[-len(results) :], results, prompts, strict=False):
            if slot in filled:
                continue
            try:
                body = self.http.download(entry.url, provider.base_url) if isinstance(entry, Source) else entry
                pictures.append(self._store(operation, attempt, slot, body, revised, provider.limits))
            except UpstreamError as error:
                failures.append(error.failure)
        failures.sort(key=lambda failure: (failure.code in _PERMANENT, not failure.final))
        return StoredPictures(tuple(pictures), failures[0] if failures else None)

    def _store(
        self, operation: Operation, attempt: Attempt, slot: int, body: bytes, revised: str | None, limits: Limits
    ) -> Picture:
        made_from = revised or operation.prompt_for(attempt)
        origin = self._origin(operation, attempt, made_from)
        body, facts, converted_from, provenance = self._finish(body, operation.request, limits, origin)
        was_revised = not operation.request.private and made_from != operation.request.prompt
        digest = hashlib.sha256(body).hexdigest()
        # With the digest, because a slot may be made twice: a crash leaves the first picture in S3.
        name = f"{slot}-{digest[:8]}.{EXTENSIONS[facts.content_type]}"
        key = f"images/{operation.id[-2:]}/{operation.id}/{name}"
        self.images.put(key, body, facts.content_type)
        preview = self._store_preview(key, body)
        return Picture(
            slot=slot,
            key=key,
            sha256=digest,
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
            single_colour=facts.single_colour,
            converted_from=converted_from,
            provenance=provenance,
            preview=preview,
            bytes=len(body),
            provider=attempt.provider,
            seed=attempt.seed,
            # Servers like g4f always return a prompt, even the one that they were given.
            revised_prompt=made_from if was_revised else None,
        )

    def _store_preview(self, key: str, body: bytes) -> str | None:
        """Store the picture's preview beside it, and return its key."""
        preview = self.codec.preview(body)
        if preview is None:
            return None
        preview_key = f"{key.rpartition('.')[0]}.preview.webp"
        self.images.put(preview_key, preview, "image/webp")
        return preview_key

    def _origin(self, operation: Operation, attempt: Attempt, made_from: str | None) -> Origin:
        """What is written into a picture of the attempt: the same in every run."""
        request = operation.request
        tells = self.with_prompt and not request.private
        return Origin(
            provider=attempt.provider,
            model=attempt.model,
            operation=operation.id,
            made_at=attempt.started_at,
            generator=f"imagegate {__version__}",
            edited=request.mask is not None,
            prompt=made_from or request.prompt if tells else None,
        )

    def _finish(
        self, body: bytes, request: ImageRequest, limits: Limits, origin: Origin
    ) -> tuple[bytes, PictureFacts, str | None, Provenance]:
        """The picture as it was requested and with its origin in it, its facts, and the content type that it was
        encoded again from, if it was.

        The upstream's bytes are kept wherever they fit, because encoding again loses quality and the upstream's
        signature. 100 asks for no loss, which encoding again would add.
        """
        facts = self.codec.inspect(body)  # which decodes it, and is most of the work
        made = FORMATS[facts.content_type]
        wanted = request.output_format or made
        compressed = request.output_compression in (None, 100) or made == "png" or limits.compresses
        if wanted == made and compressed:
            body, provenance = mark(body, facts.content_type, origin)
            return body, facts, None, provenance
        converted = self.codec.convert(body, wanted, request.output_compression)
        content_type = CONTENT_TYPES[wanted]
        marked, provenance = mark(converted, content_type, origin, read_marks(body, facts.content_type))
        return marked, replace(facts, content_type=content_type), facts.content_type, provenance
