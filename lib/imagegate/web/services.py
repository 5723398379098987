"""The use cases and ports that the HTTP front needs; a Deployment makes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from imagegate.dialects.openai.pictures import MADE_HERE, UPLOAD
from imagegate.domain.errors import Gone, InvalidRequest, UnknownOperation
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Target
from imagegate.ports.messaging import Deliveries, DisabledWebhooks
from imagegate.ports.storage import Listing, UsageLedger
from imagegate.usecases.cancel import Cancel
from imagegate.usecases.delete import Delete
from imagegate.usecases.redeliver import Redeliver
from imagegate.usecases.retry import Retry
from imagegate.usecases.start import Start
from imagegate.usecases.uploads import Uploads
from imagegate.web.wait_services import WaitServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(WaitServices):
    """The use cases and ports behind the routes."""

    usage_ledger: UsageLedger
    start: Start
    cancel: Cancel
    retry: Retry
    delete: Delete
    take_hint: Callable[[str, str], bool]
    """Follows an upstream's hint for an operation that a job has ended; false when its token is not valid."""
    redeliver: Redeliver
    deliveries: Deliveries
    disabled_webhooks: DisabledWebhooks
    estimate: Callable[[ImageRequest], dict[str, Any]]
    fetch_pictures: Callable[[Sequence[str]], Sequence[bytes]]
    """Fetches input pictures at addresses that a caller gives. Raises InvalidRequest."""
    uploads: Uploads
    listing: Listing
    missing_secrets: Callable[[Target], Sequence[str]] = lambda target: ()
    """The names of the credentials of which one has to be set before a provider can be asked; none if it can."""

    def fetch_for(self, owner: str) -> Callable[[Sequence[str]], Sequence[bytes]]:
        """Brings the pictures that a request of that owner names: uploads and results of theirs, and addresses."""

        def fetch(texts: Sequence[str]) -> Sequence[bytes]:
            uploads = [text for text in texts if text.startswith(UPLOAD)]
            made = [text for text in texts if text.startswith(MADE_HERE)]
            addresses = [text for text in texts if not text.startswith((UPLOAD, MADE_HERE))]
            read = self.uploads.read(owner, [text.removeprefix(UPLOAD) for text in uploads])
            bodies = dict(zip(uploads, read, strict=True))
            bodies |= {text: self._made_here(owner, text.removeprefix(MADE_HERE)) for text in made}
            if addresses:
                bodies |= zip(addresses, self.fetch_pictures(addresses), strict=True)
            return [bodies[text] for text in texts]

        return fetch

    def _made_here(self, owner: str, picture_id: str) -> bytes:
        """The bytes of a picture of an operation of that owner. Raises InvalidRequest when there are none."""
        operation_id, _, slot = picture_id.partition("-")
        try:
            operation = self.read(operation_id, owner, consistent=True)
            picture = next(each for each in operation.pictures if str(each.slot) == slot)
            return self.read_bytes(operation, picture)
        except (UnknownOperation, Gone, StopIteration):
            remedy = "Send the picture itself, or leave it out."
            message = f"There is no picture '{picture_id}', or no longer."
            raise InvalidRequest(message, param="image", remedy=remedy) from None

    def facts_of(self, target: Target) -> dict[str, Any]:
        """Whether the target can be used or what it lacks, and how many seconds its jobs have taken."""
        missing = self.missing_secrets(target)
        histogram = None if missing else self.latencies.get(target.provider, target.model)
        return {
            "available": not missing,
            "missing_secrets": list(missing),
            "expected_seconds": round(histogram.quantile(0.5), 1) if histogram else None,
            "slow_seconds": round(histogram.quantile(0.95), 1) if histogram else None,
        }
