"""What servers that speak OpenAI's Images API answer, understood.

Recordings after docs/protocols/openai-images.md#answers, docs/protocols/providers.md#together,
docs/protocols/yandexart.md#errors and docs/protocols/yandexart.md#ai-studio.
"""

import base64
import json
from typing import Any

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.attempt import Source
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.operation.usage import Usage
from imagegate.ports.upstreams import HttpResponse
from imagegate.providers.openai_responses import LONGEST_REVISED_PROMPT, parse_answer

PIXEL = base64.b64encode(b"\x89PNG...").decode()


def answer(document: Any, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, headers, json.dumps(document).encode())


DONE = answer({"created": 1, "data": [{"b64_json": PIXEL}]})


def parsed(response: HttpResponse, seed: int | None = None) -> Ready:
    return parse_answer("up", "https://up.invalid/v1", response, seed)


def test_pictures_come_as_bytes() -> None:
    together = {"id": "x", "model": "m", "object": "list", "data": [{"index": 0, "b64_json": PIXEL, "timings": {}}]}
    for response in (DONE, answer(together), answer({"data": [{"b64_json": f"data:image/png;base64,{PIXEL}"}]})):
        assert parsed(response, 7) == Ready(bodies=(b"\x89PNG...",), seed=7)


def test_pictures_come_as_addresses() -> None:
    data = [{"url": "https://cdn.invalid/a.png", "b64_json": None}, {"url": "/media/b.png"}]
    assert parsed(answer({"data": data})).sources == (
        Source("https://cdn.invalid/a.png"),
        Source("https://up.invalid/media/b.png"),
    )


@pytest.mark.parametrize(
    "datum",
    [{"url": "https://[x"}, {"url": f"/{'x' * 4096}"}, {"b64_json": "Ж" * 4}, {"url": "data:image/png;base64,Ж"}],
    ids=["host", "length", "b64_json", "data"],
)
def test_what_is_no_address_and_no_base64_is_no_picture(datum: dict[str, str]) -> None:
    with pytest.raises(UpstreamError, match="without a picture"):
        parsed(answer({"data": [datum]}))


def test_what_cannot_be_stored_as_utf_8_is_replaced() -> None:
    data = [{"b64_json": PIXEL, "revised_prompt": "half a fox \ud83e"}, {"url": "/half\ud83e.png"}]
    ready = parsed(answer({"data": data}))
    assert ready.revised_prompts[0] == "half a fox ?"
    assert ready.sources[0].url == "https://up.invalid/half?.png"


def test_pictures_are_parsed_and_the_rest_is_ignored() -> None:
    data = [{"b64_json": "*"}, None, {}, {"url": f"data:image/png;base64,{PIXEL}"}, {"url": 7}, {"b64_json": PIXEL}]
    assert parsed(answer({"data": data})).bodies == (b"\x89PNG...",) * 2


def test_revised_prompts_are_reported_by_picture() -> None:
    data = [
        {"url": "https://cdn.invalid/a.png", "revised_prompt": "of the address"},
        {"b64_json": PIXEL, "revised_prompt": "of the bytes"},
        {"b64_json": "*", "revised_prompt": "of no picture"},
        {"b64_json": PIXEL, "revised_prompt": ""},
        {"b64_json": PIXEL, "revised_prompt": 7},
        {"b64_json": PIXEL, "revised_prompt": "x" * 5000},
    ]
    ready = parsed(answer({"data": data}))
    assert (len(ready.bodies), len(ready.sources)) == (4, 1)
    *_, long, of_address = ready.revised_prompts
    assert ready.revised_prompts[:3] == ("of the bytes", None, None)
    assert of_address == "of the address"
    assert long is not None
    assert (len(long), long[-1]) == (LONGEST_REVISED_PROMPT, "…")
    assert parsed(DONE).revised_prompts == ()


