"""Accept a request with input pictures: they are stored before the operation is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import Conflict, RequestError
from imagegate.ports.storage import ImageStore
from imagegate.usecases.start import GenerationRequest, Start, Started


@dataclass(frozen=True, slots=True)
class StartFromPictures:
    """`Start` for requests with input pictures."""

    start: Start
    images: ImageStore

    def __call__(self, generation: GenerationRequest, bodies: Mapping[str, bytes], principal: Principal) -> Started:
        """Store `bodies` (by the keys in the request), then start; raises what `Start` raises.

        The keys belong to this request alone. A refused or repeated request leaves no objects behind; the bucket's
        lifecycle removes those that a crash leaves.
        """
        accepted = self.start.check(generation, principal)
        for picture in generation.request.pictures_sent:
            self.images.put(picture.key, bodies[picture.key], picture.content_type, overwrite=True)
        try:
            started = self.start(generation, principal, accepted)
        except (RequestError, Conflict):
            # With these errors nothing was written; after any other error the operation may exist.
            self.images.delete([*bodies])
            raise
        if started.operation.request.pictures_sent != generation.request.pictures_sent:
            self.images.delete([*bodies])
        return started
