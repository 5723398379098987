"""For every row of the error tables of docs/protocols: answers that it is about, and what each is to imagegate."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from imagegate.ports.upstreams import HttpResponse

At = Literal["submit", "check"]
PNG = "iVBORw0KGgo="


@dataclass(frozen=True, slots=True)
class Case:
    """An answer to the submission, or to the question about its job, and the code that it has to get."""

    provider: str
    code: str
    answers: tuple[HttpResponse, ...]
    at: At = "submit"

    @property
    def shown(self) -> str:
        """Everything in the last answer, for what a row speaks of."""
        last = self.answers[-1]
        return f"{last.status} {dict(last.headers)} {last.body.decode()}"


def answer(status: int, document: Any = None, **headers: str) -> HttpResponse:
    """In JSON; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, named, json.dumps({} if document is None else document).encode())


def submitted(provider: str, code: str, status: int, document: Any = None, **headers: str) -> Case:
    """A refused submission."""
    return Case(provider, code, (answer(status, document, **headers),))


def checked(provider: str, code: str, *answers: HttpResponse) -> Case:
    """What is heard of a job."""
    return Case(provider, code, answers, "check")


def bedrock(kind: str, status: int, code: str, message: str = "no") -> Case:
    return submitted("bedrock", code, status, {"message": message}, x_amzn_errortype=f"{kind}:http://internal")


def dashscope(word: str, code: str, status: int = 400, message: str = "no") -> Case:
    return submitted("dashscope", code, status, {"code": word, "message": message, "request_id": "r"})


def fal(status: int, code: str, detail: Any = "no") -> Case:
    return submitted("fal", code, status, {"detail": detail})


def gemini(status: int, word: str, code: str, message: str = "no", *details: Any) -> Case:
    error = {"code": status, "status": word, "message": message, "details": list(details)}
    return submitted("gemini", code, status, {"error": error})


TOKEN = answer(200, {"access_token": "t", "expires_at": 4e12})


def gigachat(status: int, code: str, document: Any = None) -> Case:
    return Case("gigachat", code, (TOKEN, answer(status, document or {"status": status, "message": "no"})))


def chat(reason: str) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "I can only talk."}, "finish_reason": reason}]}


def runware(word: str, code: str, status: int = 400, **fields: Any) -> Case:
    return submitted("runware", code, status, {"errors": [{"code": word, "message": "no", **fields}]})


def workers_ai(number: int, status: int, code: str, message: str = "no") -> Case:
    errors = [{"code": number, "message": message}]
    return submitted("workers-ai", code, status, {"result": None, "success": False, "errors": errors})


def statuses(provider: str, expected: Mapping[int, str], document: Any = None) -> tuple[Case, ...]:
    """Refused submissions with nothing but their status to tell."""
    return tuple(submitted(provider, code, status, document) for status, code in expected.items())


COMPLETED = answer(200, {"status": "COMPLETED"})
LOST = (answer(404), answer(200, {"queue_running": [], "queue_pending": []}), answer(200))
SAVED = {"9": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}