DETAILS = {"text_tokens": 4, "image_tokens": 6}


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (
            {"input_tokens": 10, "input_tokens_details": DETAILS, "output_tokens": 50, "total_tokens": 60},
            Usage(input_tokens=10, output_tokens=50, total_tokens=60, input_text_tokens=4, input_image_tokens=6),
        ),
        (
            {"input_tokens": 10, "output_tokens": 50, "total_tokens": 60},
            Usage(input_tokens=10, output_tokens=50, total_tokens=60),
        ),
        (
            {"input_tokens": 10, "input_tokens_details": [], "output_tokens": 50, "total_tokens": 60},
            Usage(input_tokens=10, output_tokens=50, total_tokens=60),
        ),
        (
            {"total_tokens": 60, "output_tokens": "50", "input_tokens": True},
            Usage(input_tokens=0, output_tokens=0, total_tokens=60),
        ),
        ({"input_tokens": 0, "input_tokens_details": {}, "output_tokens": 0, "total_tokens": 0}, None),
        ({"total_tokens": -1, "input_tokens": 1e300, "output_tokens": 10**30}, None),
        ({}, None),
        ([], None),
        (None, None),
        (5, None),
    ],
)
def test_tokens_are_reported_where_they_are_counted(told: Any, usage: Usage | None) -> None:
    assert parsed(answer({"data": [{"b64_json": PIXEL}], "usage": told})).usage == usage


def error(message: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


REJECTED = "Your request was rejected by the safety system. If you believe this is an error, contact us."
YANDEX_2024 = "it is not possible to generate an image from this request because it may violate the terms of use"
YANDEX_2026 = "Я не могу сгенерировать это изображение. Давайте попробуем другую тему."
YANDEX_KEYS = {"message": "x", "type": "invalid_request_error"}


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (400, error(REJECTED, "image_generation_user_error", "moderation_blocked"), FailureCode.CONTENT_FILTERED),
        (400, error("no", "invalid_request_error", "content_policy_violation"), FailureCode.CONTENT_FILTERED),
        (400, error("no", "image_generation_user_error"), FailureCode.CONTENT_FILTERED),
        (400, error(REJECTED), FailureCode.CONTENT_FILTERED),
        (400, {"error": YANDEX_KEYS | {"message": YANDEX_2024}}, FailureCode.CONTENT_FILTERED),
        (400, {"error": YANDEX_KEYS | {"message": YANDEX_2026}}, FailureCode.CONTENT_FILTERED),
        (422, error("NSFW content found"), FailureCode.CONTENT_FILTERED),
        (200, error(REJECTED, "image_generation_user_error", "moderation_blocked"), FailureCode.CONTENT_FILTERED),
        (400, error("Unknown parameter: 'moderation'.", code="unknown_parameter"), FailureCode.INVALID_REQUEST),
        (400, error("Invalid size", code="invalid_size"), FailureCode.INVALID_REQUEST),
        (422, {"detail": [{"msg": "field required"}]}, FailureCode.INVALID_REQUEST),
        (400, {"error": "n is too large"}, FailureCode.INVALID_REQUEST),
        (400, error("Failed to parse model URI 'x'"), FailureCode.NOT_FOUND),
        (400, error("Specified folder ID 'x' does not match with service account folder ID 'y'"), FailureCode.AUTH),
        (400, error("limit", "billing_limit_user_error", "billing_hard_limit_reached"), FailureCode.NO_CREDIT),
        (401, error("Incorrect API key", code="invalid_api_key"), FailureCode.AUTH),
        (402, error("no credit", "credit_limit"), FailureCode.NO_CREDIT),
        (403, error("Your organization must be verified"), FailureCode.AUTH),
        (404, error("no such model", code="model_not_found"), FailureCode.NOT_FOUND),
        (400, error("no such model", code="model_not_found"), FailureCode.NOT_FOUND),
        (429, error("slow down", "requests", "rate_limit_exceeded"), FailureCode.RATE_LIMITED),
        (429, error("quota", "insufficient_quota", "insufficient_quota"), FailureCode.NO_CREDIT),
        (500, error("oops", "server_error"), FailureCode.UPSTREAM_FAILED),
        (502, None, FailureCode.UPSTREAM_FAILED),
        (503, error("overloaded"), FailureCode.CAPACITY),
        (504, None, FailureCode.UPSTREAM_TIMEOUT),
        (302, None, FailureCode.UPSTREAM_FAILED),
        (200, error("oops", "server_error"), FailureCode.BAD_PAYLOAD),
        (202, {"id": "later"}, FailureCode.BAD_PAYLOAD),
        (200, {"created": 1, "data": []}, FailureCode.BAD_PAYLOAD),
        (200, {"created": 1, "data": None}, FailureCode.BAD_PAYLOAD),
        (200, {"created": 1}, FailureCode.BAD_PAYLOAD),
        (200, {"data": [{"b64_json": ""}]}, FailureCode.BAD_PAYLOAD),
        (200, [], FailureCode.BAD_PAYLOAD),
        (200, "picture", FailureCode.BAD_PAYLOAD),
    ],
)
def test_everything_else_is_a_failure_with_a_name(status: int, document: Any, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parsed(answer(document, status))
    assert caught.value.failure.code is code
    assert caught.value.failure.message.startswith("up answered")


def test_a_document_nested_too_deep_is_no_answer() -> None:
    with pytest.raises(UpstreamError) as caught:
        parsed(HttpResponse(200, {}, b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}"))
    assert caught.value.failure.code is FailureCode.BAD_PAYLOAD


@pytest.mark.parametrize(("status", "code"), [(200, FailureCode.BAD_PAYLOAD), (502, FailureCode.UPSTREAM_FAILED)])
def test_a_web_page_is_no_answer(status: int, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        parsed(HttpResponse(status, {}, b"<html><h1>Bad gateway</h1></html>"))
    assert caught.value.failure.code is code
    assert "<" not in caught.value.failure.message


def test_a_throttled_call_says_when_to_come_back() -> None:
    response = answer(error("slow down"), 429, **{"retry-after": "7"})
    with pytest.raises(UpstreamError) as caught:
        parsed(response)
    assert caught.value.failure.retry_after == 7


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"data": [{"respect_moderation": False}]}, FailureCode.CONTENT_FILTERED),
        ({"data": [], "block_reason": "violates the policy"}, FailureCode.CONTENT_FILTERED),
        ({"data": []}, FailureCode.BAD_PAYLOAD),
        ({"data": [{"mime_type": "image/jpeg"}]}, FailureCode.BAD_PAYLOAD),
    ],
    ids=["moderated", "blocked", "empty", "nothing in it"],
)
def test_a_refusal_may_come_as_a_success(document: Any, code: FailureCode) -> None:
    """docs/protocols/openai-compatible.md#xai"""
    with pytest.raises(UpstreamError) as raised:
        parsed(answer(document))
    assert raised.value.failure.code is code


