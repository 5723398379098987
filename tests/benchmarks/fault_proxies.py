"""The two proxies of the fault campaign: between the functions and AWS, and between them and the upstreams."""

import json
from typing import Any

from benchmarks.faulty_proxy import Fate, FaultyProxy, Request

OF_AWS = {
    Fate.REFUSED: 0.03,
    Fate.LOST: 0.03,
    Fate.DELAYED: 0.03,
    Fate.TRUNCATED: 0.03,
    Fate.DOUBLED: 0.03,
    Fate.BROKEN: 0.03,
    Fate.THROTTLED: 0.03,
}
OF_UPSTREAMS = {
    Fate.REFUSED: 0.06,
    Fate.LOST: 0.06,
    Fate.DELAYED: 0.06,
    Fate.TRUNCATED: 0.06,
    Fate.BROKEN: 0.06,
    Fate.THROTTLED: 0.06,
}
"""None is doubled: nothing between a function and an upstream sends a request twice."""
_LONGEST_AWS_DELAY = 8.0
"""Beyond the clients' own timeouts (adapters/aws.py)."""
_LONGEST_UPSTREAM_DELAY = 3.0
_TARGETS = {
    b"DynamoDB_20120810": "dynamodb",
    b"AWSStepFunctions": "states",
    b"AmazonSSM": "ssm",
    b"AmazonSQS": "sqs",
    b"AWSEvents": "events",
}
_THROTTLES = {
    "dynamodb": (400, "com.amazonaws.dynamodb.v20120810#ThrottlingException"),
    "states": (400, "ThrottlingException"),
    "ssm": (400, "ThrottlingException"),
    "sqs": (403, "com.amazonaws.sqs#RequestThrottled"),
    "events": (400, "ThrottlingException"),
    "s3": (503, "SlowDown"),
}


def aws_proxy(seed: int) -> FaultyProxy:
    """A proxy that is taken for AWS."""
    return FaultyProxy(seed, OF_AWS, aws_action, aws_answer, _LONGEST_AWS_DELAY)


def upstream_proxy(seed: int) -> FaultyProxy:
    """A proxy that is taken for every upstream."""
    return FaultyProxy(seed, OF_UPSTREAMS, _upstream_action, _answer_of_upstream, _LONGEST_UPSTREAM_DELAY)


def aws_action(request: Request) -> str:
    """Service and action, such as `dynamodb PutItem`; of S3 the method."""
    target, _, action = request.header(b"x-amz-target").partition(b".")
    service = _TARGETS.get(target, "s3")
    return f"{service} {action.decode() or _method(request)}"


def _upstream_action(request: Request) -> str:
    return _method(request)


def _method(request: Request) -> str:
    return request.line.split(b" ")[0].decode()


def aws_answer(request: Request, fate: Fate) -> bytes:
    """What the service answers that the request is for."""
    service = aws_action(request).partition(" ")[0]
    status, code = _THROTTLES[service] if fate is Fate.THROTTLED else (500, "InternalServerError")
    if service == "s3":
        code = "InternalError" if fate is Fate.BROKEN else code
        return _rendered(status, "application/xml", f"<Error><Code>{code}</Code><Message>Again.</Message></Error>")
    return _rendered(status, "application/x-amz-json-1.0", {"__type": code, "message": "Again."})


def _answer_of_upstream(request: Request, fate: Fate) -> bytes:
    status = 429 if fate is Fate.THROTTLED else 500
    return _rendered(status, "application/json", {"error": {"message": "Try again.", "code": status}})


def _rendered(status: int, content_type: str, content: Any) -> bytes:
    body = (content if isinstance(content, str) else json.dumps(content)).encode()
    head = f"HTTP/1.1 {status} Fault\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
