"""One's own AUTOMATIC1111, or a server that speaks its API: Forge, reForge, SD.Next.

Contract: docs/protocols/sdapi.md. The server draws one picture at a time, and a request waits its turn in an open
connection. There is no job to ask about, and interrupting would strike whatever runs, so cancelling does nothing.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from imagegate.domain.failure import Failure, FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Check, Failed, Ready, Ticket
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.ports.upstreams import Http, HttpRequest, HttpResponse, Secrets
from imagegate.providers.credentials import fill_in_base_url
from imagegate.providers.http_errors import bad_payload, http_error
from imagegate.providers.parsing import decoded, object_of

AUTH = "SDAPI_AUTH"
"""The secret `user:password` of a server started with `--api-auth`; one without wants none."""
LOADED = "default"
"""The model name that leaves it at the checkpoint that the server has loaded."""
DRAWING_SECONDS = 240.0
BODY_SECONDS = 60.0
"""For how long `Http` reads an answer once it has begun, at most 120."""

_CHECKPOINT = re.compile(r"\.(safetensors|ckpt)$|\s*\[[0-9a-f]+\]$", re.IGNORECASE)


class Sdapi:
    """One server."""

    limits = Limits(
        completion=CompletionMode.SYNC,
        grid=Grid(minimum=256, maximum=2048, step=8),
        prompt_characters=4000,
        steps_maximum=150,
        submit_seconds=DRAWING_SECONDS + BODY_SECONDS,
        expected_seconds=15.0,
        capabilities=frozenset({"seed", "steps", "guidance", "negative_prompt"}),
    )

    def __init__(self, name: str, base_url: str, http: Http, secrets: Secrets) -> None:
        self.name = name
        self.base_url = base_url
        self._http = http
        self._secrets = secrets

    def submit(self, upstream_request: UpstreamRequest) -> Ready:
        """Have it drawn; the answer is the picture."""
        request = HttpRequest(
            method="POST",
            url=f"{fill_in_base_url(self.name, self._secrets, self.base_url)}/txt2img",
            headers=self._credentials(),
            json=build_body(upstream_request),
            timeout=DRAWING_SECONDS,
            total_timeout=BODY_SECONDS,
        )
        return parse_answer(self.name, self._http.send(request), upstream_request.model)

    def check(self, ticket: Ticket, hold_until: float) -> Check:
        """Never called: this protocol gives no tickets."""
        return Failed(Failure(FailureCode.NOT_FOUND, f"{self.name} has no jobs to ask about."))

    def cancel(self, ticket: Ticket) -> None:
        """Nothing: there is no job to stop."""

    def _credentials(self) -> dict[str, str]:
        secret = (self._secrets.get(AUTH) or "").strip()
        return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}


def build_body(upstream_request: UpstreamRequest) -> dict[str, Any]:
    """The body of `txt2img` (docs/protocols/sdapi.md#drawing)."""
    request, size = upstream_request.request, Sdapi.limits.size_for(upstream_request.request)
    fields = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "width": size.width,
        "height": size.height,
        "steps": request.steps,
        "cfg_scale": request.guidance,
        "seed": request.seed,
    }
    body = {name: value for name, value in fields.items() if value is not None}
    return body if upstream_request.model == LOADED else {**body, **build_override(upstream_request.model)}


def build_override(checkpoint: str) -> dict[str, Any]:
    """The fields that have another checkpoint draw this one picture."""
    override = {"sd_model_checkpoint": checkpoint}
    return {"override_settings": override, "override_settings_restore_afterwards": True}


def parse_answer(name: str, response: HttpResponse, checkpoint: str) -> Ready:
    """The picture, with the seed it was drawn from. Raises UpstreamError for any other answer."""
    document = object_of(response.body)
    if response.status != 200:
        raise http_error(name, response, _message(response, document))
    reported = document.get("info")
    info = object_of(reported) if isinstance(reported, str) else {}
    if not _is_checkpoint(info.get("sd_model_name"), checkpoint):
        message = f"{name} has no checkpoint {checkpoint}, and drew with {info.get('sd_model_name')}."
        raise UpstreamError(Failure(FailureCode.NOT_FOUND, message))
    picture = decoded(_first(document.get("images"), info.get("index_of_first_image")))
    if not picture:
        raise bad_payload(name, "without a picture")
    seed = info.get("seed")
    return Ready(bodies=(picture,), seed=seed if type(seed) is int and seed >= 0 else None)


def _is_checkpoint(reported: Any, wanted: str) -> bool:
    """False when it says that it drew with another: an unknown checkpoint is passed over in silence."""
    return wanted == LOADED or not isinstance(reported, str) or not reported or _stem(reported) == _stem(wanted)


def _stem(checkpoint: str) -> str:
    """A checkpoint's name, of which the server may know folder, suffix and hash too."""
    name = PurePosixPath(checkpoint.replace("\\", "/")).name
    return _CHECKPOINT.sub("", _CHECKPOINT.sub("", name)).casefold()


def _first(images: Any, index: Any) -> Any:
    """The first picture: a grid may be before it, and what extensions add behind."""
    first = index if type(index) is int and index > 0 else 0
    return images[first] if isinstance(images, list) and first < len(images) else None


def _message(response: HttpResponse, document: Mapping[str, Any]) -> str:
    reported = [str(document[field]) for field in ("error", "detail", "errors") if document.get(field)]
    return ": ".join(reported) or response.body.decode("utf-8", "replace")