def test_an_empty_answer_is_a_refusal_where_that_is_said() -> None:
    with pytest.raises(UpstreamError) as raised:
        parse_answer("up", "https://up.invalid/v1", answer({"data": []}), None, empty_is_refusal=True)
    assert raised.value.failure.code is FailureCode.CONTENT_FILTERED


def test_pictures_that_moderation_let_through_are_kept() -> None:
    data = [{"b64_json": PIXEL}, {"respect_moderation": False, "b64_json": PIXEL}, {"respect_moderation": False}]
    assert len(parsed(answer({"data": data})).bodies) == 1


def test_a_charge_is_told_in_millionths_of_a_dollar() -> None:
    """docs/protocols/openai-compatible.md#xai"""
    charged = {"data": [{"b64_json": PIXEL}], "usage": {"cost_in_usd_ticks": 200_000_000}}
    assert parsed(answer(charged)).micro_dollars == 20_000
    for ticks in (None, 0, -1, "7", True, 2**60):
        assert parsed(answer(charged | {"usage": {"cost_in_usd_ticks": ticks}})).micro_dollars is None


BLOCKED = "This resource has been temporarily blocked because we detected behavior that may violate our content policy."
POLICY = {"code": "ResponsibleAIPolicyViolation"}


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (400, {"error": {"code": "contentFilter", "message": "filtered"}}, FailureCode.CONTENT_FILTERED),
        (400, {"error": {"code": "400", "message": "no", "inner_error": POLICY}}, FailureCode.CONTENT_FILTERED),
        (403, {"error": {"code": "403", "message": BLOCKED}}, FailureCode.AUTH),
        (403, {"error": {"code": "content_policy_violation", "message": BLOCKED}}, FailureCode.AUTH),
        (404, {"error": {"code": "DeploymentNotFound", "message": "no such"}}, FailureCode.NOT_FOUND),
        (
            400,
            {"code": "Client specified an invalid argument", "error": "Incorrect API key provided"},
            FailureCode.AUTH,
        ),
        (403, {"code": "no", "error": "Your team has used all available credits"}, FailureCode.NO_CREDIT),
        (400, {"code": "no", "error": "Rejected by content moderation."}, FailureCode.CONTENT_FILTERED),
        (422, {"code": "unprocessable", "error": "unknown field `size`"}, FailureCode.INVALID_REQUEST),
        (400, {"code": "not_enough_credits", "message": "Not enough credits"}, FailureCode.NO_CREDIT),
        (400, {"code": "invalid_request_parameter", "message": "size"}, FailureCode.INVALID_REQUEST),
        (402, {"success": False, "error": {"code": "PAYMENT_REQUIRED", "message": "budget"}}, FailureCode.NO_CREDIT),
        (422, {"success": False, "error": {"code": "content_policy_violation"}}, FailureCode.CONTENT_FILTERED),
        (401, {"success": False, "error": {"message": '{"detail":"Unauthorized"}'}}, FailureCode.UPSTREAM_FAILED),
        (403, {"success": False, "error": {"message": '{"detail":"Unauthorized"}'}}, FailureCode.UPSTREAM_FAILED),
        (401, {"success": False, "error": {"code": "UNAUTHORIZED", "message": "no key"}}, FailureCode.AUTH),
        (401, {"detail": "Unauthorized"}, FailureCode.AUTH),
    ],
)
def test_compatible_servers_refuse_in_their_own_ways(status: int, document: Any, code: FailureCode) -> None:
    """docs/protocols/openai-compatible.md"""
    with pytest.raises(UpstreamError) as raised:
        parsed(answer(document, status))
    assert raised.value.failure.code is code


