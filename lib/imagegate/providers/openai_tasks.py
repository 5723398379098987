"""Servers that answer with a task in place of pictures. Pure.

Contract: docs/protocols/openai-compatible.md#tasks.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.outcome import Check, Failed, Pending, Ticket
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.http_errors import retry_after
from imagegate.providers.openai_documents import document_of, picture_entries, state_in, texts_in
from imagegate.providers.openai_responses import parse_answer, task_failure
from imagegate.providers.parsing import address_of, id_of

_ACCEPTED = (200, 201, 202)
_FAILED = frozenset({"failed", "failure", "fail", "error", "canceled", "cancelled", "expired", "rejected"})
_DONE = frozenset({"succeeded", "succeed", "success", "completed", "complete", "done", "finished", "ready"})
_LINKS = ("poll_url", "polling_url", "status_url")
_HEADERS = ("operation-location", "location")


def parse_accepted(base_url: str, response: HttpResponse, path: str, seed: int | None) -> Ticket | None:
    """The ticket of a task that was accepted; `None` for an answer that is none.

    `path`: of a task of which only the id is told, below the base URL, `/tasks/{id}`. A ticket has no host: a task is
    asked for at the provider's own.
    """
    if response.status not in _ACCEPTED or response.headers.get("content-type", "").startswith("image/"):
        return None
    document = document_of(response)
    state = state_in(document)
    finished = state in _DONE | _FAILED or (response.status != 202 and not state)
    if (finished and picture_entries(document)) or state in _FAILED or texts_in(document, "error"):
        return None
    address = _own_address(base_url, response, document) or _address_by_id(base_url, response, document, path)
    return Ticket({"path": address, "seed": seed}) if address else None


def task_url(base_url: str, ticket: Ticket) -> str:
    """Where the task is asked for."""
    own = urlsplit(base_url)
    return f"{own.scheme}://{own.netloc}{ticket.data['path']}"


def parse_task(name: str, base_url: str, response: HttpResponse, ticket: Ticket) -> Check:
    """Where the task stands. Raises UpstreamError for what does not say that."""
    if response.status in (404, 410):
        what = f"{name} has no task at {ticket.data['path']}. The key `tasks` of the provider says where they are."
        return Failed(Failure(FailureCode.NOT_FOUND, what))
    document, seed = document_of(response), ticket.data.get("seed")
    state = state_in(document)
    if response.status in _ACCEPTED and state in _FAILED:
        return Failed(task_failure(name, document, state))
    if response.status in _ACCEPTED and state not in _DONE and (state or response.status == 202):
        return Pending(retry_after(response.headers))
    try:
        return parse_answer(name, base_url, replace(response, status=200) if response.status == 202 else response, seed)
    except UpstreamError as error:
        if response.status in _ACCEPTED:
            return Failed(error.failure)
        raise


def _own_address(base_url: str, response: HttpResponse, document: Any) -> str | None:
    """The address that the answer names, without its host; `None` for one of another host, which gets no key."""
    links = [response.headers.get(name, "") for name in _HEADERS if response.status == 202]
    own = urlsplit(base_url)
    for link in (*links, *texts_in(document, *_LINKS)):
        address = address_of(link, f"{base_url}/")
        parts = urlsplit(address) if address else None
        if parts and (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return parts._replace(scheme="", netloc="").geturl()
    return None


def _address_by_id(base_url: str, response: HttpResponse, document: Any, path: str) -> str | None:
    named, kinds = texts_in(document, "task_id", "taskId"), texts_in(document, "object")
    if response.status == 202 or state_in(document) or any(kind.endswith(".task") for kind in kinds):
        named += texts_in(document, "id")
    found = next(filter(None, map(id_of, named)), None)
    return urlsplit(base_url).path.rstrip("/") + path.replace("{id}", quote(found)) if found else None
