"""What ComfyUI servers answer, understood. Pure. Contract: docs/protocols/comfyui.md."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.error_phrases import code_from_text
from imagegate.providers.http_errors import bad_payload, http_error, strip_html
from imagegate.providers.parsing import id_of, object_of


class PictureFile(NamedTuple):
    """Where a picture is on the server: the parameters of `/view`."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True, slots=True)
class ComfyUIJob:
    """Where a job stands."""

    ended: bool = False
    pictures: tuple[PictureFile, ...] = ()
    failure: Failure | None = None


def parse_queued(name: str, response: HttpResponse) -> str:
    """The id of the queued job. Raises UpstreamError for any other answer."""
    document = object_of(response.body)
    if response.status != 200:
        raise _refusal(name, response, document)
    job_id = id_of(document.get("prompt_id"))
    if not job_id:
        raise bad_payload(name, "without a prompt_id")
    return job_id


def parse_job(name: str, response: HttpResponse) -> ComfyUIJob | None:
    """A job of `/jobs/{id}`; `None` when the server has no such job, or no such path."""
    if response.status == 404:
        return None
    document = _object(name, response)
    status = document.get("status")
    if status == "completed":
        return ComfyUIJob(ended=True, pictures=_pictures(document.get("outputs")))
    if status == "failed":
        return ComfyUIJob(ended=True, failure=_failure(name, document.get("execution_error")))
    if status == "cancelled":
        return ComfyUIJob(ended=True, failure=_cancelled(name))
    if not isinstance(status, str):
        raise bad_payload(name, "something that is no job")
    return ComfyUIJob()


def parse_queue(name: str, response: HttpResponse) -> tuple[set[str], set[str]]:
    """The ids of the jobs that run, and of those that wait."""
    document = _object(name, response)
    return _ids(document.get("queue_running")), _ids(document.get("queue_pending"))


def parse_history(name: str, response: HttpResponse, job_id: str) -> ComfyUIJob | None:
    """A job of `/history/{id}`; `None` when the server has no such job there."""
    if response.status == 404 or (response.status == 200 and response.body.strip() == b"{}"):
        return None
    entry = _object(name, response).get(job_id)
    if not isinstance(entry, Mapping):
        return None
    reported = entry.get("status")
    status = reported if isinstance(reported, Mapping) else {}
    if status.get("status_str") != "error":
        return ComfyUIJob(ended=True, pictures=_pictures(entry.get("outputs")))
    events = dict(_events(status.get("messages")))
    interrupted = "execution_interrupted" in events
    return ComfyUIJob(
        ended=True, failure=_cancelled(name) if interrupted else _failure(name, events.get("execution_error"))
    )


def _object(name: str, response: HttpResponse) -> Mapping[str, Any]:
    document = object_of(response.body)
    if response.status != 200:
        raise http_error(name, response, response.body.decode("utf-8", "replace"))
    if not document:
        raise bad_payload(name, "something that is no JSON object")
    return document


def _refusal(name: str, response: HttpResponse, document: Mapping[str, Any]) -> UpstreamError:
    """A graph that is refused is the deployment's: what the caller chooses is within the limits."""
    text = "; ".join(_texts(document)) or response.body.decode("utf-8", "replace")
    failure = http_error(name, response, text).failure
    if response.status == 400:
        failure = replace(failure, code=code_from_text(text) or FailureCode.NOT_FOUND)
    return UpstreamError(failure)


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the graph, and with which of its nodes."""
    error, nodes = document.get("error"), document.get("node_errors")
    yield from _text(error)
    for node in nodes.values() if isinstance(nodes, Mapping) else ():
        errors = node.get("errors") if isinstance(node, Mapping) else None
        for each in errors if isinstance(errors, list) else ():
            yield from _text(each)


def _text(error: Any) -> Iterator[str]:
    if isinstance(error, str):
        yield error
    elif isinstance(error, Mapping):
        yield " ".join(str(error[part]) for part in ("message", "details") if error.get(part))


def _failure(name: str, error: Any) -> Failure:
    reported = error if isinstance(error, Mapping) else {}
    text = strip_html(str(reported.get("exception_message") or "")) or "the job failed without saying why"
    return Failure(code_from_text(text) or FailureCode.UPSTREAM_FAILED, f"{name}: {text}")


def _cancelled(name: str) -> Failure:
    return Failure(FailureCode.UPSTREAM_FAILED, f"{name}: the job was interrupted on the server.")


def _pictures(outputs: Any) -> tuple[PictureFile, ...]:
    """The pictures that were saved; those of type `temp` are previews."""
    nodes = outputs.values() if isinstance(outputs, Mapping) else ()
    listed = [node.get("images") for node in nodes if isinstance(node, Mapping)]
    images = [image for each in listed if isinstance(each, list) for image in each if isinstance(image, Mapping)]
    return tuple(
        PictureFile(image["filename"], str(image.get("subfolder") or ""), "output")
        for image in images
        if image.get("type") == "output" and isinstance(image.get("filename"), str)
    )


def _ids(entries: Any) -> set[str]:
    """Entries are [number, id, …]."""
    listed = entries if isinstance(entries, list) else []
    return {str(entry[1]) for entry in listed if isinstance(entry, list) and len(entry) > 1}


def _events(messages: Any) -> Iterator[tuple[str, Any]]:
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, list) and len(message) > 1:
            yield str(message[0]), message[1]
