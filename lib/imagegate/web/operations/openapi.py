"""What the OpenAPI document says of the operations API: summaries, bodies, examples, every error answer.

A constant belongs to the routes of its name. The other dialects are in web/openai/openapi.py and
web/yandexart/openapi.py.
"""

from typing import Any

from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import webhooks as operations_webhooks
from imagegate.web import openapi_schemas as schemas
from imagegate.web.openapi_parts import (
    ACCEPTED,
    DATA_LOGGING,
    IDEMPOTENCY_KEY,
    NO_PICTURES,
    OVERTAKEN,
    PREFER,
    REDIRECT,
    Responses,
    body,
    header,
    problems,
    wait_errors,
)

_OPERATION = {"model": schemas.OperationSchema, "description": "The operation."}
_WAIT_ANSWERS: Responses = {
    200: {"description": "The answer in the dialect that started the operation.", "model": dict[str, Any]},
    202: ACCEPTED,
    303: REDIRECT,
    **wait_errors(
        s400="The request was refused, here or upstream.",
        s404="No such operation.",
        s410="Its retention has ended.",
    ),
    **NO_PICTURES,
}


CREATE: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Start an operation",
    "responses": {
        200: {
            "model": schemas.OperationSchema | schemas.EstimateSchema,
            "description": "It ended within `Prefer: wait`, or (`validate_only`) what it would do.",
        },
        202: ACCEPTED,
        **problems(
            s400="The request has to be changed; `param` names the field.",
            s404="The model does not exist.",
            s409=OVERTAKEN,
            s422="The Idempotency-Key came with another request before.",
        ),
    },
    "openapi_extra": {
        "parameters": [PREFER, IDEMPOTENCY_KEY, DATA_LOGGING],
        **body(
            operations_requests.CreateBody,
            simple={"model": "flux", "prompt": "a red fox in the snow"},
            all_fields={
                "model": "flux",
                "prompt": "a red fox in the snow",
                "n": 2,
                "size": {"width": 1024, "height": 768},
                "seed": 7,
                "output_format": "png",
                "deadline": 600,
                "metadata": {"order": "4711"},
                "webhook": {"url": "https://example.com/hook", "events": ["succeeded", "failed"]},
            },
            estimate={"model": "flux", "prompt": "a red fox", "validate_only": True},
        ),
    },
}
LIST: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "List operations, newest first",
    "responses": {
        200: {"model": schemas.ListSchema, "description": "A part of the list."},
        **problems(s400="A parameter has to be changed."),
    },
}
GET: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Show an operation",
    "responses": {
        200: _OPERATION,
        304: {"description": "It is as `If-None-Match` has it."},
        **problems(s404="No such operation.", s410="Its retention has ended."),
    },
    "openapi_extra": {"parameters": [header("If-None-Match", "The ETag of an earlier answer.")]},
}
WAIT: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Wait for an operation",
    "description": "Held until it ends, at most 27 s; then 303 to the next hop. Answers in the dialect that started it",
    "responses": _WAIT_ANSWERS,
}
WAIT_BY_POST: dict[str, Any] = {**WAIT, "summary": "Wait for an operation (for clients that repeat POST)"}
CANCEL: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Cancel an operation",
    "description": "`started_at` tells whether it had begun, `may_have_cost` whether an upstream may charge.",
    "responses": {
        200: _OPERATION,
        **problems(s404="No such operation.", s409="It has ended.", s410="Its retention has ended."),
    },
}
RETRY: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Try a failed or cancelled operation again",
    "description": "New attempts under the same id; pictures that are there are kept.",
    "responses": {
        202: ACCEPTED,
        **problems(s404="No such operation.", s409="It runs, or has succeeded.", s410="Its retention has ended."),
    },
}
DELETE: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Delete an operation and its pictures",
    "responses": {
        204: {"description": "Gone."},
        **problems(
            s404="No such operation.",
            s409="It is running, or others keep writing it.",
            s410="Its retention has ended.",
        ),
    },
}
_DELIVERIES = {"model": schemas.DeliveriesSchema, "description": "The deliveries."}
DELIVERIES: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Show what was sent to an operation's webhook",
    "responses": {
        200: _DELIVERIES,
        **problems(s400="A parameter has to be changed.", s404="No such operation.", s410="Its retention has ended."),
    },
}
_REDELIVERY = body(operations_webhooks.RedeliverBody, all={}, one={"event_id": "06gzj55vfn0ajhf9kn2m.3"})
_REDELIVERY["requestBody"]["required"] = False
REDELIVER: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Send events to an operation's webhook again",
    "description": "All that have not arrived, or the one named; with the same `webhook-id`.",
    "responses": {
        202: _DELIVERIES,
        **problems(
            s400="There is no such event.",
            s404="No such operation.",
            s409="It has no webhook, or everything has arrived.",
            s410="Its retention has ended.",
        ),
    },
    "openapi_extra": _REDELIVERY,
}
IMAGE: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Fetch a picture",
    "responses": {
        302: {"description": "The picture is at Location, for a limited time."},
        **problems(s404="No such picture.", s405="This is a path of OpenAI's dialect.", s410="No longer kept."),
    },
}
USAGE: dict[str, Any] = {
    "tags": ["Operations"],
    "summary": "Show what the API key has used of its limits",
    "description": "What its operations may still use is counted as used while they run. Days are UTC's, today first.",
    "responses": {
        200: {"model": schemas.KeyUsageSchema, "description": "Limits (null: none), what is left, and what was used."},
        **problems(s400="`days` has to be changed."),
    },
}
