"""OpenAI's own package, connected to the application without a network."""

from typing import Any

import httpx2
import openai

from support.gateway import Gateway


class Transport(httpx2.BaseTransport):
    """Passes the SDK's requests to the application as API Gateway does."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def handle_request(self, request: Any) -> Any:
        headers = {name.replace("-", "_"): value for name, value in request.headers.items() if name != "host"}
        answer = self.gateway.call(request.method, request.url.raw_path.decode(), request.read(), **headers)
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.text.encode())


def client_of(gateway: Gateway) -> openai.OpenAI:
    """The package's client of the gateway, which validates answers strictly."""
    return openai.OpenAI(
        base_url="http://api.invalid/v1",
        api_key="x",
        http_client=openai.DefaultHttpxClient(transport=Transport(gateway)),
        _strict_response_validation=True,
    )
