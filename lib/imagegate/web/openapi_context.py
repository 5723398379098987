"""What the examples of the OpenAPI document are rendered with in place of a deployment."""

from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture
from imagegate.domain.operation.representation import picture_path
from imagegate.domain.timing.schedule import Outlook
from imagegate.web import openapi_samples as samples


class SampleContext:
    """The context of an example."""

    picture_link = staticmethod(picture_path)
    public_url = "https://images.example.com"
    partials_sent = 0

    def presigned_url(self, picture: Picture) -> str:
        """The sample's URL."""
        return samples.URL

    def read_base64(self, operation: Operation, picture: Picture) -> str:
        """The beginning of a picture."""
        return "UklGRh4AAABXRUJQVlA4…"

    def read_partial(self, operation: Operation, partial: Partial) -> str:
        """The beginning of a picture."""
        return "UklGRh4AAABXRUJQVlA4…"

    def outlook(self, operation: Operation) -> Outlook:
        """In four seconds."""
        return Outlook(4, samples.AT + 4.0)
