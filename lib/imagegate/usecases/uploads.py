"""Pictures that are too large for a request: sent to the bucket with a signed form, then named in a request."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagegate.domain.errors import InvalidRequest, TooLarge
from imagegate.domain.operation.ids import created_at, is_id, new_id
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import ImageStore

LARGEST_UPLOAD = 32 * 1024 * 1024
"""Bytes of an upload, and of all uploads of a request together, which a function holds in memory."""
FORM_SECONDS = 900
"""Seconds for which the form is accepted."""
USABLE_SECONDS = 3600.0
"""Seconds for which an upload can be used. Several requests may use it, because clients repeat theirs."""
_REMEDY = "POST /v1/uploads again, send the picture, and use the new id within an hour."


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadForm:
    """A form to be posted to `url` with the file as its last field, `file`."""

    id: str
    url: str
    fields: Mapping[str, str]
    expires_at: float
    """When the form is no longer accepted, in seconds since the epoch."""
    usable_until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """The uploads of all owners; an owner's key leads to none of another's."""

    images: ImageStore
    clock: Clock

    def begin(self, owner: str, content_type: str) -> UploadForm:
        """A form for one picture of that content type."""
        now = self.clock.now()
        upload_id = new_id(now)
        url, fields = self.images.sign_upload(_key(owner, upload_id), content_type, LARGEST_UPLOAD, FORM_SECONDS)
        return UploadForm(
            id=upload_id, url=url, fields=fields, expires_at=now + FORM_SECONDS, usable_until=now + USABLE_SECONDS
        )

    def read(self, owner: str, ids: Sequence[str]) -> list[bytes]:
        """The uploaded bytes, in that order. Raises InvalidRequest for one that is not there, TooLarge for too many."""
        bodies, left = list[bytes](), LARGEST_UPLOAD
        for upload_id in ids:
            bodies.append(self._read(owner, upload_id))
            left -= len(bodies[-1])
            if left < 0:
                raise TooLarge(f"The uploads of a request may have {LARGEST_UPLOAD} bytes together.")
        return bodies

    def _read(self, owner: str, upload_id: str) -> bytes:
        if is_id(upload_id) and self.clock.now() < created_at(upload_id) + USABLE_SECONDS:
            try:
                return self.images.get(_key(owner, upload_id), created_at(upload_id))
            except KeyError:
                pass
        raise InvalidRequest(f"There is no upload '{upload_id}', or no longer.", param="image", remedy=_REMEDY)


def _key(owner: str, upload_id: str) -> str:
    return f"uploads/{hashlib.sha256(owner.encode()).hexdigest()[:32]}/{upload_id}"
