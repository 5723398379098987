"""Frameworks for agents request one picture with OpenAI's image generation tool. Runs on `.venvs/frameworks`.

Takes two arguments: which one (a function below), and a JSON object with base_url, prompt, model, size and deadline.
Prints one line of JSON: {ok, bytes, magic, sha256} or {ok: false, error: {name, status, code, message}}. Imports
nothing of imagegate.
"""

import asyncio
import base64
import hashlib
import json
import signal
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")


def agents_sdk(asked: dict[str, Any]) -> bytes:
    """OpenAI's Agents SDK."""
    from agents import Agent, ImageGenerationTool, OpenAIProvider, RunConfig, Runner

    provider = OpenAIProvider(base_url=f"{asked['base_url']}/v1", api_key="x", use_responses=True)
    agent = Agent(name="Painter", model=asked["model"], tools=[ImageGenerationTool(tool_config=tool(asked))])
    config = RunConfig(model_provider=provider, tracing_disabled=True)
    result = Runner.run_sync(agent, asked["prompt"], run_config=config)
    [call] = [item.raw_item for item in result.new_items if item.type == "tool_call_item"]
    return base64.b64decode(call.result)


def pydantic_ai(asked: dict[str, Any]) -> bytes:
    """pydantic-ai's image generation tool; its size is that of the model's default.

    It asks models for pictures only by names of OpenAI's that it knows to make them.
    """
    import openai
    from pydantic_ai import Agent, BinaryImage
    from pydantic_ai.capabilities import NativeTool
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.native_tools import ImageGenerationTool
    from pydantic_ai.providers.openai import OpenAIProvider

    client = openai.AsyncOpenAI(base_url=f"{asked['base_url']}/v1", api_key="x")
    model = OpenAIResponsesModel("gpt-5.5", provider=OpenAIProvider(openai_client=client))
    image_tool = NativeTool(ImageGenerationTool(output_format="webp"))
    agent = Agent(model, capabilities=[image_tool], output_type=BinaryImage)
    return asyncio.run(agent.run(asked["prompt"])).output.data


def langchain(asked: dict[str, Any]) -> bytes:
    """LangChain's ChatOpenAI."""
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=asked["model"], base_url=f"{asked['base_url']}/v1", api_key="x", use_responses_api=True)
    answer = model.bind_tools([tool(asked)]).invoke(asked["prompt"])
    [picture] = [block["result"] for block in answer.content if block["type"] == "image_generation_call"]
    return base64.b64decode(picture)


def tool(asked: dict[str, Any]) -> dict[str, Any]:
    """The tool with the options of the request."""
    return {"type": "image_generation", "output_format": "webp", "size": asked["size"]}


def main() -> None:
    """Do as the arguments say."""
    sent = json.loads(sys.argv[2])
    signal.alarm(sent.get("deadline", 120))
    try:
        body = {"agents_sdk": agents_sdk, "pydantic_ai": pydantic_ai, "langchain": langchain}[sys.argv[1]](sent)
        outcome = {
            "ok": True,
            "bytes": len(body),
            "magic": body[:4].hex(),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
    except Exception as error:
        status, code = getattr(error, "status_code", None), getattr(error, "code", None)
        described = {"name": type(error).__name__, "status": status, "code": code, "message": str(error)}
        outcome = {"ok": False, "error": described}
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
