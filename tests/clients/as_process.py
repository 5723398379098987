"""The clients that run in processes of their own: curl, LiteLLM, and everything on Node."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from clients.in_python import PATH, picture_in, problem_in
from clients.outcome import Ask, Outcome, told

HERE = Path(__file__).parent
VENVS = HERE.parents[1] / ".venvs"
NODE = HERE / "node"
LOOPBACK = "127.0.0.1,localhost"
_GRACE = 10
"""Seconds a process gets beyond its own deadline, to start and to end."""


class NotInstalled(Exception):
    """A client is not here; the message says how to get it."""


def curl_follow(generation: Ask) -> Outcome:
    """`curl -L`."""
    return _curl(generation)


def curl_post_follow(generation: Ask) -> Outcome:
    """`curl -X POST -L`, which repeats its method at every hop."""
    return _curl(generation, "-X", "POST")


def litellm(generation: Ask) -> Outcome:
    """LiteLLM's Python SDK."""
    return _in_venv("litellm", generation)


def langchain(generation: Ask) -> Outcome:
    """LangChain's DallEAPIWrapper."""
    return _in_venv("frameworks", generation)


def agents_sdk(generation: Ask) -> Outcome:
    """OpenAI's Agents SDK with its ImageGenerationTool."""
    return _in_venv("frameworks", generation, "agents.py", "agents_sdk")


def pydantic_ai_tool(generation: Ask) -> Outcome:
    """pydantic-ai with its image generation tool."""
    return _in_venv("frameworks", generation, "agents.py", "pydantic_ai")


def langchain_tool(generation: Ask) -> Outcome:
    """LangChain's ChatOpenAI with the image generation tool."""
    return _in_venv("frameworks", generation, "agents.py", "langchain")


def _in_venv(name: str, generation: Ask, script: str = "generate.py", *arguments: str) -> Outcome:
    python = VENVS / name / "bin" / "python"
    if not python.exists():
        raise NotInstalled(f"{python} is missing; run tests/clients/setup.sh {name}")
    return _script([str(python), "-I", str(HERE / name / script), *arguments], generation)


def node_openai(generation: Ask) -> Outcome:
    """OpenAI's package for Node."""
    return _node("openai.mjs", generation)


def node_ai_sdk(generation: Ask) -> Outcome:
    """Vercel's AI SDK."""
    return _node("ai-sdk.mjs", generation)


def node_axios(generation: Ask) -> Outcome:
    """axios."""
    return _node("axios.mjs", generation)


def node_fetch(generation: Ask) -> Outcome:
    """Node's own fetch."""
    return _node("fetch.mjs", generation)


def node_responses(generation: Ask) -> Outcome:
    """OpenAI's package for Node with responses.create."""
    return _node("responses.mjs", generation)


def node_chat(generation: Ask) -> Outcome:
    """OpenAI's package for Node with chat.completions.create."""
    return _node("chat.mjs", generation)


def node_images_stream(generation: Ask) -> Outcome:
    """OpenAI's package for Node with images.generate and `stream`."""
    return _node("streams.mjs", generation, api="images")


def node_responses_stream(generation: Ask) -> Outcome:
    """OpenAI's package for Node with responses.create and `stream`."""
    return _node("streams.mjs", generation, api="responses")


def node_chat_stream(generation: Ask) -> Outcome:
    """OpenAI's package for Node with chat.completions.create and `stream`."""
    return _node("streams.mjs", generation, api="chat")


def node_ai_sdk_tool(generation: Ask) -> Outcome:
    """Vercel's AI SDK with OpenAI's image generation tool."""
    return _node("ai-sdk-tool.mjs", generation)


def _curl(generation: Ask, *options: str) -> Outcome:
    if not shutil.which("curl"):
        raise NotInstalled("curl is missing; on Debian: apt-get install curl")
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(generation.deadline), *options]
    headers = ["--header", "content-type: application/json", "--header", "authorization: Bearer x"]
    body = ["--data", json.dumps(generation.body()), "--location", generation.base_url + PATH]
    document = json.loads(_run([*command, *headers, *body], generation.deadline))
    if "data" in document:
        return picture_in(document)
    return Outcome(False, error=problem_in(document, None))


def _node(script: str, generation: Ask, **more: str) -> Outcome:
    if not (NODE / "node_modules" / ".installed").exists():
        raise NotInstalled(f"{NODE}/node_modules is missing; run tests/clients/setup.sh node")
    return _script(["node", str(NODE / script)], generation, **more)


def _script(command: list[str], generation: Ask, **more: str) -> Outcome:
    return told(json.loads(_run([*command, json.dumps({**generation.given(), **more})], generation.deadline)))


def on_loopback() -> dict[str, str]:
    """The environment of a process that may talk to loopback without a proxy."""
    return {**os.environ, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK}


def _run(command: list[str], deadline: float) -> str:
    """The standard output of a process."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=deadline + _GRACE, env=on_loopback())
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
