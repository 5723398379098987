"""Many identical requests at once on the real API function, in one process: more than two cores have workers for.

Run as `python -P -m support.crowd` in the environment of the deployed function, with `functions` on the path; reads
`{"count", "url", "body", "headers"}` and prints the answers, each as `[status, headers, body]`.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from imagegate.local.stack.stack import Stack
from support.gateway import Answered, event

ROOT = Path(__file__).parents[2]
PATIENCE = 100
"""Seconds."""


def crowd(
    stack: Stack, count: int, url: str, body: Any, hold_seconds: float, late: float = 0, **headers: str
) -> list[Answered]:
    """The answers to `count` POSTs of the same body that come at the same moment, held `hold_seconds` each.

    `late`: seconds from now when API Gateway says that they came.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = json.dumps(
        {"at": int((time.time() + late) * 1000), "count": count, "url": url, "body": body, "headers": named}
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", "support.crowd"],
        input=sent,
        env=environment(stack) | {"HOLD_SECONDS": str(hold_seconds)},
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [Answered(*answer) for answer in json.loads(done.stdout)]


def environment(stack: Stack) -> dict[str, str]:
    """The deployed function's own, with the root's credentials and the embedded stack's address."""
    listed = stack.client("lambda").list_functions()["Functions"]
    [function] = (entry for entry in listed if entry["Handler"] == "api.handler")
    credentials = stack.session().get_credentials()
    assert credentials
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'tests'}",
        **function["Environment"]["Variables"],
        "AWS_REGION": stack.client("lambda").meta.region_name,
        "AWS_DEFAULT_REGION": stack.client("lambda").meta.region_name,
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
    }


def answers(handler: Callable[..., Any], asked: Mapping[str, Any]) -> list[list[Any]]:
    """What the function answers to all of them; none begins before the last one is there."""
    together = threading.Barrier(asked["count"])

    def post(at: int) -> list[Any]:
        request = event("POST", asked["url"], json.dumps(asked["body"]).encode(), asked["headers"])
        request["requestContext"] |= {"requestId": f"request-{at}", "timeEpoch": asked["at"]}
        asyncio.set_event_loop(loop := asyncio.new_event_loop())
        together.wait(PATIENCE)
        try:
            answer = handler(request, None)
        finally:
            loop.close()
        return [answer["statusCode"], answer["headers"], answer["body"]]

    with ThreadPoolExecutor(asked["count"]) as pool:
        return list(pool.map(post, range(asked["count"])))


def main() -> None:
    """Ask what standard input says."""
    from api import handler

    json.dump(answers(handler, json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
