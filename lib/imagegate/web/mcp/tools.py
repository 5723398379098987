"""What the tools do."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from imagegate.dialects.mcp import arguments as mcp_arguments
from imagegate.dialects.mcp.results import (
    LARGEST_PREVIEWS,
    render_facts,
    render_list,
    render_operation,
    render_refused,
)
from imagegate.dialects.mcp.tools import PICTURE_URI
from imagegate.dialects.openai.models import render_model
from imagegate.dialects.operations.pages import cut_page, page_token, parse_page_token
from imagegate.dialects.parsing import with_privacy
from imagegate.domain.errors import Conflict, Gone, Overtaken, RequestError, TooLarge
from imagegate.domain.operation import listing
from imagegate.domain.operation.ids import is_id
from imagegate.domain.operation.operation import Operation
from imagegate.usecases.start import GenerationRequest
from imagegate.usecases.uploads import LARGEST_UPLOAD
from imagegate.web.access import start_for
from imagegate.web.mcp.caller import Caller
from imagegate.web.mcp.pictures import find_picture
from imagegate.web.picture_models import default_model
from imagegate.web.uploads import describe_inputs, parse_upload

Arguments = Mapping[str, Any]
LARGEST_LIST = 400_000
"""Bytes of a list of operations. It is in a result twice, and desktop clients take about 1 MB."""
_OPTIONAL = ("aspect_ratio", "background", "negative_prompt", "quality", "seed", "size")


def call(name: str, arguments: Arguments, version: str, caller: Caller) -> Mapping[str, Any]:
    """The result of a tool. What the caller has to change is told in it, so that a model can do so."""
    try:
        return _CALLS[name](mcp_arguments.check_names(name, arguments), version, caller)
    except RequestError as error:
        return render_refused(error)
    except Conflict:
        message = "Other requests changed the same operation at the same time, and were first."
        return render_refused(Overtaken(message, remedy="Call it again in a moment."))


def _generate(arguments: Arguments, version: str, caller: Caller) -> Mapping[str, Any]:
    generation = mcp_arguments.build_generation(
        arguments,
        default=default_model(caller.services, caller.principal, 0),
        idempotency_key=caller.idempotency_key,
    )
    return _start(generation, None, arguments, version, caller)


def _edit(arguments: Arguments, version: str, caller: Caller) -> Mapping[str, Any]:
    given = mcp_arguments.read_arguments(mcp_arguments.PictureArguments, arguments)
    named = _fetchable([*given.images, *([given.mask] if given.mask else [])], caller)
    document: dict[str, Any] = {"images": named[: len(given.images)]}
    if given.mask:
        document["mask"] = named[-1]
    upload = parse_upload(document, caller.services.fetch_for(caller.principal.owner))
    inputs, mask, bodies = describe_inputs(upload)
    generation = mcp_arguments.build_generation(
        arguments,
        default=default_model(caller.services, caller.principal, len(inputs), mask is not None),
        inputs=inputs,
        mask=mask,
        idempotency_key=caller.idempotency_key,
    )
    return _start(generation, bodies, arguments, version, caller)


def _fetchable(texts: Sequence[str], caller: Caller) -> list[str]:
    """Earlier pictures as data URLs, every other text as it is. Raises TooLarge for more than can be held at once."""
    left, fetched = LARGEST_UPLOAD, list[str]()
    for text in texts:
        if text.startswith(PICTURE_URI):
            operation, picture = find_picture(text.removeprefix(PICTURE_URI), caller)
            left -= picture.bytes
            if left < 0:
                raise TooLarge(f"The pictures of a request may have {LARGEST_UPLOAD} bytes together.")
            body = caller.services.read_bytes(operation, picture)
            text = f"data:{picture.content_type};base64,{base64.b64encode(body).decode()}"
        fetched.append(text)
    return fetched


def _start(
    generation: GenerationRequest,
    bodies: Mapping[str, bytes] | None,
    arguments: Arguments,
    version: str,
    caller: Caller,
) -> Mapping[str, Any]:
    waiting = mcp_arguments.read_arguments(mcp_arguments.WaitArguments, arguments)
    generation = with_privacy(generation, caller.data_logging)
    started = start_for(caller.principal, caller.services, generation, bodies)
    return _render(caller.hold(started.operation, waiting.wait_seconds, counted=started.found), version, caller)


def _get(arguments: Arguments, version: str, caller: Caller) -> Mapping[str, Any]:
    given = mcp_arguments.read_arguments(mcp_arguments.OperationArguments, arguments)
    operation = caller.read(given.operation_id)
    return _render(caller.hold(operation, given.wait_seconds, counted=True), version, caller)


def _cancel(arguments: Arguments, version: str, caller: Caller) -> Mapping[str, Any]:
    given = mcp_arguments.read_arguments(mcp_arguments.OperationArguments, arguments)
    return _render(caller.services.cancel(caller.read(given.operation_id, consistent=True)), version, caller)


def _list_models(arguments: Arguments, version: str, caller: Caller) -> Mapping[str, Any]:
    services = caller.services
    usable = [route for route in services.routes if caller.principal.may_use(route.model)]
    return render_list({"models": [_describe(render_model(route, services.facts_of)) for route in usable]}, version)


def _describe(model: Mapping[str, Any]) -> dict[str, Any]:
    """A model of GET /v1/models in the few words that a language model needs."""
    takes, targets = model["capabilities"], [target for target in model["targets"] if target["available"]]
    prices = [target["price_usd"] for target in targets if target["price_usd"] is not None]
    times = [target["expected_seconds"] for target in targets if target["expected_seconds"] is not None]
    return {
        "id": model["id"],
        "description": model["description"],
        "aliases": model["aliases"],
        "available": model["available"],
        "edits": takes["edits"],
        "input_images": takes["input_images"],
        "sides": f"{takes['sizes']['side_minimum']} to {takes['sizes']['side_maximum']}",
        "arguments": [name for name in _OPTIONAL if takes.get(name, True)],
        "price_usd": min(prices, default=None),
        "expected_seconds": min(times, default=None),
    }


def _list_operations(arguments: Arguments, version: str, caller: Caller) -> Mapping[str, Any]:
    given = mcp_arguments.read_arguments(mcp_arguments.ListArguments, arguments)
    route = caller.services.routes.find(given.model) if given.model else None
    page = caller.services.listing.page(
        listing.Query(
            owner=caller.principal.owner,
            size=given.page_size,
            state=given.state,
            model=route.model if route else given.model,
            before_id=parse_page_token(given.page_token, is_id) if given.page_token else None,
        )
    )
    facts, last = cut_page(page, lambda operation: render_facts(operation, caller.links, None), LARGEST_LIST)
    return render_list({"operations": facts, "next_page_token": page_token(last) if last else None}, version)


def _render(operation: Operation, version: str, caller: Caller) -> Mapping[str, Any]:
    outlook = None if operation.done else caller.services.outlook(operation)
    return render_operation(operation, caller.links, outlook, _previews(operation, caller), version)


def _previews(operation: Operation, caller: Caller) -> dict[int, bytes]:
    """The previews that fit into a result, by slot."""
    found, size = dict[int, bytes](), 0
    for picture in operation.pictures:
        if picture.preview is None or size > LARGEST_PREVIEWS:
            continue
        try:
            found[picture.slot] = caller.services.images.get(picture.preview, operation.created_at)
        except (KeyError, Gone):
            return found
        size += len(found[picture.slot])
    return found


_CALLS: Mapping[str, Callable[[Arguments, str, Caller], Mapping[str, Any]]] = {
    "generate_image": _generate,
    "edit_image": _edit,
    "get_operation": _get,
    "cancel_operation": _cancel,
    "list_models": _list_models,
    "list_operations": _list_operations,
}