@pytest.mark.parametrize(
    "document",
    [
        {"images": [{"url": "https://cdn.invalid/a.png"}]},
        {"images": ["https://cdn.invalid/a.png"]},
        {"data": ["https://cdn.invalid/a.png"]},
        {"data": {"image_urls": ["https://cdn.invalid/a.png"]}},
        {"data": {"images": [{"image_url": "https://cdn.invalid/a.png"}]}},
        {"data": {"urls": ["https://cdn.invalid/a.png"]}},
    ],
)
def test_pictures_are_found_where_other_servers_have_them(document: Any) -> None:
    assert parsed(answer(document)) == Ready(sources=(Source("https://cdn.invalid/a.png"),))


@pytest.mark.parametrize(
    "document", [{"images": [PIXEL]}, {"data": {"images": [{"base64": PIXEL}]}}, {"data": [PIXEL]}]
)
def test_bytes_are_found_there_too(document: Any) -> None:
    assert parsed(answer(document)).bodies == (b"\x89PNG...",)


def test_base64_of_the_other_alphabet_and_without_padding() -> None:
    body = b"\xfb\xff\xfe\xfb"
    text = base64.urlsafe_b64encode(body).decode().rstrip("=")
    assert {"-", "_"} <= set(text)
    assert parsed(answer({"data": [{"b64_json": text}]})).bodies == (body,)


def test_an_answer_may_be_the_picture_itself() -> None:
    response = HttpResponse(200, {"content-type": "image/png"}, b"\x89PNG...")
    assert parsed(response, 7) == Ready(bodies=(b"\x89PNG...",), seed=7)


@pytest.mark.parametrize("word", ["content_filter", "contentFilter", "CONTENT_FILTERED", "content-policy-violation"])
@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_refused_prompt_however_its_code_is_spelled(word: str, status: int) -> None:
    for error in ({"code": word, "message": "no"}, {"type": word, "message": "no"}):
        with pytest.raises(UpstreamError) as caught:
            parsed(answer({"error": error}, status))
        assert caught.value.failure.code is FailureCode.CONTENT_FILTERED


@pytest.mark.parametrize("word", ["insufficient_user_quota", "INSUFFICIENT_BALANCE", "insufficientCredits"])
@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_an_empty_account_whatever_the_status(word: str, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        parsed(
            answer({"error": {"message": "user quota is not enough", "code": word, "type": "new_api_error"}}, status)
        )
    assert caught.value.failure.code is FailureCode.NO_CREDIT


def test_an_unknown_code_keeps_the_upstreams_own_words() -> None:
    with pytest.raises(UpstreamError, match="the oven is cold") as caught:
        parsed(answer({"error": {"message": "the oven is cold", "code": "cold_oven"}}, 500))
    assert caught.value.failure.code is FailureCode.UPSTREAM_FAILED
