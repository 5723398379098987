"""`imagegate generate` and its kin with their output piped, as scripts call them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from imagegate.cli.client.files import _EXTENSIONS
from imagegate.cli.client.order import LARGEST_FORM
from imagegate.cli.main import app
from imagegate.domain.operation.operation import State
from imagegate.domain.pictures.content_types import EXTENSIONS
from support.bare_server import answering, says
from support.cli_gateway import CliGateway
from support.fakes import picture

Run = Callable[..., Result]


@pytest.fixture
def run(gateway: CliGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder against the gateway."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IMAGEGATE_URL", gateway.url)
    return lambda *arguments, text=None: CliRunner().invoke(app, arguments, input=text)


def printed(result: Result) -> Any:
    """The JSON that it printed; it succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_pipe_gets_json_and_the_hints_go_elsewhere(run: Run) -> None:
    result = run("generate", "a red fox")
    document = printed(result)
    assert (document["state"], document["files"]) == ("succeeded", ["a-red-fox.png"])
    assert Path("a-red-fox.png").read_bytes() == picture()
    assert result.stderr.startswith(f"Operation {document['id']}: ")


def test_a_script_may_ask_for_the_path_alone(run: Run) -> None:
    assert run("generate", "a fox", "-o", "fox.png", "--no-json").stdout == "fox.png\n"


def test_nothing_is_overwritten_but_a_file_that_was_named(run: Run) -> None:
    for name in ("A Fox!.png", "a-fox.png"):
        Path(name).write_text("mine")
    assert printed(run("generate", "A fox!"))["files"] == ["a-fox-2.png"]
    assert Path("a-fox.png").read_text() == "mine"
    assert printed(run("generate", "A fox!", "-o", "a-fox.png"))["files"] == ["a-fox.png"]
    assert Path("a-fox.png").read_bytes() == picture()


@pytest.mark.parametrize(
    ("output", "files"),
    [
        ("fox.png", ["fox-1.png", "fox-2.png"]),
        ("fox", ["fox-1.png", "fox-2.png"]),
        ("new/folder/", ["new/folder/лиса.png", "new/folder/лиса-2.png"]),
        ("", ["лиса.png", "лиса-2.png"]),
    ],
)
def test_several_pictures_have_names_of_their_own(run: Run, output: str, files: list[str]) -> None:
    assert printed(run("generate", "Лиса", "-n", "2", "-o", output))["files"] == files
    assert all(Path(file).read_bytes() == picture() for file in files)


def test_every_option_reaches_the_gateway(run: Run, gateway: CliGateway) -> None:
    result = run("generate", "-", "-m", "flux", "-s", "3:2", "--seed", "5", "--negative", "dogs", text="a fox\n")
    kept = gateway.made.store.get(printed(result)["id"])
    assert kept
    request = kept.request
    assert (request.prompt, request.ratio, request.seed, request.negative_prompt) == ("a fox", (3, 2), 5, "dogs")


def test_a_files_name_asks_for_its_format(run: Run, gateway: CliGateway) -> None:
    kept = gateway.made.store.get(printed(run("generate", "a fox", "-o", "fox.JPG"))["id"])
    assert kept
    assert kept.request.output_format == "jpeg"


def test_pictures_to_work_from_are_sent(run: Run, gateway: CliGateway) -> None:
    Path("photo.png").write_bytes(picture())
    Path("mask.png").write_bytes(picture())
    result = run("generate", "a hat", "-i", "photo.png", "-i", "photo.png", "--mask", "mask.png", "-n", "2")
    kept = gateway.made.store.get(printed(result)["id"])
    assert kept
    assert (len(kept.request.inputs), bool(kept.request.mask), kept.request.n) == (2, True, 2)


def test_a_pipe_that_is_not_utf_8_is_told(gateway: CliGateway) -> None:
    words = [sys.executable, "-c", "from imagegate.cli.main import app; app()", "generate", "-", "--url", gateway.url]
    told = subprocess.run(words, input=b"a \xff\xfe", capture_output=True, timeout=60, check=False)
    assert (told.returncode, told.stdout) == (1, b"")
    assert told.stderr == b"imagegate: The text is not UTF-8. Write it in UTF-8.\n"


def test_a_key_that_cannot_be_one_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("ключ", "ig_a\nb"):
        monkeypatch.setenv("IMAGEGATE_API_KEY", key)
        result = run("usage")
        assert (result.exit_code, result.stderr) == (
            4,
            "imagegate: The API key has characters that no key has. Copy it again.\n",
        )


def test_a_file_is_named_after_what_is_in_it() -> None:
    assert set(_EXTENSIONS) == set(EXTENSIONS), "every content type that is stored"


