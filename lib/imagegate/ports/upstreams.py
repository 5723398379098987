"""Upstreams that make pictures, and HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from imagegate.domain.operation.order import InputBody, UpstreamRequest
    from imagegate.domain.operation.outcome import Check, Submission, Ticket
    from imagegate.domain.pictures.xmp import Origin
    from imagegate.domain.request.limits import Limits


class Expander(Protocol):
    """A language model that writes prompts out."""

    def expand(self, prompt: str, characters: int, seconds: float, private: bool = False) -> str:
        """Its answer to `prompt`, of about `characters` at most; gives up after about `seconds`.

        `private`: ask it not to log the prompt, where it has such an option. Raises UpstreamError when it refuses,
        fails or takes too long.
        """


class Secrets(Protocol):
    """Upstream credentials by name."""

    def get(self, name: str) -> str | None:
        """The secret of that name, or `None` when it was never set. Raises UpstreamError(capacity) for "not now"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """The properties of a picture that its bytes show."""

    content_type: str
    width: int
    height: int
    single_colour: bool = False
    frames: int = 1
    transparent: bool = False
    """True when some of its pixels are not opaque."""


PREVIEW_SIDE = 512
"""Pixels of the longer side of a preview at most."""


class PictureCodec(Protocol):
    """Reads and converts picture bytes."""

    def inspect(self, body: bytes) -> PictureFacts:
        """Check that `body` is a whole picture within the caps. Raises UpstreamError(bad_payload)."""

    def convert(self, body: bytes, output_format: str, quality: int | None = None) -> bytes:
        """The same picture, or its first frame, as `png`, `jpeg` or `webp`; `quality` 0 to 100 for the latter two."""

    def preview(self, body: bytes) -> bytes | None:
        """The picture as a WebP of at most PREVIEW_SIDE pixels a side; `None` where none can be made."""

    def turn_upright(self, body: bytes) -> bytes:
        """An input picture in the same format, with its EXIF orientation applied; the same bytes for most."""


class SigningFailed(Exception):
    """A picture could not be signed; the message says why, for the people who run the deployment."""


@dataclass(frozen=True, slots=True)
class ManifestCheck:
    """What the check of a picture's C2PA manifest found."""

    validation: str | None
    """`invalid`, `valid` (whole, by a signer on no list of trusted ones), `trusted`; or `None`: unchecked."""
    signer: str | None = None
    """Whom its certificate names."""


class PictureSigner(Protocol):
    """Writes C2PA manifests into pictures, and checks them."""

    def sign(
        self, body: bytes, content_type: str, origin: Origin, made: tuple[bytes, str] | None, *, from_signed: bool
    ) -> bytes:
        """The picture with a signed manifest. Raises SigningFailed.

        `made`: the upstream's file and its content type, if the picture was converted. `from_signed`: that file is
        signed, and becomes an ingredient of the manifest.
        """

    def check(self, body: bytes, content_type: str) -> ManifestCheck:
        """Check the manifest of a picture that has one."""


@dataclass(frozen=True, slots=True)
class AwsService:
    """An AWS service whose requests are signed with the role of the process."""

    name: str
    """As signatures name it, `bedrock`."""
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request to an upstream."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    """Text fields, urlencoded unless there are `files` or it is to be `multipart`."""
    files: Sequence[tuple[str, InputBody]] = ()
    """Files of a multipart/form-data body, by field name; a name may come more than once."""
    multipart: bool = False
    """Whether `form` goes as multipart/form-data without `files` too."""
    timeout: float = 30.0
    """Seconds without a byte after which the upstream counts as silent."""
    total_timeout: float = 120.0
    """Seconds for which the answer is read, however steadily it drips."""
    on_event: Callable[[bytes], bool] | None = None
    """Takes each event of an answer that is a text/event-stream as it comes, and never raises; those for which it
    returns False are left out of the answer. Then `total_timeout` runs from the start of the request."""
    idempotent: bool = False
    """Asking twice does no harm, whatever the method: an answer that breaks off is a failure, not ambiguous."""
    ca_bundle: str = ""
    """Certificates (PEM) of authorities to trust beside the usual ones."""
    aws_service: AwsService | None = None
    """The service to sign the request for; `None`: it is not signed."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An upstream's answer, read whole (within the size cap)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a text/event-stream."""

    event: str
    data: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Which hosts a provider's calls and downloads may go to."""

    private_network: bool = False
    """Whether its servers may have addresses that are not on the public internet."""
    picture_hosts: tuple[str, ...] = ()
    """Hosts, with a port if it is not the usual one, that pictures are fetched from beside the provider's own; empty:
    every public one by https."""


class Http(Protocol):
    """The one way to an upstream; owns timeouts, size caps, redirects and address rules."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and read the answer, whatever its status.

        Raises UpstreamError(upstream_timeout | upstream_failed | ambiguous) when there is no answer:
        `ambiguous` when the request may have been read.
        """

    def stream(self, request: HttpRequest, hold_until: float) -> Iterator[ServerSentEvent]:
        """Events as they come, until the stream or the time (seconds since the epoch) ends.

        Raises UpstreamError(capacity | rate_limited) when the stream was never opened, so that nothing of it is lost;
        with any other code it may have been, and broke (`expired`: there is none, or no longer).
        """

    def download(self, url: str, trusted_base: str) -> bytes:
        """Fetch a picture without credentials; private addresses only on `trusted_base`'s own host.

        Raises UpstreamError: `expired` and `bad_payload` are permanent, any other code may pass. Never a code that is
        `Failure.certainly_free`, because the picture has been made.
        """


class Provider(Protocol):
    """An upstream that makes pictures."""

    name: str
    base_url: str
    limits: Limits

    def submit(self, upstream_request: UpstreamRequest) -> Submission:
        """Ask for the pictures. Raises UpstreamError when refused or unreachable."""

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Check the job; may wait until `hold_until` (seconds since the epoch), never longer.

        Raises UpstreamError when this check failed but the job may still be alive.
        """

    def cancel(self, ticket: Ticket) -> None:
        """Ask the upstream to stop, where it can; never raises for a job already gone."""


ProviderFor = Callable[[str], Provider]
"""Finds a provider by its name in the route table."""
