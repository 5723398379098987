"""The endpoint of the Model Context Protocol. What answers is loaded with the first request for it."""

from fastapi import Depends, Request
from starlette.responses import Response

from imagegate.web.routing import PrincipalDep, ServicesDep, create_router, refuse_unknown_query

router = create_router()


@router.post("/mcp", name="mcp", dependencies=[Depends(refuse_unknown_query)])
async def mcp(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Answer a message."""
    from imagegate.web.mcp.endpoint import answer

    return answer(request, await request.body(), services, principal)
