"""What the OpenAPI document says of the operations API."""

from dataclasses import replace
from typing import Any

from imagegate.dialects.operations import requests as operations_requests
from imagegate.dialects.operations import uploads as operations_uploads
from imagegate.dialects.operations import usage as operations_usage
from imagegate.dialects.operations import webhooks as operations_webhooks
from imagegate.dialects.operations.dialect import OPERATIONS
from imagegate.dialects.operations.responses import render_provenance
from imagegate.domain.access.api_key import ApiKey, KeyLimits
from imagegate.domain.access.ledger import UsageTotals, day_of
from imagegate.domain.operation.account import Amount
from imagegate.domain.webhooks.delivery import Delivery, DeliveryAttempt, DeliveryState
from imagegate.domain.webhooks.webhook import Webhook
from imagegate.usecases.uploads import UploadForm
from imagegate.web import openapi_samples as samples
from imagegate.web.openai import openapi as openai_openapi
from imagegate.web.openapi_parts import (
    DATA_LOGGING,
    IDEMPOTENCY_KEY,
    OVERTAKEN,
    PREFER,
    REDIRECT,
    Documented,
    ErrorAnswers,
    ErrorFormat,
    header,
    json_body,
)
from imagegate.web.operation_schemas import ACCEPTED, OperationSchema
from imagegate.web.operations import schemas

_PROBLEM = ErrorFormat(dialect=OPERATIONS, schema=schemas.ProblemSchema, media_type="application/problem+json")
_ERRORS = ErrorAnswers((_PROBLEM,))
_WAIT_ERRORS = ErrorAnswers((openai_openapi.ERROR, _PROBLEM))
"""OpenAI's shape for a client that OpenAI's API has redirected, problems for others."""
_NOT_FOUND, _GONE = "The operation does not exist.", "Its retention has ended."
_OPERATION = {"model": OperationSchema, "description": "The operation."}
_DONE, _QUEUED = samples.native(samples.DONE), samples.native(samples.QUEUED)
_WAIT = Documented(
    summary="Wait for an operation",
    description="Held until it ends, at most 27 s; then 303 to the next hop. Answers in the dialect that started it.",
    responses={
        200: {"description": "The answer in the dialect that started the operation.", "model": dict[str, Any]},
        202: ACCEPTED,
        303: REDIRECT,
        **_WAIT_ERRORS(s400="The request was refused, here or upstream.", s404=_NOT_FOUND, s410=_GONE),
        **openai_openapi.NO_PICTURES,
    },
    errors=_WAIT_ERRORS,
    examples_by_dialect={
        200: {"openai_images": openai_openapi.PICTURES[200], "operations": _DONE},
        202: {"operations": _QUEUED},
        303: {"openai_images": openai_openapi.PICTURES[303], "operations": openai_openapi.PICTURES[303]},
    },
    accepts_links=True,
)
_HOOKED = replace(samples.DONE, webhook=Webhook(url="https://example.com/hook", events=("succeeded", "failed")))
_DELIVERED = Delivery(
    operation_id=samples.ID, sequence=4, event="succeeded", event_id=f"{samples.ID}.4", body="",
    announced_at=samples.AT + 4.1, expires_at=samples.AT + 2_592_000,
    state=DeliveryState.DELIVERED, tries=(DeliveryAttempt(at=samples.AT + 4.3, seconds=0.08, status=204),),
)  # fmt: skip
_FORM = UploadForm(
    id=samples.ID, url="https://bucket.s3.eu-central-1.amazonaws.com/", expires_at=samples.AT + 900,
    fields={"key": f"uploads/…/{samples.ID}", "Content-Type": "image/jpeg", "policy": "…", "x-amz-signature": "…"},
    usable_until=samples.AT + 3600,
)  # fmt: skip
_DELIVERIES = {"model": schemas.DeliveriesSchema, "description": "The deliveries."}
_KEY = ApiKey(
    id="0123456789ab",
    name="billing",
    owner="0123456789ab",
    digest="",
    created_at=samples.AT,
    limits=KeyLimits(requests_per_minute=60, concurrent=5, pictures_per_day=200, micro_dollars_per_day=2_500_000),
)
_TODAY = day_of(samples.AT)
_USED = UsageTotals(1, {_TODAY: Amount(0, 12, 36_000)})

