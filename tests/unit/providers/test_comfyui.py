"""ComfyUI: the graph that is queued, and what is made of the server's answers. Contract: docs/protocols/comfyui.md."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Failed, Pending, Ready, Ticket
from imagegate.domain.request.geometry import Size
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers import comfyui_graphs
from imagegate.providers.comfyui import ComfyUI, ComfyUIConfig, build_graph, job_id_for
from imagegate.providers.comfyui_graphs import fill_graph, read_graph
from support.fakes import NoSecrets, ScriptedHttp

BASE = "https://comfy.test/api"
CONFIG = ComfyUIConfig(graph="flux-schnell", key="COMFY_API_KEY")
ID = job_id_for("op-0-1")
TICKET = Ticket({"id": ID, "seed": 7})
PNG = HttpResponse(200, {"content-type": "image/png"}, b"\x89PNG...")
LOST = UpstreamError(Failure(FailureCode.AMBIGUOUS, "no answer in time"))
SAVED = {"filename": "a b_00001_.png", "subfolder": "imagegate", "type": "output"}
OUTPUTS = {"output": {"images": [SAVED, {"filename": "p.png", "subfolder": "", "type": "temp"}]}}


def answer(document: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(document).encode())


QUEUED = answer({"prompt_id": ID, "number": 3, "node_errors": {}})
NO_JOB = answer({"error": "Job not found"}, 404)
NO_PATH = HttpResponse(404, {}, b"404: Not Found")
IDLE = answer({"queue_running": [], "queue_pending": []})
NO_HISTORY = answer({})
DONE = answer({"id": ID, "status": "completed", "outputs": OUTPUTS})
OLD_DONE = answer({ID: {"outputs": OUTPUTS, "status": {"status_str": "success", "completed": True, "messages": []}}})


def asked(count: int = 1, **changes: Any) -> UpstreamRequest:
    request = replace(ImageRequest(model="flux", messages=(Message('a "fox" {seed}'),)), **changes)
    return UpstreamRequest(request=request, model="x.safetensors", count=count, idempotency_key="op-0-1")


def made(*answers: HttpResponse | UpstreamError, config: ComfyUIConfig = CONFIG) -> tuple[ComfyUI, ScriptedHttp]:
    http = ScriptedHttp(list(answers))
    return ComfyUI("comfyui", BASE, http, NoSecrets({"COMFY_API_KEY": "k\n"}), config), http


def history(status: dict[str, Any], outputs: Any = None) -> HttpResponse:
    return answer({ID: {"prompt": [], "outputs": outputs or {}, "status": status}})


def test_everything_goes_into_its_slot() -> None:
    graph = build_graph(asked(3, seed=7, steps=9, size=Size(700, 500)), CONFIG, ID, 7)
    assert graph["positive"]["inputs"]["text"] == 'a "fox" {seed}'
    assert graph["model"]["inputs"]["ckpt_name"] == "x.safetensors"
    assert graph["canvas"]["inputs"] == {"width": 704, "height": 496, "batch_size": 3}
    assert (graph["sampler"]["inputs"]["seed"], graph["sampler"]["inputs"]["steps"]) == (7, 9)
    assert graph["output"]["inputs"]["filename_prefix"] == f"imagegate/{ID}"
    assert build_graph(asked(), CONFIG, ID, 7)["sampler"]["inputs"]["steps"] == 4


def test_slots_keep_their_types_and_have_defaults() -> None:
    graph = {"a": ["{steps:4}", "{guidance:3.5}", "{negative_prompt}", "{negative_prompt:no dogs}", "x {seed} y", 5]}
    assert fill_graph(graph, {"seed": 7}) == {"a": [4, 3.5, "", "no dogs", "x 7 y", 5]}
    assert fill_graph(graph, {"steps": 8, "negative_prompt": "cats"})["a"][:4] == [8, 3.5, "cats", "cats"]


def test_only_what_has_a_slot_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CONFIG.limits.capabilities == {"seed", "steps"}
    assert CONFIG.limits.images_per_call == 4
    monkeypatch.setattr("imagegate.providers.comfyui.read_graph", lambda name: {"a": "{prompt} {id} {guidance}"})
    assert CONFIG.limits.capabilities == {"guidance"}
    assert (CONFIG.limits.images_per_call, CONFIG.limits.steps_maximum) == (1, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": "{prompt} {id} {sede}"}', "unknown slot {sede}"),
        ('{"a": "{prompt}"}', "lacks the slot {id}"),
        ("{", "x"),
    ],
)
def test_a_graph_that_cannot_be_used_is_named(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "x.json").write_text(text)
    monkeypatch.setattr(comfyui_graphs, "files", lambda package: tmp_path)
    for name in ("x", "none"):
        with pytest.raises(MisconfiguredError, match=f"graphs/{name}.json") as caught:
            read_graph(name)
        assert name == "none" or message in str(caught.value)


def test_a_submission_is_one_post_with_an_id_of_ours() -> None:
    comfy, http = made(QUEUED)
    assert comfy.submit(asked(seed=7)) == TICKET
    [request] = http.requests
    assert (request.method, request.url, request.headers) == ("POST", f"{BASE}/prompt", {"x-api-key": "k"})
    assert request.json["prompt_id"] == ID == str(uuid.UUID(ID))
    assert job_id_for("") != job_id_for("")


def test_a_server_without_a_login_gets_no_key_and_may_choose_the_id() -> None:
    comfy, http = made(answer({"prompt_id": "other"}), config=ComfyUIConfig(graph="flux-schnell"))
    assert comfy.submit(asked()).data["id"] == "other"
    assert http.requests[0].headers == {}


def test_a_seed_that_the_caller_left_to_us_is_told() -> None:
    comfy, http = made(QUEUED)
    seed = comfy.submit(asked()).data["seed"]
    assert http.requests[0].json["prompt"]["sampler"]["inputs"]["seed"] == seed
    assert made(QUEUED)[0].submit(asked(2)).data["seed"] is None


@pytest.mark.parametrize(
    "found",
    [
        [DONE],
        [answer({"id": ID, "status": "pending"})],
        [NO_PATH, answer({"queue_running": [], "queue_pending": [[1, ID, {}, {}, []]]})],
        [NO_PATH, IDLE, OLD_DONE],
    ],
)
def test_a_submission_that_may_have_arrived_is_looked_up(found: list[HttpResponse]) -> None:
    comfy, http = made(LOST, *found)
    assert comfy.submit(asked(seed=7)) == TICKET
    comfy, http = made(*found)
    assert comfy.submit(replace(asked(seed=7), repeated=True)) == TICKET
    assert all(request.method == "GET" for request in http.requests)


def test_one_that_has_not_is_repeated_or_stays_ambiguous() -> None:
    comfy, http = made(NO_JOB, IDLE, NO_HISTORY, QUEUED)
    assert comfy.submit(replace(asked(seed=7), repeated=True)) == TICKET
    assert [request.method for request in http.requests] == ["GET", "GET", "GET", "POST"]
    for unknown in ([NO_JOB, IDLE, NO_HISTORY], [LOST], [HttpResponse(502, {}, b"")]):
        comfy, _ = made(LOST, *unknown)
        with pytest.raises(UpstreamError) as caught:
            comfy.submit(asked())
        assert caught.value.failure.code is FailureCode.AMBIGUOUS


def refused(*node_errors: dict[str, str], **error: str) -> HttpResponse:
    nodes = {"model": {"errors": list(node_errors)}} if node_errors else {}
    return answer({"error": error, "node_errors": nodes}, 400)


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        (refused({"type": "value_not_in_list", "message": "Value not in list", "details": "ckpt_name"},
                 message="Prompt outputs failed validation"), FailureCode.NOT_FOUND, "Value not in list ckpt_name"),
        (refused(type="no_prompt", message="No prompt provided"), FailureCode.NOT_FOUND, "No prompt"),
        (refused(message="NSFW content"), FailureCode.CONTENT_FILTERED, "NSFW"),
        (HttpResponse(400, {}, b"what?"), FailureCode.NOT_FOUND, "what"),
        (answer({"error": "Unauthorized"}, 401), FailureCode.AUTH, "Unauthorized"),
        (answer({}, 402), FailureCode.NO_CREDIT, ""),
        (answer({}, 429), FailureCode.RATE_LIMITED, ""),
        (answer({}, 503), FailureCode.CAPACITY, ""),
        (answer({}, 500), FailureCode.UPSTREAM_FAILED, ""),
        (HttpResponse(200, {}, b"<html>"), FailureCode.BAD_PAYLOAD, ""),
        (answer({"prompt_id": "../x"}), FailureCode.BAD_PAYLOAD, ""),
    ],
    ids=lambda value: getattr(value, "body", b"")[:30].decode() if isinstance(value, HttpResponse) else None,
)  # fmt: skip
def test_what_a_submission_is_refused_for(response: HttpResponse, code: FailureCode, words: str) -> None:
    comfy, _ = made(response)
    with pytest.raises(UpstreamError, match=words or "comfyui answered") as caught:
        comfy.submit(asked())
    assert caught.value.failure.code is code


@pytest.mark.parametrize("ended", [[DONE], [NO_PATH, IDLE, OLD_DONE]], ids=["new", "old"])
def test_pictures_are_read_with_the_key(ended: list[HttpResponse]) -> None:
    comfy, http = made(*ended, PNG)
    assert comfy.check(TICKET, 0) == Ready(bodies=(PNG.body,), seed=7)
    view = http.requests[-1]
    assert view.url == f"{BASE}/view?filename=a+b_00001_.png&subfolder=imagegate&type=output"
    assert view.headers == {"x-api-key": "k"}


def test_a_picture_elsewhere_is_fetched_without_the_key() -> None:
    comfy, _ = made(DONE, HttpResponse(302, {"location": "https://bucket.test/a.png?s=1"}, b""))
    assert comfy.check(TICKET, 0) == Ready(sources=(Source("https://bucket.test/a.png?s=1"),), seed=7)


@pytest.mark.parametrize(
    "unfinished",
    [
        [answer({"id": ID, "status": "pending"})],
        [answer({"id": ID, "status": "in_progress"})],
        [answer({"id": ID, "status": "dreaming"})],
        [NO_PATH, answer({"queue_running": [[1, ID, {}, {}, []]], "queue_pending": []})],
    ],
)
def test_a_job_that_has_not_ended(unfinished: list[HttpResponse]) -> None:
    assert made(*unfinished)[0].check(TICKET, 0) == Pending()


ERROR = {"exception_message": "out of memory", "exception_type": "OutOfMemoryError"}
UNSAFE = {"exception_message": "NSFW content detected"}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([answer({"status": "failed", "execution_error": ERROR})], FailureCode.UPSTREAM_FAILED),
        ([answer({"status": "failed"})], FailureCode.UPSTREAM_FAILED),
        ([answer({"status": "failed", "execution_error": UNSAFE})], FailureCode.CONTENT_FILTERED),
        ([answer({"status": "cancelled"})], FailureCode.UPSTREAM_FAILED),
        ([answer({"status": "completed", "outputs": {}})], FailureCode.BAD_PAYLOAD),
        ([answer({"status": "completed", "outputs": {"n": {"images": [{"type": "temp"}]}}})], FailureCode.BAD_PAYLOAD),
        ([NO_JOB, IDLE, NO_HISTORY], FailureCode.UPSTREAM_FAILED),
        ([NO_PATH, IDLE, NO_PATH], FailureCode.UPSTREAM_FAILED),
        ([NO_PATH, IDLE, history({"status_str": "error", "messages": [["execution_error", UNSAFE]]})],
         FailureCode.CONTENT_FILTERED),
        ([NO_PATH, IDLE, history({"status_str": "error", "messages": [["execution_interrupted", {}]]})],
         FailureCode.UPSTREAM_FAILED),
        ([NO_PATH, IDLE, history({"status_str": "success"})], FailureCode.BAD_PAYLOAD),
        ([DONE, NO_PATH], FailureCode.EXPIRED),
    ],
)  # fmt: skip
def test_verdicts(answers: list[HttpResponse], code: FailureCode) -> None:
    check = made(*answers)[0].check(TICKET, 0)
    assert isinstance(check, Failed)
    assert check.failure.code is code


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([HttpResponse(503, {}, b"")], FailureCode.CAPACITY),
        ([HttpResponse(200, {}, b"<html>")], FailureCode.BAD_PAYLOAD),
        ([answer({"status": None})], FailureCode.BAD_PAYLOAD),
        ([NO_PATH, HttpResponse(500, {}, b"")], FailureCode.UPSTREAM_FAILED),
        ([NO_PATH, IDLE, HttpResponse(401, {}, b"")], FailureCode.AUTH),
        ([DONE, HttpResponse(500, {}, b"")], FailureCode.UPSTREAM_FAILED),
    ],
)
def test_a_question_that_fails_is_no_verdict(answers: list[HttpResponse], code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        made(*answers)[0].check(TICKET, 0)
    assert caught.value.failure.code is code


@pytest.mark.parametrize(
    ("running", "pending", "sent"),
    [
        ([], [ID], [("/queue", {"delete": [ID]})]),
        ([ID], [], [("/interrupt", {"prompt_id": ID})]),
        (["another"], [], []),
        ([], [], []),
    ],
)
def test_cancelling_stops_our_job_and_no_other(running: list[str], pending: list[str], sent: list[Any]) -> None:
    queue = {"queue_running": [[1, each] for each in running], "queue_pending": [[1, each] for each in pending]}
    comfy, http = made(answer(queue), HttpResponse(200, {}, b""))
    comfy.cancel(TICKET)
    assert [(request.url.removeprefix(BASE), request.json) for request in http.requests[1:]] == sent


def test_cancelling_at_a_server_that_is_gone_does_no_harm() -> None:
    made(HttpResponse(502, {}, b""))[0].cancel(TICKET)
