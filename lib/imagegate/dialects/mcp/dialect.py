"""The Model Context Protocol as the gateway sees it."""

from imagegate.dialects.operations.dialect import Operations
from imagegate.dialects.response import REFUSAL_STATUSES, ApiResponse
from imagegate.domain.errors import RequestError

NAME = "mcp"
PATH = "/mcp"


class Mcp(Operations):
    """One path for messages of JSON-RPC. Its operations answer as those of the operations API do at the wait route."""

    name = NAME
    folder = "mcp"
    title = "MCP"

    def owns(self, path: str, query: bytes) -> bool:
        """The endpoint."""
        return path == PATH

    def render_refusal(self, error: RequestError, request_id: str) -> ApiResponse:
        """An error of JSON-RPC without the id of a message, because none was read."""
        data = {"code": error.code, "param": error.param, "remedy": error.remedy, "request_id": request_id}
        known = {name: value for name, value in data.items() if value is not None}
        text = f"{error.message} {error.remedy}" if error.remedy else error.message
        return _render_error(REFUSAL_STATUSES.get(error.code, 400), text, known)

    def render_breakdown(self, status: int, code: str, message: str, request_id: str) -> ApiResponse:
        """An error of JSON-RPC without the id of a message."""
        return _render_error(status, message, {"code": code, "request_id": request_id})


def _render_error(status: int, message: str, data: dict[str, str]) -> ApiResponse:
    """The protocol reserves its codes for errors that it defines; those of others are outside its range."""
    return ApiResponse(status, {"jsonrpc": "2.0", "error": {"code": status, "message": message, "data": data}})


MCP = Mcp()
