"""imagegate over HTTP, in YandexART's REST dialect (docs/protocols/yandexart.md)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from yandex.cloud.ai.foundation_models.v1.image_generation import image_generation_service_pb2  # noqa: F401  `response`
from yandex.cloud.operation.operation_pb2 import Operation

from imagegate.bridge.calls import Headers
from imagegate.bridge.failures import INTERNAL, failed, refused

Answered = tuple[Operation, Mapping[str, str]]
_GENERATE = "foundationModels/v1/imageGenerationAsync"


class Gateway:
    """An imagegate deployment."""

    def __init__(self, http: httpx.AsyncClient, base_url: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")

    async def generate(self, request: Any, headers: Headers) -> Answered:
        """Start what an ImageGenerationRequest asks for. Raises CallFailed, like the other two."""
        return await self._operation("POST", _GENERATE, headers, MessageToDict(request))

    async def get(self, operation_id: str, headers: Headers) -> Answered:
        """The operation."""
        return await self._operation("GET", f"operations/{quote(operation_id, safe='')}", headers)

    async def cancel(self, operation_id: str, headers: Headers) -> Answered:
        """The operation after the attempt to cancel it."""
        return await self._operation("POST", f"operations/{quote(operation_id, safe='')}:cancel", headers)

    async def _operation(self, method: str, path: str, headers: Headers, body: Any = None) -> Answered:
        url = f"{self._base_url}/{path}"
        first = await self._http.request(method, url, json=body, headers=headers)
        answer = first if first.next_request is None else await self._elsewhere(first.next_request.url)
        if not answer.is_success:
            raise refused(answer.status_code, answer.content, first.headers)
        try:
            return ParseDict(answer.json(), Operation(), ignore_unknown_fields=True), first.headers
        except (ValueError, ParseError) as error:
            raise failed(INTERNAL, f"{self._base_url} answered no operation ({type(error).__name__}).") from error

    async def _elsewhere(self, url: httpx.URL) -> httpx.Response:
        """An answer too large for Lambda, from S3, to which the caller's headers and credentials are not sent."""
        return await self._http.get(url, follow_redirects=True)
