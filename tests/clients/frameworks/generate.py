"""LangChain's DallEAPIWrapper requests one picture, as in its documentation. Runs on `.venvs/langchain`.

Takes one argument, a JSON object with base_url, prompt and, if wanted, model and size, and prints one line of JSON:
{ok, bytes, magic, sha256, url} or {ok: false, error: {name, status, code, message}}. Imports nothing of imagegate.
"""

import hashlib
import json
import signal
import sys
import urllib.request
import warnings
from typing import Any

warnings.simplefilter("ignore")

from langchain_community.utilities.dalle_image_generator import DallEAPIWrapper  # noqa: E402


def picture(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask for a picture; what came of it. The wrapper sends `quality` and reads `url`, whatever the model."""
    wrapper = DallEAPIWrapper(
        model=asked.get("model") or "dall-e-3",
        size=asked.get("size") or "1024x1024",
        api_key="x",
        base_url=f"{asked['base_url']}/v1",
    )
    url = wrapper.run(asked["prompt"])
    with urllib.request.urlopen(url, timeout=30) as got:
        body = got.read()
    return {
        "ok": True,
        "bytes": len(body),
        "magic": body[:4].hex(),
        "sha256": hashlib.sha256(body).hexdigest(),
        "url": url,
    }


def main() -> None:
    """Do as the argument says."""
    sent = json.loads(sys.argv[1])
    signal.alarm(sent.get("deadline", 120))
    try:
        outcome = picture(sent)
    except Exception as error:
        status, code = getattr(error, "status_code", None), getattr(error, "code", None)
        described = {"name": type(error).__name__, "status": status, "code": code, "message": str(error)}
        outcome = {"ok": False, "error": described}
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
