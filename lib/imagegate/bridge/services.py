"""The gRPC services, and of them the methods, that the vendor's SDK calls to make a picture."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
from yandex.cloud.ai.foundation_models.v1.image_generation import image_generation_service_pb2_grpc as images_grpc
from yandex.cloud.ai.foundation_models.v1.text_generation import text_generation_service_pb2_grpc as text_grpc
from yandex.cloud.endpoint import api_endpoint_service_pb2_grpc as endpoints_grpc
from yandex.cloud.endpoint.api_endpoint_pb2 import ApiEndpoint
from yandex.cloud.endpoint.api_endpoint_service_pb2 import ListApiEndpointsResponse
from yandex.cloud.operation import operation_service_pb2_grpc as operations_grpc

from imagegate.bridge.calls import Say, answered
from imagegate.bridge.gateway import Gateway
from imagegate.bridge.text import TextModel

SERVED = ("ai-foundation-models", "operation")
"""The ids under which the SDK looks for these services."""
_PATIENCE = 60.0
"""Seconds for what imagegate answers at once."""
_TEXT_PATIENCE = 600.0


class _Endpoints:
    """Names this address for every service."""

    def __init__(self, address: str) -> None:
        self._endpoints = {name: ApiEndpoint(id=name, address=address) for name in SERVED}

    async def List(self, request: Any, context: Any) -> ListApiEndpointsResponse:
        return ListApiEndpointsResponse(endpoints=self._endpoints.values())

    async def Get(self, request: Any, context: Any) -> Any:
        if request.api_endpoint_id not in self._endpoints:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Only {' and '.join(SERVED)} are here.")
        return self._endpoints[request.api_endpoint_id]


class _Images:
    def __init__(self, gateway: Gateway, say: Say) -> None:
        self._gateway, self._say = gateway, say

    async def Generate(self, request: Any, context: Any) -> Any:
        return await answered(
            "Generate", context, _PATIENCE, self._say, lambda headers: self._gateway.generate(request, headers)
        )


class _Operations:
    def __init__(self, gateway: Gateway, say: Say) -> None:
        self._gateway, self._say = gateway, say

    async def Get(self, request: Any, context: Any) -> Any:
        return await answered(
            "Get", context, _PATIENCE, self._say, lambda headers: self._gateway.get(request.operation_id, headers)
        )

    async def Cancel(self, request: Any, context: Any) -> Any:
        return await answered(
            "Cancel", context, _PATIENCE, self._say, lambda headers: self._gateway.cancel(request.operation_id, headers)
        )


class _Text:
    """Completions in one piece, also for callers that ask for a stream. The caller's credentials are not passed on."""

    def __init__(self, model: TextModel, say: Say) -> None:
        self._model, self._say = model, say

    async def Completion(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield await answered(
            "Completion", context, _TEXT_PATIENCE, self._say, lambda headers: self._model.complete(request)
        )


def add_services(server: grpc.aio.Server, address: str, gateway: Gateway, model: TextModel, say: Say) -> None:
    """Add all of them to a server that clients reach at `address`."""
    endpoints_grpc.add_ApiEndpointServiceServicer_to_server(_Endpoints(address), server)
    images_grpc.add_ImageGenerationAsyncServiceServicer_to_server(_Images(gateway, say), server)
    operations_grpc.add_OperationServiceServicer_to_server(_Operations(gateway, say), server)
    text_grpc.add_TextGenerationServiceServicer_to_server(_Text(model, say), server)
