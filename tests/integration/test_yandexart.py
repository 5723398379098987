"""YandexART's clients on the template as deployed."""

import base64
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from imagegate.local.stack.stack import Stack

pytestmark = pytest.mark.slow

Until = Callable[..., Any]
START = "/foundationModels/v1/imageGenerationAsync"
HOST = "https://llm.api.cloud.yandex.net"
PROMPT_JSON = """{
"modelUri": "art://<folder_ID>/yandex-art/latest",
"generationOptions": {
  "seed": "1863",
  "aspectRatio": {
     "widthRatio": "2",
     "heightRatio": "1"
   }
},
"messages": [
  {
    "weight": "1",
    "text": "a pattern of pastel colored succulents of multiple varieties, hd full wallpaper, sharp focus, top view"
  }
]
}
"""
START_COMMAND = f"""curl \\
  --request POST \\
  --header "Authorization: Bearer <IAM_token_value>" \\
  --data "@prompt.json" \\
  "{HOST}{START}"
"""
RESULT_COMMAND = (
    f'curl --request GET --header "Authorization: Bearer <IAM_token_value>" {HOST}:443/operations/<operation_ID>'
    " | jq -r '.response | .image' | base64 -d > image.jpeg"
)
"""As the vendor's guide has them (docs/protocols/yandexart.md#start); `run` fills the places and puts our host in."""
JQ = """#!/usr/bin/env python3
import json, sys
assert sys.argv[1:] == ["-r", ".response | .image"]
print((json.load(sys.stdin).get("response") or {}).get("image", "null"))
"""


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Callable[..., str]:
    """Run a documented command in a folder with prompt.json; returns what it prints."""
    (tmp_path / "prompt.json").write_text(PROMPT_JSON)
    tools = tmp_path / "bin"
    tools.mkdir()
    if not shutil.which("jq"):
        (tools / "jq").write_text(JQ)
        (tools / "jq").chmod(0o755)
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}{os.pathsep}{tools}"}

    def running(command: str, operation_id: str = "") -> str:
        for place, value in {
            f"{HOST}:443": stack.base_url,
            HOST: stack.base_url,
            "<IAM_token_value>": "t1.any",
            "<operation_ID>": operation_id,
        }.items():
            command = command.replace(place, value)
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=40
        )
        return done.stdout

    return running


def test_the_documented_commands_word_for_word(run: Callable[..., str], tmp_path: Path, until: Until) -> None:
    answer = run(START_COMMAND)
    operation_id = json.loads(answer)["id"]
    assert answer == (
        f'{{"id":"{operation_id}","description":"","createdAt":null,"createdBy":"",'
        '"modifiedAt":null,"done":false,"metadata":null}'
    )
    picture = tmp_path / "image.jpeg"

    def finished() -> bool:
        run(RESULT_COMMAND, operation_id)
        return picture.read_bytes().startswith(b"\xff\xd8")

    until(finished)
    image = Image.open(picture)
    image.load()
    assert image.format == "JPEG"
    assert image.width == 2 * image.height
    assert picture.read_bytes().endswith(b"\xff\xd9")


def started(stack: Stack, text: str, **headers: str) -> str:
    """The URL of an operation at the upstream that speaks YandexART's own protocol."""
    body = {"modelUri": "art://b1g/yandex-art-legacy/latest", "messages": [{"text": text, "weight": "2.5"}]}
    answer = requests.post(f"{stack.base_url}{START}", json=body, headers=headers, timeout=30)
    return f"{stack.base_url}/operations/{answer.json()['id']}"


def ended(url: str, until: Until) -> dict[str, Any]:
    """The operation when it is done."""
    found: dict[str, Any] = until(lambda: (one := requests.get(url, timeout=30).json())["done"] and one)
    return found


def submissions(stack: Stack, prompt: str) -> list[dict[str, Any]]:
    """The stand-ins' accepted submissions with this prompt."""
    url = f"{stack.upstreams_url}/_standin/submissions"
    listed: list[dict[str, Any]] = requests.get(url, params={"prompt": prompt}, timeout=10).json()["submissions"]
    return listed


def test_one_idempotency_key_in_many_hands(stack: Stack, until: Until) -> None:
    prompt = "a fox that is asked for by many at once"
    with ThreadPoolExecutor(6) as pool:
        [url] = set(pool.map(lambda _: started(stack, prompt, **{"Idempotency-Key": "many-hands"}), range(6)))
    assert "response" in ended(url, until)
    assert len(submissions(stack, prompt)) == 1


def test_a_cancelled_job(stack: Stack, until: Until) -> None:
    url = started(stack, "[fault endless] an abandoned fox")
    assert requests.get(f"{url}:cancel", timeout=30).json()["error"]["code"] == 1
    assert ended(url, until)["error"]["code"] == 1


def test_private_words_at_the_real_protocol(stack: Stack, aws: Callable[[str], Any], until: Until) -> None:
    """Passed on and removed; each poll writes at most nine events of history."""
    prompt = "[delay 8s] a private fox"
    url = started(stack, prompt, **{"x-data-logging-enabled": "false"})
    image = Image.open(io.BytesIO(base64.b64decode(ended(url, until)["response"]["image"])))
    assert image.format == "JPEG"
    assert [submission["private"] for submission in submissions(stack, prompt)] == [True]
    operation_id = url.rpartition("/")[2]
    key = {"pk": {"S": f"op#{operation_id}"}}
    item = aws("dynamodb").get_item(TableName=stack.outputs["TableName"], Key=key, ConsistentRead=True)["Item"]
    assert "business" not in json.dumps(item)
    assert max(poll_count(aws("stepfunctions"), stack, operation_id)) <= 9


def poll_count(states: Any, stack: Stack, operation_id: str) -> list[int]:
    """The number of history events per poll of the operation's workflow."""
    arn = stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{operation_id}"
    kinds = [entry["type"] for entry in states.get_execution_history(executionArn=arn, maxResults=1000)["events"]]
    begins = [at for at, kind in enumerate(kinds) if kind in ("WaitStateEntered", "SucceedStateEntered")]
    assert kinds[begins[0]] == "WaitStateEntered"
    return [end - begin for begin, end in pairwise(begins)]
