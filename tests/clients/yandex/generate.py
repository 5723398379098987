"""yandex-ai-studio-sdk makes pictures, unmodified: only the environment says where to go (docs/yandex-bridge.md).

Takes one argument, a JSON object: `do` names a function below, the rest are its arguments. Prints one line of JSON:
what the function returns with `ok: true`, or {ok: false, error: {name, code, message}}. Imports nothing of imagegate.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from yandex_ai_studio_sdk import AIStudio, AsyncAIStudio
from yandex_ai_studio_sdk._types.operation import Operation

MODEL = "yandex-art"


def simple(text: str) -> dict[str, Any]:
    """The documentation's first example: one text."""
    return told(configured(AIStudio()).run_deferred(text).wait())


def to_a_file(texts: list[str]) -> dict[str, Any]:
    """Its second: two texts, and the picture in a file."""
    result = configured(AIStudio()).run_deferred(texts).wait()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.jpeg"
        path.write_bytes(result.image_bytes)
        return told(result) | {"file": hashlib.sha256(path.read_bytes()).hexdigest()}


def weighted(first: str, weight: float, second: str) -> dict[str, Any]:
    """Its third: two texts, one of which counts more."""
    return told(configured(AIStudio()).run_deferred([{"text": first, "weight": weight}, second]).wait())


def written(texts: list[str]) -> dict[str, Any]:
    """Its fourth: a text model writes the prompt."""
    sdk = AIStudio()
    prompt = sdk.models.completions("yandexgpt").run(texts)
    result = configured(sdk).run_deferred(prompt).wait()
    message = {"prompt": prompt.text, "status": prompt.status.name, "tokens": prompt.usage.total_tokens}
    return told(result) | message | {"model": prompt.model_version}


def asynchronous(text: str) -> dict[str, Any]:
    """The first example with the asynchronous half of the SDK."""

    async def generate() -> dict[str, Any]:
        model = AsyncAIStudio().models.image_generation(MODEL).configure(width_ratio=1, height_ratio=2, seed=50)
        return told(await (await model.run_deferred(text)))

    return asyncio.run(generate())


def start(text: str, model: str = MODEL) -> dict[str, Any]:
    """Start and go."""
    return {"id": AIStudio().models.image_generation(model).run_deferred(text).id}


def fetch(operation_id: str) -> dict[str, Any]:
    """Wait for what another process has started."""
    return told(attached(AIStudio(), operation_id).wait(poll_interval=0.5))


def attach(operation_id: str) -> dict[str, Any]:
    """The same by the method that is meant for it."""
    operation = AIStudio().models.image_generation(MODEL).attach_deferred(operation_id)
    return told(operation.wait(poll_interval=0.5))


def cancel(text: str) -> dict[str, Any]:
    """Start, cancel, and wait for it nevertheless."""
    operation = AIStudio().models.image_generation(MODEL).run_deferred(text)
    operation.cancel()
    return told(operation.wait(poll_interval=0.5))


def configured(sdk: AIStudio) -> Any:
    """The model as the examples have it."""
    return sdk.models.image_generation(MODEL).configure(width_ratio=1, height_ratio=2, seed=50)


def attached(sdk: AIStudio, operation_id: str) -> Any:
    """An operation by its id, made of what attach_deferred lacks: it asks the model for `_proto_result_type`."""
    from yandex.cloud.ai.foundation_models.v1.image_generation.image_generation_service_pb2 import (
        ImageGenerationResponse,
    )

    result = sdk.models.image_generation(MODEL)._result_type
    return Operation(id=operation_id, sdk=sdk, result_type=result, proto_result_type=ImageGenerationResponse)


def told(result: Any) -> dict[str, Any]:
    """What identifies a picture, and that a notebook would show it."""
    image = result.image_bytes
    sha256 = hashlib.sha256(image).hexdigest()
    return {"sha256": sha256, "shown": result._repr_jpeg_() is not None, "version": result.model_version}


def problem(error: Exception) -> dict[str, Any]:
    """An exception as the caller would see it."""
    code: Any = getattr(error, "code", None)
    code, message = (code().name, error.details()) if callable(code) else (code, str(error))  # type: ignore[attr-defined]
    return {"ok": False, "error": {"name": type(error).__name__, "code": code, "message": message}}


def main() -> None:
    """Do as the argument says."""
    sent = json.loads(sys.argv[1])
    doing = globals()[sent.pop("do")]
    try:
        outcome = {"ok": True, **doing(**sent)}
    except Exception as error:
        outcome = problem(error)
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