ROWS: Mapping[str, Mapping[str, tuple[Case, ...]]] = {
    "bedrock": {
        "AccessDeniedException": (bedrock("AccessDeniedException", 403, "auth"),),
        "ResourceNotFoundException": (bedrock("ResourceNotFoundException", 404, "not_found", "end of its life"),),
        "ThrottlingException": (bedrock("ThrottlingException", 429, "rate_limited"),),
        "ServiceQuotaExceededException": (bedrock("ServiceQuotaExceededException", 400, "rate_limited"),),
        "ModelNotReadyException": (bedrock("ModelNotReadyException", 429, "capacity"),),
        "ServiceUnavailableException": (bedrock("ServiceUnavailableException", 503, "capacity"),),
        "ModelTimeoutException": (
            bedrock("ModelTimeoutException", 408, "upstream_failed"),
            bedrock("ModelErrorException", 424, "upstream_failed"),
            bedrock("InternalServerException", 500, "upstream_failed"),
        ),
        "ValidationException": (
            bedrock("ValidationException", 400, "content_filtered", "invalid_prompts: filtered words"),
            bedrock("ValidationException", 400, "not_found", "The provided model identifier is invalid."),
            bedrock("ValidationException", 400, "invalid_request", "extraneous key"),
        ),
    },
    "bfl": {
        "`Request Moderated`": (
            checked("bfl", "content_filtered", answer(200, {"status": "Request Moderated", "details": {}})),
            checked("bfl", "content_filtered", answer(200, {"status": "Content Moderated"})),
        ),
        "`Task not found`": (
            checked("bfl", "expired", answer(200, {"status": "Task not found"})),
            checked("bfl", "expired", answer(404, {"status": "Task not found"})),
        ),
        "`Error`": (
            checked("bfl", "upstream_failed", answer(200, {"status": "Error"})),
            checked("bfl", "upstream_failed", answer(200, {"status": "Failed"})),
        ),
        "400": statuses("bfl", {400: "invalid_request", 422: "invalid_request"}, {"detail": "no"}),
        "401": statuses("bfl", {401: "auth", 403: "auth"}, {"detail": "Not authenticated"}),
        "402": statuses("bfl", {402: "no_credit"}, {"detail": "Insufficient credits"}),
        "404": statuses("bfl", {404: "not_found"}, {"detail": "Not Found"}),
        "429": (submitted("bfl", "rate_limited", 429, {"error": "x", "message": "busy", "retry_after": 7}),),
        "5xx": statuses("bfl", {500: "upstream_failed", 502: "upstream_failed", 503: "capacity"}),
    },
    "comfyui": {
        "400: the graph": (
            submitted("comfyui", "not_found", 400, {"node_errors": {"4": {"errors": [{"type": "value_not_in_list"}]}}}),
        ),
        "400, or an exception": (
            submitted("comfyui", "content_filtered", 400, {"error": {"message": "NSFW content"}}),
            checked(
                "comfyui",
                "content_filtered",
                answer(200, {"status": "failed", "execution_error": {"exception_message": "NSFW content found"}}),
            ),
        ),
        "401": statuses("comfyui", {401: "auth", 403: "auth"}),
        "402": statuses("comfyui", {402: "no_credit"}),
        "`failed`": (
            checked("comfyui", "upstream_failed", answer(200, {"status": "failed"})),
            checked("comfyui", "upstream_failed", answer(200, {"status": "cancelled"})),
            checked("comfyui", "upstream_failed", *LOST),
        ),
        "`completed`": (checked("comfyui", "bad_payload", answer(200, {"status": "completed", "outputs": {}})),),
        "404 at `/view`": (
            checked("comfyui", "expired", answer(200, {"status": "completed", "outputs": SAVED}), answer(404)),
        ),
    },
    "dashscope": {
        "`DataInspectionFailed`": (
            dashscope("DataInspectionFailed", "content_filtered"),
            dashscope("IPInfringementSuspect", "content_filtered", 200),
        ),
        "`Arrearage`": (
            dashscope("Arrearage", "no_credit"),
            dashscope("AllocationQuota.FreeTierOnly", "no_credit", 403),
            dashscope("PrepaidBillOverdue", "no_credit"),
        ),
        "`Throttling`": (
            dashscope("Throttling", "rate_limited", 429),
            dashscope("Throttling.RateQuota", "rate_limited", 200),
            dashscope("Throttling.AllocationQuota", "rate_limited", 429),
        ),
        "`InvalidApiKey`": (
            dashscope("InvalidApiKey", "auth", 401),
            dashscope("AccessDenied", "auth", 403),
            dashscope("Model.AccessDenied", "auth", 403),
        ),
        "`ModelNotFound`": (
            dashscope("ModelNotFound", "not_found", 404),
            dashscope("InvalidParameter", "not_found", 400, "Model not exist."),
        ),
        "`RequestTimeOut`": (
            dashscope("RequestTimeOut", "upstream_timeout", 500),
            dashscope("InternalError.Timeout", "upstream_timeout", 500),
        ),
        "`ModelUnavailable`": (
            dashscope("ModelUnavailable", "capacity", 503),
            dashscope("ServiceUnavailable", "capacity", 503),
            dashscope("ModelServingError", "capacity", 500),
        ),
        "`InternalError`": (
            dashscope("InternalError", "upstream_failed", 500),
            dashscope("InternalError.Algo", "upstream_failed", 500),
            dashscope("SystemError", "upstream_failed", 500),
        ),
        "`InvalidParameter`": (
            dashscope("InvalidParameter", "invalid_request"),
            dashscope("InvalidURL", "invalid_request"),
        ),
    },
    "fal": {
        "result 404": (
            checked("fal", "expired", COMPLETED, answer(404)),
            checked("fal", "expired", COMPLETED, answer(410)),
            checked("fal", "expired", answer(404)),
        ),
        "401": (fal(401, "auth"), fal(403, "auth")),
        "402": (
            fal(402, "no_credit", "exhausted balance"),
            fal(403, "no_credit", "User is locked."),
            fal(409, "no_credit", "billing"),
        ),
        "404 at the submission": (fal(404, "not_found", "Application not found"),),
        "422": (
            fal(422, "content_filtered", [{"loc": ["body"], "msg": "no", "type": "content_policy_violation"}]),
            fal(422, "upstream_failed", [{"loc": ["body"], "msg": "no", "type": "downstream_service_error"}]),
            fal(422, "upstream_timeout", [{"loc": ["body"], "msg": "no", "type": "generation_timeout"}]),
            fal(422, "invalid_request", [{"loc": ["body"], "msg": "no", "type": "image_too_small"}]),
        ),
        "429": (fal(429, "rate_limited"),),
        "5xx": (fal(500, "upstream_failed"), fal(502, "upstream_failed"), fal(503, "capacity")),
    },
    "gemini": {
        "400 with the reason": (gemini(400, "INVALID_ARGUMENT", "auth", "no", {"reason": "API_KEY_INVALID"}),),
        "400 `FAILED_PRECONDITION`": (
            gemini(400, "FAILED_PRECONDITION", "no_credit", "Please enable billing"),
            gemini(400, "FAILED_PRECONDITION", "auth", "User location is not supported"),
        ),
        "429": (
            gemini(429, "RESOURCE_EXHAUSTED", "rate_limited", "no", {"retryDelay": "34s"}),
            gemini(429, "RESOURCE_EXHAUSTED", "no_credit", "no", {"violations": [{"quotaId": "RequestsPerDay"}]}),
        ),
        '503 "overloaded"': (gemini(503, "UNAVAILABLE", "capacity", "The model is overloaded."),),
        "503 or 504": (
            gemini(503, "UNAVAILABLE", "upstream_failed", "Deadline expired before operation could complete."),
            gemini(504, "DEADLINE_EXCEEDED", "upstream_failed", "Deadline expired."),
        ),
    },
    "gigachat": {
        "400, 413": tuple(gigachat(status, "invalid_request") for status in (400, 413, 422)),
        "401 at a call": (gigachat(401, "auth"),),
        "400, 401, 403 at the token": tuple(submitted("gigachat", "auth", status) for status in (400, 401, 403)),
        "402": (gigachat(402, "no_credit"),),
        "403": (gigachat(403, "auth"),),
        "404 at the chat": (gigachat(404, "not_found"),),
        "404 at a file": (checked("gigachat", "expired", TOKEN, answer(404)),),
        "429": (gigachat(429, "rate_limited"),),
        "5xx |": (gigachat(500, "upstream_failed"), gigachat(503, "capacity")),
        "5xx or silence": tuple(submitted("gigachat", "capacity", status) for status in (500, 502, 503)),
        "200 without `<img>`, `finish_reason`": (gigachat(200, "content_filtered", chat("blacklist")),),
        "200 without `<img>`, any": (gigachat(200, "bad_payload", chat("stop")),),
    },
}
