"""A picture's road to a client: stored, presigned, fetched, removed."""

import secrets
from collections.abc import Iterator
from typing import Any

from imagegate.cli.doctor.finding import Check, Finding, error, ok
from imagegate.cli.doctor.subject import Subject

_REMEDY = "Use credentials that may write and read this bucket, and check its policy and this machine's clock."


def run(subject: Subject) -> Iterator[Finding]:
    """One small object, which the bucket would remove within a day if this did not."""
    bucket, client = subject.stack.outputs["BucketName"], _client(subject)
    key, body = f"answers/doctor/{secrets.token_hex(8)}", secrets.token_bytes(64)
    client.put_object(Bucket=bucket, Key=key, Body=body)
    try:
        url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=60)
        status, fetched, _ = subject.fetch(url)
    finally:
        client.delete_object(Bucket=bucket, Key=key)
    if status == 200 and fetched == body:
        yield ok("An object was stored, fetched by a presigned URL, and removed.")
    else:
        yield error(f"The presigned URL of an object that was just stored answered HTTP {status}.", _REMEDY)


def _client(subject: Subject) -> Any:
    """The one that signs as the functions' does."""
    from imagegate.adapters.s3_images import s3_client

    return subject.aws("s3") if subject.local else s3_client(subject.clients("s3").meta.region_name)


CHECK = Check(name="presigned URL", run=run, needs=("bucket",), remedy=_REMEDY)
