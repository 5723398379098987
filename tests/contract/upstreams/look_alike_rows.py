"""The look-alikes of docs/protocols/providers.md; error_rows.py says what the rows are."""

from collections.abc import Mapping

from contract.upstreams.error_rows import (
    COMPLETED,
    PNG,
    Case,
    answer,
    bedrock,
    chat,
    checked,
    dashscope,
    fal,
    gemini,
    gigachat,
    submitted,
    workers_ai,
)
from contract.upstreams.further_error_rows import BLOCKED, flat, openai

UNSAFE = {"url": None, "is_image_safe": False}

LOOK_ALIKES: Mapping[str, Mapping[str, tuple[Case, ...]]] = {
    "providers": {
        "Azure 403": (openai("azure-openai", "auth", 403, "content_policy_violation", BLOCKED),),
        "Bedrock 400": (bedrock("ServiceQuotaExceededException", 400, "rate_limited"),),
        "Bedrock 404": (bedrock("ResourceNotFoundException", 404, "not_found", "end of its life"),),
        "Bedrock 424": (bedrock("ModelErrorException", 424, "upstream_failed"),),
        "Gemini or xAI 400": (
            gemini(400, "INVALID_ARGUMENT", "auth", "no", {"reason": "API_KEY_INVALID"}),
            flat("xai", "auth", 400, "Client specified an invalid argument", "Incorrect API key provided"),
        ),
        "Cloudflare 429 with the code 3036": (
            workers_ai(3036, 429, "no_credit"),
            workers_ai(4006, 429, "no_credit"),
        ),
        "Cloudflare 429 with the code 3040": (workers_ai(3040, 429, "capacity"),),
        "Pollinations 402": (
            submitted("pollinations", "rate_limited", 402, {"x402Version": 1, "error": "Queue full for IP 192.0.2.1"}),
        ),
        "fal 403": (fal(403, "no_credit", "User is locked."),),
        "Fireworks 412": (
            openai("deepinfra", "no_credit", 412, "PRECONDITION_FAILED", "account is suspended, spending limit"),
        ),
        "Hugging Face 402": (
            submitted(
                "hf-fal-ai", "not_found", 402, {"error": "Pay-as-you go is not enabled for provider fal-ai yet."}
            ),
        ),
        "fal: completed, and its result 422": (
            checked(
                "fal",
                "content_filtered",
                COMPLETED,
                answer(422, {"detail": [{"msg": "no", "type": "content_policy_violation"}]}),
            ),
        ),
        "DashScope 200": (dashscope("Throttling", "rate_limited", 200),),
        "200 without a picture": (
            submitted("bedrock", "content_filtered", 200, {"finish_reasons": ["Filter reason: prompt"]}),
            submitted("gemini", "content_filtered", 200, {"candidates": [{"finishReason": "IMAGE_SAFETY"}]}),
            submitted("xai", "content_filtered", 200, {"data": []}),
            checked("ideogram", "content_filtered", answer(200, {"status": "completed", "data": [UNSAFE]})),
            submitted("stability", "content_filtered", 200, {"image": PNG, "finish_reason": "CONTENT_FILTERED"}),
            gigachat(200, "content_filtered", chat("blacklist")),
        ),
        "Gemini 200 with `NO_IMAGE`": (
            submitted("gemini", "bad_payload", 200, {"candidates": [{"finishReason": "NO_IMAGE"}]}),
            submitted("gemini", "bad_payload", 200, {"candidates": [{"finishReason": "IMAGE_OTHER"}]}),
        ),
        "GigaChat 200 with words": (gigachat(200, "bad_payload", chat("stop")),),
    },
}
