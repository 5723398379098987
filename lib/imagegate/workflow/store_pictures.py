"""Store finished pictures: fetch, check, convert, and put them in S3."""

import hashlib
from dataclasses import dataclass, replace
from itertools import chain, repeat

from imagegate import __version__
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Attempt, Source
from imagegate.domain.operation.honoured import unmet
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.operation.picture import Picture
from imagegate.domain.pictures.appended import without_appended
from imagegate.domain.pictures.content_types import EXTENSIONS, FORMATS
from imagegate.domain.pictures.headers import made_type_of
from imagegate.domain.pictures.marks import Provenance
from imagegate.domain.pictures.provenance import mark, read_marks
from imagegate.domain.pictures.xmp import Origin
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.request import ImageRequest
from imagegate.ports.storage import ImageStore
from imagegate.ports.upstreams import Http, PictureCodec, PictureFacts, PictureSigner, Provider
from imagegate.workflow.sign_picture import sign_picture

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
class _Finished:
    """A picture as it is stored."""

    body: bytes
    facts: PictureFacts
    provenance: Provenance
    converted_from: str | None = None
    unmet: tuple[str, ...] = ()
    """Fields of the request that it does not show, for the format that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePictures:
    """Stores the pictures of an attempt. Safe to run twice: a key is determined by the bytes."""

    images: ImageStore
    http: Http
    codec: PictureCodec
    with_prompt: bool = False
    """Whether the prompt is written into the pictures."""
    signer: PictureSigner | None = None
    """What signs the pictures; `None` where none are."""

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
        self, operation: Operation, attempt: Attempt, slot: int, made: bytes, revised: str | None, limits: Limits
    ) -> Picture:
        request = operation.request
        made_from = revised or operation.prompt_for(attempt)
        was_revised = not request.private and made_from != request.prompt
        finished = self._finish(made, request, limits, self._origin(operation, attempt, made_from))
        facts, digest = finished.facts, hashlib.sha256(finished.body).hexdigest()
        # With the digest, because a slot may be made twice: a crash leaves the first picture in S3.
        name = f"{slot}-{digest[:8]}.{EXTENSIONS[facts.content_type]}"
        key = f"images/{operation.id[-2:]}/{operation.id}/{name}"
        self.images.put(key, finished.body, facts.content_type)
        preview = self._store_preview(key, finished.body)
        unmet_fields = unmet(request, facts.width, facts.height, transparent=facts.transparent)
        return Picture(
            slot=slot,
            key=key,
            sha256=digest,
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
            frames=facts.frames,
            single_colour=facts.single_colour,
            converted_from=finished.converted_from,
            provenance=finished.provenance,
            preview=preview,
            source_sha256=hashlib.sha256(made).hexdigest(),
            not_honoured=(*unmet_fields, *finished.unmet),
            bytes=len(finished.body),
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

    def _finish(self, made: bytes, request: ImageRequest, limits: Limits, origin: Origin) -> _Finished:
        """The picture as it was requested, with its origin in it.

        The upstream's bytes are kept wherever they fit, because encoding again loses quality and the upstream's
        signature. They are also kept where nothing of the format asked for can be made of them: they were paid for.
        What is behind the picture in its file is cut off, because it may be a page or a program.
        """
        made = without_appended(made, made_type_of(made))
        facts = self.codec.inspect(made)  # which decodes it, and is most of the work
        if _fits(facts, request, limits) or not _converts(facts, request):
            body, provenance = mark(made, facts.content_type, origin)
            body, provenance = sign_picture(self.signer, body, facts.content_type, provenance, origin)
            other = request.output_format not in (None, FORMATS[facts.content_type])
            return _Finished(body=body, facts=facts, provenance=provenance, unmet=("output_format",) if other else ())
        wanted = request.output_format or FORMATS[facts.content_type]
        converted = self.codec.convert(made, wanted, request.output_compression)
        came_with = read_marks(made, facts.content_type)
        still = replace(facts, content_type=CONTENT_TYPES[wanted], frames=1)
        still = replace(still, transparent=facts.transparent and wanted != "jpeg")
        body, provenance = mark(converted, still.content_type, origin, came_with)
        source = made, facts.content_type
        body, provenance = sign_picture(self.signer, body, still.content_type, provenance, origin, source)
        return _Finished(body=body, facts=still, provenance=provenance, converted_from=facts.content_type)


def _fits(facts: PictureFacts, request: ImageRequest, limits: Limits) -> bool:
    """True when the upstream's bytes are what was asked for. 100 asks for no loss, which encoding again would add."""
    made = FORMATS[facts.content_type]
    compressed = request.output_compression in (None, 100) or made not in ("jpeg", "webp") or limits.compresses
    return (request.output_format or made) == made and compressed


def _converts(facts: PictureFacts, request: ImageRequest) -> bool:
    """True when the format asked for can be made of the picture: not of drawings, and of an animation only a still."""
    if facts.content_type == "image/svg+xml":
        return False
    return facts.frames == 1 or request.output_format in ("png", "jpeg")
