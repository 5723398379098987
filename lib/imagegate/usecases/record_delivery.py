"""Record the webhook delivery of an event, from the operation at that version, and queue it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from imagegate.domain.errors import Conflict
from imagegate.domain.operation.events import Event
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.representation import picture_id
from imagegate.domain.operation.webhook_body import build_body
from imagegate.domain.webhooks.delivery import Delivery
from imagegate.ports.messaging import Deliveries
from imagegate.ports.runtime import PictureLink, QueueRedelivery


@dataclass(frozen=True, slots=True)
class PictureStore:
    """Adds the URLs of an operation and its pictures."""

    base_url: str
    link: PictureLink

    def add_urls(self, detail: Mapping[str, Any], operation: Operation) -> Mapping[str, Any]:
        """The event's detail with URLs."""
        rendered = detail["operation"]
        images = [self._image(entry, operation) for entry in rendered["images"]]
        urls = {"self": f"{self.base_url}/v1/operations/{operation.id}"}
        located = {**rendered, "images": images, "urls": urls}
        details = {name: detail[name] for name in ("event_id", "sequence", "abridged")}
        return {**details, "operation": located}

    def _image(self, image: Mapping[str, Any], operation: Operation) -> Mapping[str, Any]:
        slot = image["slot"]
        return {**image, "id": picture_id(operation, slot), "url": self.base_url + self.link(operation, slot)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivery:
    """Writes the delivery of an event before anything is sent; `deliver` sends only recorded deliveries."""

    deliveries: Deliveries
    pictures: PictureStore
    queue_delivery: QueueRedelivery
    """Wakes `deliver`."""
    retention: float
    """Seconds for which an operation's record is kept."""

    def __call__(self, event: Event) -> None:
        """Record the event's delivery once, however often this is called, and queue it for `deliver`."""
        operation = event.operation
        delivery = Delivery(
            operation_id=operation.id,
            sequence=operation.version,
            event=event.name,
            event_id=event.id,
            body=build_body(event.name, self.pictures.add_urls(event.detail(), operation)),
            announced_at=operation.updated_at,
            expires_at=operation.created_at + self.retention,
            version=1,
        )
        with suppress(Conflict):  # the stream delivers a change at least once
            self.deliveries.put(delivery)
        self.queue_delivery(operation.id, operation.version)
