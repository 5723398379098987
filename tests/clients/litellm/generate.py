"""LiteLLM's Python SDK requests one picture. Runs on `.venvs/litellm`, because LiteLLM pins an older `openai`.

Takes one argument, a JSON object with base_url, prompt and, if wanted, model, size, response_format and deadline
(seconds), and prints one line of JSON: {ok, bytes, magic, sha256, url?} or {ok: false, error: {name, status, code,
message}}. Imports nothing of imagegate.
"""

import base64
import hashlib
import json
import os
import signal
import sys
import urllib.request
from types import FrameType
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks GitHub for prices when it is imported

import litellm

litellm.suppress_debug_info = True


def picture(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask for a picture; what came of it."""
    wanted = {name: asked[name] for name in ("size", "response_format") if asked.get(name)}
    answer = litellm.image_generation(
        prompt=asked["prompt"],
        model=f"openai/{asked.get('model', 'flux')}",
        api_base=f"{asked['base_url']}/v1",
        api_key="x",
        drop_params=True,
        **wanted,
    )
    [item] = answer.data
    if item.b64_json:
        return summary(base64.b64decode(item.b64_json))
    with urllib.request.urlopen(item.url, timeout=30) as got:
        return summary(got.read()) | {"url": item.url}


def summary(image: bytes) -> dict[str, Any]:
    """What identifies a picture."""
    return {
        "ok": True,
        "bytes": len(image),
        "magic": image[:4].hex(),
        "sha256": hashlib.sha256(image).hexdigest(),
    }


def problem(error: Exception) -> dict[str, Any]:
    """An exception as the caller would see it."""
    return {
        "ok": False,
        "error": {
            "name": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "code": getattr(error, "code", None),
            "message": str(error),
        },
    }


def too_late(signal_number: int, frame: FrameType | None) -> None:
    """End a run at its time limit. Not by an exception, which LiteLLM would treat as the server's and retry."""
    print(json.dumps(problem(TimeoutError("neither picture nor error within the deadline"))), flush=True)
    os._exit(0)


def main() -> None:
    """Do as the argument says."""
    sent = json.loads(sys.argv[1])
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(sent.get("deadline", 120))
    try:
        outcome = picture(sent)
    except Exception as error:
        outcome = problem(error)
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