def test_without_waiting_it_prints_the_id(run: Run, gateway: CliGateway) -> None:
    result = run("generate", "slow fox", "--no-wait", "--no-json", "-o", "fox.png")
    assert result.exit_code == 0
    operation_id = result.stdout.strip()
    assert f"operations wait {operation_id} -o fox.png" in result.stderr
    gateway.painter.end(operation_id, State.SUCCEEDED)
    assert printed(run("operations", "wait", operation_id, "-o", "fox.png"))["files"] == ["fox.png"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a fox", "-o", "fox.gif"], "'.gif' is not a format"),
        (["a fox", "-o", "nowhere/fox.png"], "There is no folder nowhere"),
        (["a fox", "-o", "file/fox.png"], "There is no folder"),
        (["a fox", "-i", "missing.png"], "missing.png cannot be read"),
        (["a fox", "--mask", "mask.png"], "A mask needs the picture"),
        (["a fox", "-i", "large.png"], "is not a PNG, JPEG or WebP picture"),
        (["  "], "The prompt is empty"),
        (["a fox", "-m", "nothing"], "does not exist"),
        (["a fox", "-s", "huge"], "size"),
        (["a fox", "--profile", "work"], "There is no profile 'work'"),
        (["a fox", "--url", "ftp://x"], "is not a gateway's URL"),
        (["a fox\udcff"], "not UTF-8"),
        (["a fox", "-i", "~nobody-here/a.png"], "~nobody-here/a.png cannot be read"),
        (["a fox", "-o", "~nobody-here/a.png"], "There is no folder ~nobody-here"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_bought(
    run: Run, gateway: CliGateway, arguments: list[str], said: str
) -> None:
    Path("file").write_text("")
    Path("large.png").write_bytes(bytes(LARGEST_FORM + 1))
    before = len(gateway.painter.runs)
    result = run("generate", *arguments)
    assert result.exit_code == 1, result.output
    assert said in result.stderr
    assert result.stderr.startswith("imagegate: ")
    assert len(gateway.painter.runs) == before


@pytest.mark.parametrize(("prompt", "status"), [("a forbidden fox", 5), ("slow fox", 6)])
def test_each_end_has_a_status_of_its_own(run: Run, gateway: CliGateway, prompt: str, status: int) -> None:
    made = httpx.post(f"{gateway.url}/v1/operations", json={"model": "flux", "prompt": prompt}).json()
    if status == 6:
        assert printed(run("operations", "cancel", made["id"]))["state"] == "cancelled"
    result = run("operations", "wait", made["id"])
    assert result.exit_code == status
    assert json.loads(result.stdout)["id"] == made["id"]
    assert f"operations retry {made['id']}" in result.stderr


def test_lists_are_json_of_all_pages(run: Run, gateway: CliGateway) -> None:
    for number in range(5):
        run("generate", f"one of many {number}", "--no-wait")
    found = printed(run("operations", "list", "--limit", "3", "--state", "succeeded"))
    assert [entry["prompt"] for entry in found] == [f"one of many {number}" for number in (4, 3, 2)]


def test_a_deleted_operation_is_gone(run: Run) -> None:
    made = printed(run("generate", "a fox"))
    assert run("operations", "delete", made["id"], "--yes").exit_code == 0
    gone = run("operations", "show", made["id"])
    assert (gone.exit_code, "imagegate: " in gone.stderr) == (1, True)


def test_a_picture_that_cannot_be_written_is_not_lost(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "fox.png")

    monkeypatch.setattr("imagegate.cli.client.files.os.replace", full)
    result = run("generate", "a fox", "-o", "fox.png")
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert "Come back with: imagegate operations wait" in result.stderr


def test_a_damaged_picture_is_noticed(run: Run, gateway: CliGateway) -> None:
    made = printed(run("generate", "a fox"))
    key = made["images"][0]["key"]
    gateway.bucket.objects[key] = picture()[:-1]
    result = run("operations", "wait", made["id"])
    assert (result.exit_code, "did not arrive" in result.stderr) == (1, True)


def test_a_lost_answer_starts_no_second_operation(
    run: Run, gateway: CliGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, lost = httpx.Client.send, [True]

    def send(self: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        answer = original(self, request, **more)
        if request.method == "POST" and lost.pop():
            lost.append(False)
            raise httpx.ReadError("lost")
        return answer

    monkeypatch.setattr(httpx.Client, "send", send)
    before = len(gateway.painter.runs)
    printed(run("generate", "a fox"))
    assert len(gateway.painter.runs) == before + 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", "did not answer as an imagegate does"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "answered HTTP 404"),
        (b"HTTP/1.1 429 No\r\nContent-Length: 15\r\nConnection: close\r\n\r\n" + b'{"detail": "1"}', "1"),
    ],
)
def test_a_server_that_is_no_imagegate_is_named(run: Run, answer: bytes, said: str) -> None:
    with answering(says(answer)) as (port, _):
        result = run("operations", "list", "--url", f"127.0.0.1:{port}")
    assert (result.exit_code, said in result.stderr) == (1, True), result.output


def test_the_help_loads_nothing_heavy() -> None:
    code = "import sys, imagegate.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert not {"httpx", "rich", "boto3", "botocore", "PIL", "fastapi", "uvicorn"} & set(loaded)
