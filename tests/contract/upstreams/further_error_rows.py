"""The rest of the rows: error_rows.py has the others and says what they are."""

from collections.abc import Mapping
from typing import Any

from contract.upstreams.error_rows import (
    PNG,
    Case,
    answer,
    checked,
    runware,
    statuses,
    submitted,
    workers_ai,
)

BLOCKED = "This resource has been temporarily blocked because we detected behavior that may violate our content policy."
SUPPLIER = "upstream_failed"


def several(words: str, code: str, status: int = 400, **fields: Any) -> tuple[Case, ...]:
    """Errors of Runware alike."""
    return tuple(runware(word, code, status, **fields) for word in words.split())


def flat(provider: str, code: str, status: int, word: str, text: str) -> Case:
    """xAI's two texts."""
    return submitted(provider, code, status, {"code": word, "error": text})


def openai(provider: str, code: str, status: int, word: str, message: str = "no", **inner: Any) -> Case:
    """OpenAI's shape, which most servers have."""
    return submitted(provider, code, status, {"error": {"code": word, "message": message, **inner}})


UNAUTHORIZED_INSIDE = {"success": False, "error": {"message": '{"detail":"Unauthorized"}', "code": "UNAUTHORIZED"}}

FURTHER_ROWS: Mapping[str, Mapping[str, tuple[Case, ...]]] = {
    "huggingface": {
        "401": statuses("hf-fal-ai", {401: "auth"}) + statuses("hf-nscale", {401: "auth"}),
        "402": (
            submitted("hf-replicate", "no_credit", 402, {"error": "You have exceeded your monthly included credits"}),
            submitted(
                "hf-fal-ai", "not_found", 402, {"error": "Pay-as-you go is not enabled for provider fal-ai yet."}
            ),
        ),
        "404": statuses("hf-together", {404: "not_found"}) + statuses("hf-replicate", {404: "not_found"}),
        "429": statuses("hf-together", {429: "rate_limited"}),
        "503": statuses("hf-fal-ai", {503: "capacity"}),
    },
    "ideogram": {
        "`failed`": (
            checked("ideogram", "content_filtered", answer(200, {"status": "failed", "failure_reason": "safety"})),
            checked("ideogram", "upstream_failed", answer(200, {"status": "failed", "failure_reason": "broke"})),
        ),
        "400": statuses("ideogram", {400: "invalid_request", 413: "invalid_request"}, {"error": "no"}),
        "401": statuses("ideogram", {401: "auth", 403: "auth"}, {"error": "no"}),
        "402": (
            submitted("ideogram", "no_credit", 402, {"reject_reason": "insufficient_funds"}),
            submitted("ideogram", "no_credit", 402, {"reject_reason": "daily_limit"}),
        ),
        "404 at the start": statuses("ideogram", {404: "not_found"}),
        "404 at a generation": (checked("ideogram", "expired", answer(404)),),
        "422": statuses("ideogram", {422: "content_filtered"}, {"error": "Prompt provided failed safety check"}),
        "429": statuses("ideogram", {429: "rate_limited"}),
        "5xx": statuses("ideogram", {500: "upstream_failed", 503: "capacity"}),
    },
    "replicate": {
        "401": statuses("replicate", {401: "auth", 403: "auth"}),
        "402": statuses("replicate", {402: "no_credit"}),
        "404": (*statuses("replicate", {404: "not_found"}), checked("replicate", "expired", answer(404))),
        "422": (
            submitted("replicate", "invalid_request", 422, {"detail": "prompt is required"}),
            submitted("replicate", "not_found", 422, {"detail": "The specified version does not exist"}),
        ),
        "429": (submitted("replicate", "rate_limited", 429, {"detail": "Your rate limit resets in ~30s."}),),
        "5xx": statuses("replicate", {500: "upstream_failed", 502: "upstream_failed", 503: "capacity"}),
        "`failed` with an `error`": tuple(
            checked("replicate", "content_filtered", answer(200, {"status": "failed", "error": text}))
            for text in ("NSFW content detected", "The output was flagged as sensitive. (E005)")
        ),
        "`failed` with any other": tuple(
            checked("replicate", "upstream_failed", answer(200, {"status": status, "error": text}))
            for status, text in (("failed", "Unknown error (E1000)"), ("failed", "memory (E1001)"), ("canceled", ""))
        ),
        "`aborted`": (checked("replicate", "upstream_timeout", answer(200, {"status": "aborted"})),),
        "`succeeded` with `data_removed`": (
            checked("replicate", "expired", answer(200, {"status": "succeeded", "data_removed": True})),
        ),
        "`succeeded` without": (checked("replicate", "bad_payload", answer(200, {"status": "succeeded"})),),
    },
    "runware": {
        "`provider…`": several(
            "providerAuthenticationFailed providerInternalError providerUnknownError providerBadGateway", SUPPLIER
        ),
        "credits": several("insufficientCredits quotaExceeded balanceTooLow paymentRequired", "no_credit", 402),
        "rate limit": several("rateLimitExceeded", "rate_limited", 429),
        "content policy": several(
            "contentPolicyViolation sensitiveContent nsfwDetected unsafeContent promptBlocked moderationFailed",
            "content_filtered",
        ),
        "API key": several(
            "invalidApiKey missingApiKey authFailed permissionDenied invalidToken accountSuspended workspaceDisabled",
            "auth",
            401,
        ),
        "timeout": several("timeoutProvider requestTimeout", "upstream_timeout"),
        "model not found": (
            *several("modelNotFound unknownModel invalidModel", "not_found", 404),
            *several("unsupportedValue", "not_found", parameter="model"),
        ),
        "task not found": several("taskNotFound taskExpired taskCancelled", "expired", 404),
        "unavailable": several("modelUnavailable noAvailableServer modelNotReady modelDisabled", "capacity", 503),
        "`invalid…`": several(
            "invalidWidth missingPrompt unsupportedFormat valueTooLarge arrayTooLong maxExceeded", "invalid_request"
        ),
    },
    "sdapi": {
        "401": statuses("sdapi", {401: "auth"}, {"detail": "Not authenticated"}),
        "404": statuses("sdapi", {404: "not_found"}, {"detail": "Sampler not found"}),
        "422": statuses("sdapi", {422: "invalid_request"}, {"detail": [{"msg": "x"}]}),
        "500": (
            submitted("sdapi", "upstream_failed", 500, {"error": "OutOfMemoryError", "detail": "", "errors": "CUDA"}),
            submitted("sdapi", "upstream_failed", 524),
        ),
        "503": statuses("sdapi", {503: "capacity"}),
        "504": statuses("sdapi", {504: "upstream_timeout"}),
    },
    "stability": {
        "400": statuses("stability", {400: "invalid_request", 413: "invalid_request", 422: "invalid_request"}),
        "401": statuses("stability", {401: "auth", 403: "auth"}, {"name": "permission_denied"}),
        "402": statuses("stability", {402: "no_credit"}, {"name": "payment_required"}),
        "403 with": statuses("stability", {403: "content_filtered"}, {"id": "a", "name": "content_moderation"}),
        "404": statuses("stability", {404: "not_found"}),
        "429": statuses("stability", {429: "rate_limited"}, {"name": "rate_limit_exceeded"}),
        "500": statuses("stability", {500: "upstream_failed", 503: "capacity"}),
        "200 with `finish_reason`": (
            submitted("stability", "content_filtered", 200, {"image": PNG, "finish_reason": "CONTENT_FILTERED"}),
        ),
        "200 with any other": (
            submitted("stability", "upstream_failed", 200, {"image": PNG, "finish_reason": "ERROR"}),
        ),
        "200 without": (submitted("stability", "bad_payload", 200, {"finish_reason": "SUCCESS"}),),
    },
    "workers-ai": {
        "3003": (
            workers_ai(3003, 400, "invalid_request"),
            workers_ai(5004, 400, "invalid_request"),
            workers_ai(3006, 413, "invalid_request"),
        ),
        "3030": (
            workers_ai(3030, 400, "content_filtered"),
            workers_ai(5006, 400, "content_filtered", "AiError: Input prompt contains NSFW content."),
        ),
        "5007": (
            workers_ai(5007, 400, "not_found"),
            workers_ai(5028, 400, "not_found"),
            workers_ai(3042, 404, "not_found"),
        ),
        "5005": (workers_ai(5005, 405, "not_found"), workers_ai(5019, 405, "not_found")),
        "3023": tuple(
            workers_ai(number, status, "auth")
            for number, status in (
                (3023, 403),
                (3041, 403),
                (5016, 403),
                (5018, 403),
                (6003, 400),
                (7003, 404),
                (10000, 401),
            )
        ),
        "3036": (
            workers_ai(3036, 429, "no_credit"),
            workers_ai(4006, 429, "no_credit"),
            workers_ai(0, 429, "no_credit", "AiError: 4006: you have used up your daily free allocation"),
        ),
        "3040": (workers_ai(3040, 429, "capacity"),),
        "3007": (workers_ai(3007, 408, "upstream_timeout"), workers_ai(3008, 408, "upstream_timeout")),
        "any other 400": (workers_ai(5006, 400, "invalid_request"),),
        "any other 429": (workers_ai(971, 429, "rate_limited"),),
        "any other 5xx": (workers_ai(3043, 500, "upstream_failed"), workers_ai(3043, 503, "capacity")),
    },
    "openai-compatible": {
        "xAI: 200 with": tuple(
            submitted("xai", "content_filtered", 200, document)
            for document in ({"data": []}, {"data": [{"respect_moderation": False}]}, {"block_reason": "no"})
        ),
        "xAI: 400": (flat("xai", "auth", 400, "Client specified an invalid argument", "Incorrect API key provided"),),
        "xAI: 403": (flat("xai", "no_credit", 403, "no", "Your team has used all available credits"),),
        "xAI: 422": (flat("xai", "invalid_request", 422, "unprocessable", "unknown field"),),
        "Azure: 400": (
            openai("azure-openai", "content_filtered", 400, "contentFilter"),
            openai("azure-openai", "content_filtered", 400, "content_policy_violation"),
            openai("azure-openai", "content_filtered", 400, "moderation_blocked"),
            openai("azure-mai", "content_filtered", 400, "400", inner_error={"code": "ResponsibleAIPolicyViolation"}),
        ),
        "Azure: 403": (
            openai("azure-openai", "auth", 403, "content_policy_violation", BLOCKED),
            openai("azure-mai", "auth", 403, "403", BLOCKED),
        ),
        "Azure: 404": (openai("azure-openai", "not_found", 404, "DeploymentNotFound"),),
        "Recraft: 400": (
            submitted("recraft", "no_credit", 400, {"code": "not_enough_credits", "message": "Not enough credits"}),
        ),
        "Pollinations: 401, 403 or 500": tuple(
            submitted("pollinations", "upstream_failed", status, UNAUTHORIZED_INSIDE) for status in (401, 403, 500)
        ),
        "Pollinations: any other 401": (
            openai("pollinations", "auth", 401, "UNAUTHORIZED"),
            openai("pollinations", "auth", 403, "FORBIDDEN"),
        ),
        "Pollinations: 402 with": (openai("pollinations", "no_credit", 402, "PAYMENT_REQUIRED", "budget exhausted"),),
        "Pollinations: 402 of": (
            submitted("pollinations", "rate_limited", 402, {"x402Version": 1, "error": "Queue full for IP 192.0.2.1"}),
        ),
        "Pollinations: 422": (openai("pollinations", "content_filtered", 422, "content_policy_violation"),),
        "Pollinations: 500": (openai("pollinations", "upstream_failed", 500, "INTERNAL_ERROR"),),
        "Fireworks: 412": (
            openai("deepinfra", "no_credit", 412, "PRECONDITION_FAILED", "account is suspended, spending limit"),
        ),
        "any: 429": (openai("deepinfra", "rate_limited", 429, "rate_limit_exceeded"),),
        "any: 5xx": (
            *statuses("recraft", {500: "upstream_failed", 503: "capacity"}),
            *statuses("deepinfra", {502: "upstream_failed"}),
        ),
    },
}
