"""Start the generation that a request of one of OpenAI's APIs asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.requests import Request

from imagegate.dialects.cleaning import printable_name
from imagegate.dialects.parsing import DATA_LOGGING, parse_idempotency_key, parse_retry_count, with_privacy
from imagegate.domain.access.api_key import Principal
from imagegate.domain.errors import RequestError
from imagegate.domain.timing.long_poll import client_of
from imagegate.usecases.start import GenerationRequest, Started
from imagegate.web.access import start_for
from imagegate.web.decoding import header_texts
from imagegate.web.middleware import arrived_at
from imagegate.web.preferences import parse_preferences
from imagegate.web.services import Services

_QUERY = ("api-version", "token")
_SHORTEST_DRIVING_HOLD = 5.0
"""Seconds of a hold from which the client's requests are there nearly all of the time."""


def start_request(
    request: Request,
    services: Services,
    principal: Principal,
    generation: GenerationRequest,
    bodies: Mapping[str, bytes] | None = None,
    *,
    answered_at_once: bool = False,
) -> Started:
    """Start the generation with what the headers say. Raises RequestError with the caller's name of a field.

    `answered_at_once`: the caller gets an answer before the picture is there, and asks for it later.
    """
    waits = not answered_at_once and _will_wait(request, services)
    try:
        generation = with_unused_query(_with_headers(generation, request, waits), request)
        return start_for(principal, services, generation, bodies)
    except RequestError as error:
        if error.param and error.param in generation.sent_names:
            error.call_param(generation.sent_names[error.param])
        raise


def _will_wait(request: Request, services: Services) -> bool:
    """True when the caller of a synchronous API will surely be in one request after another until its picture is there.

    A client that may not follow redirects leaves after its POST.
    """
    if services.hold_seconds < _SHORTEST_DRIVING_HOLD or parse_preferences(request).respond_async:
        return False
    client = client_of(request.headers.get("user-agent", ""), services.redirects)
    return client.follows or client.repeats or not services.redirects


def unused_query(request: Request, known: Sequence[str] = ()) -> list[str]:
    """The URL's parameters without effect: all but the `known`. Azure's clients always send `api-version`."""
    return [printable_name(name) for name in request.query_params if name not in (*_QUERY, *known)]


def with_unused_query(generation: GenerationRequest, request: Request) -> GenerationRequest:
    """The generation, whose answer will name the URL's parameters."""
    wanted = generation.request
    unused = dict.fromkeys((*wanted.unused_fields, *unused_query(request)))
    return replace(generation, request=replace(wanted, unused_fields=tuple(unused)))


def _with_headers(generation: GenerationRequest, request: Request, client_waits: bool) -> GenerationRequest:
    """Apply the headers: OpenAI's own clients count their retries, others may send an Idempotency-Key."""
    headers = header_texts(request, ("idempotency-key", DATA_LOGGING))
    generation = replace(
        generation,
        client_waits=client_waits,
        arrived_at=arrived_at(request.scope),
        retry_count=parse_retry_count(request.headers.get("x-stainless-retry-count", "0")),
        idempotency_key=parse_idempotency_key(headers.get("idempotency-key")),
    )
    return with_privacy(generation, headers.get(DATA_LOGGING, ""))
