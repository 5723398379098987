"""Accept a request that brings pictures to work from: they are stored before it is written down, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import Conflict, RequestError
from imagegate.ports.storage import ImageStore
from imagegate.usecases.start import GenerationRequest, Start, Started


@dataclass(frozen=True, slots=True)
class StartFromPictures:
    """`Start` for requests whose pictures came along."""

    start: Start
    images: ImageStore

    def __call__(self, generation: GenerationRequest, bodies: Mapping[str, bytes], principal: Principal) -> Started:
        """Store `bodies` (by the keys in the request), then start; raises what `Start` raises.

        The keys are this request's own. What is refused or belongs to an earlier operation leaves no object behind;
        what a crash in between leaves, the bucket's lifecycle removes.
        """
        self.start.check(generation, principal)
        for picture in generation.request.pictures_sent:
            self.images.put(picture.key, bodies[picture.key], picture.content_type, overwrite=True)
        try:
            started = self.start(generation, principal)
        except (RequestError, Conflict):
            # Of these it is certain that nothing was written; after other errors the operation may be there.
            self.images.delete([*bodies])
            raise
        if started.operation.request.pictures_sent != generation.request.pictures_sent:
            self.images.delete([*bodies])
        return started
