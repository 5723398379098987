"""LiteLLM's Python SDK makes identical requests at once, each with a time limit of its own, and repeats them.

Takes one argument, a JSON object with base_url, prompt, model, count and timeout (seconds), and prints {sha256:
[digests]}. Runs on `.venvs/litellm`; imports nothing of imagegate.
"""

import asyncio
import base64
import hashlib
import json
import os
import sys
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks GitHub for prices when it is imported

import httpx
import litellm

litellm.suppress_debug_info = True


async def digest(asked: dict[str, Any]) -> str:
    """The SHA-256 of a picture."""
    answer = await litellm.aimage_generation(
        prompt=asked["prompt"],
        model=f"openai/{asked['model']}",
        api_base=f"{asked['base_url']}/v1",
        api_key="x",
        timeout=asked["timeout"],
        max_retries=9,
        drop_params=True,
    )
    [item] = answer.data
    if item.b64_json:
        return hashlib.sha256(base64.b64decode(item.b64_json)).hexdigest()
    async with httpx.AsyncClient() as client:
        return hashlib.sha256((await client.get(item.url)).content).hexdigest()


async def main() -> None:
    """Do as the argument says."""
    asked = json.loads(sys.argv[1])
    digests = await asyncio.gather(*(digest(asked) for _ in range(asked["count"])))
    print(json.dumps({"sha256": digests}), flush=True)


asyncio.run(main())