DOCUMENTED = {
    "create": Documented(
        summary="Start an operation",
        responses={
            200: {
                "model": OperationSchema | schemas.EstimateSchema,
                "description": "It ended within `Prefer: wait`, or (`validate_only`) the estimate.",
            },
            202: ACCEPTED,
            **_ERRORS(
                s400="The request must be changed; `param` names the field.",
                s404="The model does not exist.",
                s409=OVERTAKEN,
                s422="The Idempotency-Key was used with another request.",
            ),
        },
        errors=_ERRORS,
        examples={200: _DONE, 202: _QUEUED},
        refusals=samples.START_REFUSALS,
        requires_model=True,
        parameters=(PREFER, IDEMPOTENCY_KEY, DATA_LOGGING),
        body=json_body(
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
    ),
    "list": Documented(
        summary="List operations, newest first",
        responses={
            200: {"model": schemas.ListSchema, "description": "A page of the list."},
            **_ERRORS(s400="A parameter must be changed."),
        },
        errors=_ERRORS,
        examples={200: {"operations": [_DONE], "next_page_token": None}},
    ),
    "get": Documented(
        summary="Show an operation",
        responses={
            200: _OPERATION,
            304: {"description": "It has not changed since `If-None-Match`."},
            **_ERRORS(s404=_NOT_FOUND, s410=_GONE),
        },
        errors=_ERRORS,
        examples={200: _DONE},
        parameters=(header("If-None-Match", "The ETag of an earlier answer."),),
    ),
    "wait": _WAIT,
    "wait_by_post": replace(_WAIT, summary="Wait for an operation (for clients that repeat POST)"),
    "cancel": Documented(
        summary="Cancel an operation",
        description="`started_at` tells whether it had started, `may_have_cost` whether an upstream may charge.",
        responses={200: _OPERATION, **_ERRORS(s404=_NOT_FOUND, s409="It has ended.", s410=_GONE)},
        errors=_ERRORS,
        examples={200: samples.native(samples.CANCELLED)},
    ),
    "retry": Documented(
        summary="Retry a failed or cancelled operation",
        description="Makes new attempts under the same id; finished pictures stay.",
        responses={
            202: ACCEPTED,
            **_ERRORS(s404=_NOT_FOUND, s409="It is running, or has succeeded.", s410=_GONE),
        },
        errors=_ERRORS,
        examples={202: _QUEUED},
        requires_model=True,
    ),
    "delete": Documented(
        summary="Delete an operation and its pictures",
        responses={
            204: {"description": "It is deleted."},
            **_ERRORS(s404=_NOT_FOUND, s409="It is running, or other requests keep changing it.", s410=_GONE),
        },
        errors=_ERRORS,
    ),
    "deliveries": Documented(
        summary="Show the deliveries to an operation's webhook",
        responses={200: _DELIVERIES, **_ERRORS(s400="A parameter must be changed.", s404=_NOT_FOUND, s410=_GONE)},
        errors=_ERRORS,
        examples={200: operations_webhooks.render_deliveries(_HOOKED, [_DELIVERED], disabled=False).body},
    ),
    "redeliver": Documented(
        summary="Send events to an operation's webhook again",
        description="All that have not arrived, or the named one, with the same `webhook-id`.",
        responses={
            202: _DELIVERIES,
            **_ERRORS(
                s400="There is no such event.",
                s404=_NOT_FOUND,
                s409="It has no webhook, or everything has arrived.",
                s410=_GONE,
            ),
        },
        errors=_ERRORS,
        examples={202: operations_webhooks.render_deliveries(_HOOKED, [_DELIVERED.restarted("")], disabled=False).body},
        body=json_body(
            operations_webhooks.RedeliverBody, required=False, all={}, one={"event_id": "06gzj55vfn0ajhf9kn2m.3"}
        ),
    ),
    "image": Documented(
        summary="Fetch a picture",
        responses={
            302: {"description": "The picture is at Location, for a limited time."},
            **_ERRORS(
                s404="The picture does not exist.", s405="The path belongs to OpenAI's API.", s410="It is deleted."
            ),
        },
        errors=_ERRORS,
        accepts_links=True,
    ),
    "provenance": Documented(
        summary="Show where a picture comes from",
        description="The marks of origin that its file holds, also after the file itself is no longer kept.",
        responses={
            200: {"model": schemas.PictureProvenanceSchema, "description": "Its origin."},
            **_ERRORS(s404="The picture does not exist.", s410="Its operation's retention has ended."),
        },
        errors=_ERRORS,
        examples={200: render_provenance(samples.DONE, samples.DONE.pictures[0])},
    ),
    "upload": Documented(
        summary="Get a form to send a large picture with",
        description="For input pictures that are larger than a request may be. S3 takes the form.",
        responses={
            201: {"model": schemas.UploadSchema, "description": "The form."},
            **_ERRORS(s400="The request must be changed."),
        },
        errors=_ERRORS,
        examples={201: operations_uploads.render_upload(_FORM).body},
        body=json_body(operations_uploads.UploadBody, photo={"content_type": "image/jpeg"}),
    ),
    "usage": Documented(
        summary="Show the use of the API key's limits",
        description="Running operations count with the most that they may use. Days are in UTC, today first.",
        responses={
            200: {
                "model": schemas.KeyUsageSchema,
                "description": "Limits (null: none), their rest, and the use.",
            },
            **_ERRORS(s400="`days` must be changed."),
        },
        errors=_ERRORS,
        examples={200: operations_usage.render_usage(_KEY, _USED, [_TODAY], samples.AT)},
    ),
}
