"""Pictures in a private S3 bucket, handed out as presigned URLs."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, SIGV4_TIMESTAMP, S3SigV4QueryAuth
from botocore.config import Config
from botocore.exceptions import ClientError

from imagegate.adapters.aws import session

SVG = "image/svg+xml"
_DELETED_PER_CALL = 1000
_STEADY_SECONDS = 300
"""For so long a process gives a picture the same URL, so that caches know it again. Another process signs another."""
_GONE = frozenset({"NoSuchKey", "AccessDenied"})
"""What S3 says of an object that is not there: the latter to roles that may not list the bucket, as none here may."""
_DAY = 86_400.0
_CONFLICT_PAUSES = (0.1, 0.3, 0.9)
"""Seconds before a put is repeated that met another of the same key."""


class _SteadyAuth(S3SigV4QueryAuth):
    """Presigns as of the last five minutes' mark (at most half the URL's life ago), not as of now."""

    def _modify_request_before_signing(self, request: Any) -> None:
        moment = datetime.strptime(request.context["timestamp"], SIGV4_TIMESTAMP)
        step = min(_STEADY_SECONDS, self._expires // 2)  # type: ignore[attr-defined]
        past = (moment - datetime.min).total_seconds() % step
        request.context["timestamp"] = (moment - timedelta(seconds=past)).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)  # type: ignore[misc]


# botocore offers no other way to say as of when a URL is signed.
AUTH_TYPE_MAPS["s3v4-query"] = _SteadyAuth


def s3_client(region: str) -> Any:
    """An S3 client that presigns with Signature 4 on the regional host.

    botocore's defaults are Signature 2 in us-east-1, and the global host in most regions
    (docs/protocols/aws.md#presigned-urls).
    """
    config = Config(
        user_agent="imagegate",
        signature_version="s3v4",
        s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
        connect_timeout=3,
        # Of silence, not of the whole transfer; those that S3 leaves unanswered are few, and repeated below.
        read_timeout=10,
        tcp_keepalive=True,
        # Many, because a SYNC upstream returns a picture's bytes once, and they were paid for.
        retries={"mode": "standard", "total_max_attempts": 8},
    )
    return session().create_client("s3", region_name=region, config=config)


class S3Images:
    """The ImageStore on one bucket."""

    def __init__(
        self, make_client: Callable[[], Any], bucket: str, presign_seconds: int, days: Mapping[str, float]
    ) -> None:
        """`make_client` is called once, when the bucket is first needed: few requests of the api function need it.

        `days`: how long the bucket keeps objects at least, by the first part of their keys.
        """
        self._make_client = make_client
        self._days = days
        self._bucket = bucket
        self._presign_seconds = presign_seconds

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def put(self, key: str, body: bytes, content_type: str, *, overwrite: bool = False) -> None:
        """Store under `key`; an existing key keeps its bytes, so that a step may run twice.

        `overwrite`: write it in any case, so that the bucket's lifecycle counts its days from now.
        """
        stored = {"Bucket": self._bucket, "Key": key, "Body": body, "ContentType": content_type}
        # A browser that opens an SVG runs what is in it; shown in a page's <img> it does not, attachment or not.
        stored["ContentDisposition"] = "attachment" if content_type == SVG else "inline"
        if overwrite:
            self._client.put_object(**stored)
        else:
            self._put_once(stored)

    def _put_once(self, stored: dict[str, Any]) -> None:
        """Put an object that is not there yet; of two concurrent writers one gets a conflict and retries."""
        for pause in (*_CONFLICT_PAUSES, None):
            try:
                self._client.put_object(**stored, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) == "PreconditionFailed":
                    return
                if _code(error) != "ConditionalRequestConflict" or pause is None:
                    raise
                time.sleep(pause)
            else:
                return

    def get(self, key: str, written_at: float) -> bytes:
        """Read the bytes back. Raises KeyError when they are gone, and logs an error where they must still be there.

        `written_at`: when they were stored at the earliest, in seconds since the epoch.
        """
        try:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if _code(error) in _GONE:
                self._tell(key, written_at, _code(error))
                raise KeyError(key) from None
            raise
        return body

    def _tell(self, key: str, written_at: float, code: str) -> None:
        """S3 does not say whether a role may not read an object, or the object is gone; its age may."""
        if time.time() < written_at + self._days.get(key.partition("/")[0], 0) * _DAY:
            logging.error("%s must still be in the bucket, but S3 says %s", key, code)
        else:
            logging.warning("%s is no longer kept: S3 says %s", key, code)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove the objects; those already gone are no error."""
        for start in range(0, len(keys), _DELETED_PER_CALL):
            objects = [{"Key": key} for key in keys[start : start + _DELETED_PER_CALL]]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})

    def sign_upload(self, key: str, content_type: str, largest: int, seconds: int) -> tuple[str, Mapping[str, str]]:
        """Where to POST a form that stores one file under `key`, and its fields (S3's POST policies)."""
        typed = {"Content-Type": content_type}
        conditions = [typed, ["content-length-range", 1, largest]]
        form = self._client.generate_presigned_post(self._bucket, key, typed, conditions, seconds)
        return form["url"], form["fields"]

    def presign(self, key: str) -> str:
        """A URL that anybody may GET until it expires (at most an hour).

        Of one process it is the same one for up to five minutes; the session of its credentials is part of it.
        """
        url: str = self._client.generate_presigned_url(
            "get_object", {"Bucket": self._bucket, "Key": key}, ExpiresIn=self._presign_seconds
        )
        return url


def _code(error: ClientError) -> str:
    code: str = error.response["Error"]["Code"]
    return code
