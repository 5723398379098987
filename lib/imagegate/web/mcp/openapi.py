"""What the OpenAPI document says of the endpoint of the Model Context Protocol."""

from typing import Any

from imagegate.dialects.mcp.dialect import MCP
from imagegate.dialects.mcp.messages import LATEST, UNSAID, RpcError, render_error
from imagegate.web import openapi_samples as samples
from imagegate.web.mcp.endpoint import FOREIGN_PAGE, NO_JSON
from imagegate.web.mcp.schemas import McpBody, McpError
from imagegate.web.openapi_parts import DATA_LOGGING, Documented, ErrorAnswers, ErrorFormat, header, json_body


def _refusal(status: int, code: str, message: str) -> Any:
    return MCP.render_breakdown(status, code, message, "Xm2hPjRDoAMESDw=").body


_ERRORS = ErrorAnswers(
    (
        ErrorFormat(
            dialect=MCP,
            schema=McpError,
            failures={
                400: render_error(1, RpcError(-32020, "The header Mcp-Method is missing.")),
                403: _refusal(403, *FOREIGN_PAGE),
                404: render_error(1, RpcError(-32601, "Unknown method: 'prompts/list'.")),
                406: _refusal(406, *NO_JSON),
                413: _refusal(413, "request_too_large", "The body has 7000000 bytes."),
            },
        ),
    )
)
_PARAMS = {"name": "generate_image", "arguments": {"prompt": "a red fox in the snow", "aspect_ratio": "16:9"}}
DOCUMENTED = {
    "mcp": Documented(
        summary="Speak the Model Context Protocol",
        description=f"Streamable HTTP, stateless, with JSON answers: version {LATEST} and those since {UNSAID}. "
        "docs/mcp.md lists the tools.",
        responses={
            200: {"model": dict[str, Any], "description": "The response, or until version 2025-11-25 an error."},
            202: {"description": "A notification, which has no response."},
            **_ERRORS(
                s400="No valid message, or a version that is not supported.",
                s403="The page's origin is not allowed to call.",
                s404="The method does not exist (version 2026-07-28).",
                s406="The client does not accept JSON.",
                s413="The message is too large.",
            ),
        },
        errors=_ERRORS,
        examples={200: {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}},
        refusals=samples.START_REFUSALS,
        parameters=(
            header("MCP-Protocol-Version", f"Absent: {UNSAID}.", examples=[LATEST]),
            header("Mcp-Method", "The method, required since version 2026-07-28."),
            header("Mcp-Name", "The tool's name or the resource's URI, required since version 2026-07-28."),
            header("Idempotency-Key", "A tool that makes pictures, called again with it, returns the same operation."),
            DATA_LOGGING,
        ),
        body=json_body(McpBody, generate={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": _PARAMS}),
    ),
}
