"""Protobuf's own parser on our JSON, and plain gRPC calls: a long-lived process that answers lines with lines.

- {"parse": <message>, "document": {…}, "lenient": bool} -> {"canonical": {…}} or {"rejected": why};
  <message> is Request, Operation or Status.
- {"call": <method>, "request": {…}, "metadata": {…}, "timeout": s} -> {"code", "details", "packed", "trailing",
  "answer"}; <method> is a name of `CALLS`. Where to go are the arguments: address, and the file of roots if TLS is
  spoken.
"""

import json
import sys
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.rpc import error_details_pb2  # noqa: F401
from google.rpc.status_pb2 import Status
from yandex.cloud.ai.foundation_models.v1.image_generation import image_generation_service_pb2 as images
from yandex.cloud.ai.foundation_models.v1.image_generation import image_generation_service_pb2_grpc as images_grpc
from yandex.cloud.ai.foundation_models.v1.text_generation import text_generation_service_pb2 as text
from yandex.cloud.ai.foundation_models.v1.text_generation import text_generation_service_pb2_grpc as text_grpc
from yandex.cloud.endpoint import api_endpoint_service_pb2 as endpoints
from yandex.cloud.endpoint import api_endpoint_service_pb2_grpc as endpoints_grpc
from yandex.cloud.operation import operation_service_pb2 as operations
from yandex.cloud.operation import operation_service_pb2_grpc as operations_grpc
from yandex.cloud.operation.operation_pb2 import Operation

MESSAGES = {"Request": images.ImageGenerationRequest, "Operation": Operation, "Status": Status}
CALLS = {
    "List": (endpoints_grpc.ApiEndpointServiceStub, "List", endpoints.ListApiEndpointsRequest),
    "Endpoint": (endpoints_grpc.ApiEndpointServiceStub, "Get", endpoints.GetApiEndpointRequest),
    "Generate": (images_grpc.ImageGenerationAsyncServiceStub, "Generate", images.ImageGenerationRequest),
    "Get": (operations_grpc.OperationServiceStub, "Get", operations.GetOperationRequest),
    "Cancel": (operations_grpc.OperationServiceStub, "Cancel", operations.CancelOperationRequest),
    "Completion": (text_grpc.TextGenerationServiceStub, "Completion", text.CompletionRequest),
}


def parsed(asked: dict[str, Any]) -> dict[str, Any]:
    """What protobuf makes of a document."""
    message = MESSAGES[asked["parse"]]()
    try:
        ParseDict(asked["document"], message, ignore_unknown_fields=asked.get("lenient", False))
    except ParseError as error:
        return {"rejected": str(error)}
    return {"canonical": MessageToDict(message)}


def called(asked: dict[str, Any], channel: grpc.Channel) -> dict[str, Any]:
    """What a call came to."""
    stub, method, request = CALLS[asked["call"]]
    call = getattr(stub(channel), method)
    sent = ParseDict(asked.get("request", {}), request())
    metadata = tuple(asked.get("metadata", {}).items())
    try:
        if asked["call"] == "Completion":
            stream = call(sent, metadata=metadata, timeout=asked.get("timeout"))
            return done(stream, [MessageToDict(entry) for entry in stream])
        answer, outcome = call.with_call(sent, metadata=metadata, timeout=asked.get("timeout"))
        return done(outcome, MessageToDict(answer))
    except grpc.RpcError as error:
        return done(error, None)


def done(call: Any, answer: Any) -> dict[str, Any]:
    """A call that has ended."""
    trailing = dict(call.trailing_metadata() or ())
    rich = trailing.pop("grpc-status-details-bin", b"")
    packed = [MessageToDict(detail) for detail in Status.FromString(rich).details]
    code, details = call.code().name, call.details()
    return {"code": code, "details": details, "packed": packed, "trailing": trailing, "answer": answer}


def channel_to(address: str, roots: str) -> grpc.Channel:
    """A channel; without TLS when `roots` is empty."""
    if not roots:
        return grpc.insecure_channel(address)
    with open(roots, "rb") as file:
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))


def main() -> None:
    """Answer lines until there are no more."""
    channel = channel_to(*sys.argv[1:3]) if sys.argv[1:] else None
    for line in sys.stdin:
        sent = json.loads(line)
        print(json.dumps(parsed(sent) if "parse" in sent else called(sent, channel)), flush=True)


if __name__ == "__main__":
    main()
