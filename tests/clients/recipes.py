"""The recipes of docs/clients.md: what each says, with which program it runs, and which version is tried."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path

from clients.as_process import LOOPBACK, NODE, VENVS, NotInstalled

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
GATEWAY, LONG_HOLD = "http://127.0.0.1:1337", "http://127.0.0.1:1341"
"""The addresses that the page writes."""
_RECIPE = re.compile(r"^### (?P<name>.+?)\n(?P<notes>.*?)^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.M | re.S)
_FRAMEWORKS = (
    "LangChain", "LangChain, image tool", "pydantic-ai", "pydantic-ai, image tool", "Haystack", "LlamaIndex", "Agno",
    "huggingface_hub", "OpenAI Agents SDK",
)  # fmt: skip
PACKAGES: Mapping[str, str] = {
    "openai-python": "openai",
    "openai-python, asynchronous": "openai",
    "openai-python, Azure": "openai",
    "openai-python, Responses": "openai",
    "openai-python, chat": "openai",
    "OpenAI Agents SDK": "openai-agents",
    "LiteLLM": "litellm",
    "LangChain": "langchain-community",
    "LangChain, image tool": "langchain-openai",
    "pydantic-ai": "pydantic-ai-slim",
    "pydantic-ai, image tool": "pydantic-ai-slim",
    "Haystack": "haystack-ai",
    "LlamaIndex": "llama-index-tools-openai-image-generation",
    "Agno": "agno",
    "huggingface_hub": "huggingface-hub",
    "requests": "requests",
    "httpx": "httpx",
    "aiohttp": "aiohttp",
    "openai-node": "openai",
    "openai-node, Responses": "openai",
    "Vercel AI SDK, image tool": "@ai-sdk/openai",
    "Vercel AI SDK": "ai",
    "Vercel AI SDK, OpenAI provider": "@ai-sdk/openai",
    "LangChain.js": "@langchain/openai",
    "Hugging Face's JavaScript client": "@huggingface/inference",
    "axios": "axios",
    "got": "got",
    "superagent": "superagent",
}
"""Recipe to its package, where the version is locked; the others come with the machine."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A program on the page."""

    name: str
    language: str
    code: str

    @property
    def environment(self) -> str:
        """The part of setup.sh that it needs: `project`, `litellm`, `frameworks`, `node` or `debian`."""
        if self.language == "python":
            return "litellm" if self.name == "LiteLLM" else "frameworks" if self.name in _FRAMEWORKS else "project"
        return {"js": "node", "sh": "project"}.get(self.language, "debian")

    def version(self) -> str | None:
        """The version of its package that is locked; `None` where none is."""
        package = PACKAGES.get(self.name)
        if package is None:
            return None
        if self.environment == "project":
            return installed_version(package)
        if self.environment == "node":
            found: str = json.loads((NODE / "package.json").read_text())["dependencies"][package]
            return found
        lock = (Path(__file__).parent / self.environment / "requirements.txt").read_text()
        [locked] = re.findall(rf"^{re.escape(package)}==(\S+)", lock, re.M)
        return str(locked)

    def run(self, folder: Path, gateway: str, long_hold: str, seconds: float) -> "subprocess.CompletedProcess[str]":
        """Run it in a folder, word for word but for the addresses. Raises NotInstalled."""
        code = self.code.replace(GATEWAY, gateway).replace(LONG_HOLD, long_hold)
        command = self._command(folder, code)
        variables = {**os.environ, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK, "HF_HUB_DISABLE_TELEMETRY": "1"}
        variables |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HAYSTACK_TELEMETRY_ENABLED": "False"}
        try:
            return subprocess.run(
                command, cwd=folder, env=variables, capture_output=True, text=True, timeout=seconds, check=False
            )
        except FileNotFoundError as error:
            raise NotInstalled(f"{error.filename} is missing; docs/clients.md is tried with Debian's package") from None

    def _command(self, folder: Path, code: str) -> list[str]:
        if self.environment == "node":
            (folder / "node_modules").symlink_to(NODE / "node_modules")
        suffix = {"js": "mjs", "php": "php", "ruby": "rb", "python": "py", "sh": "sh"}[self.language]
        program = folder / f"recipe.{suffix}"
        program.write_text(code)
        return [self._interpreter(), str(program)]

    def _interpreter(self) -> str:
        if self.language != "python":
            return {"js": "node", "sh": "sh"}.get(self.language, self.language)
        if self.environment == "project":
            return sys.executable
        python = VENVS / self.environment / "bin" / "python"
        if not python.exists():
            raise NotInstalled(f"{python} is missing; run tests/clients/setup.sh {self.environment}")
        return str(python)


def recipes() -> dict[str, Recipe]:
    """Every recipe of the page by name."""
    found = _RECIPE.finditer(PAGE.read_text())
    return {each["name"]: Recipe(each["name"], each["language"], each["code"]) for each in found}
