"""The clients that are installed in the project's environment."""

import asyncio
import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import aiohttp
import openai
import requests

from clients.outcome import Ask, Outcome, Problem, got

PATH = "/v1/images/generations"
HEADERS = {"authorization": "Bearer x"}


def openai_sync(generation: Ask) -> Outcome:
    """The openai package."""
    with openai.OpenAI(base_url=f"{generation.base_url}/v1", api_key="x") as client:
        try:
            answer = client.images.generate(**generation.body())
        except openai.APIError as error:
            return Outcome(False, error=_as_raised(error))
    return picture_in(answer.to_dict())


def openai_async(generation: Ask) -> Outcome:
    """The openai package's asynchronous half."""

    async def generate() -> Outcome:
        async with openai.AsyncOpenAI(base_url=f"{generation.base_url}/v1", api_key="x") as client:
            try:
                answer = await client.images.generate(**generation.body())
            except openai.APIError as error:
                return Outcome(False, error=_as_raised(error))
        return picture_in(answer.to_dict())

    return asyncio.run(generate())


def requests_post(generation: Ask) -> Outcome:
    """requests, as the seed scripts use it."""
    answer = requests.post(generation.base_url + PATH, json=generation.body(), headers=HEADERS, stream=True)
    return _answered(answer.status_code, answer.json())


def aiohttp_post(generation: Ask) -> Outcome:
    """aiohttp, which Open WebUI is built on."""

    async def generate() -> Outcome:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(generation.base_url + PATH, json=generation.body(), headers=HEADERS)
            return _answered(answer.status, await answer.json())

    return asyncio.run(generate())


def urllib_open(generation: Ask) -> Outcome:
    """The standard library."""
    headers = HEADERS | {"content-type": "application/json"}
    request = urllib.request.Request(generation.base_url + PATH, json.dumps(generation.body()).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=generation.deadline) as answer:
            return _answered(answer.status, json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return _answered(error.code, json.load(error))


def picture_in(document: Mapping[str, Any]) -> Outcome:
    """The one picture of a successful answer, downloaded when it is a URL."""
    [item] = document["data"]
    if item.get("b64_json"):
        return got(base64.b64decode(item["b64_json"]))
    return got(_download(item["url"]), item["url"])


def problem_in(document: Mapping[str, Any], status: int | None) -> Problem:
    """What an error answer says; API Gateway's own ones have another shape."""
    error = document.get("error", document)
    return Problem("", status, error.get("code"), error["message"])


def _as_raised(error: openai.APIError) -> Problem:
    return Problem(type(error).__name__, getattr(error, "status_code", None), error.code, error.message)


def _answered(status: int, document: Mapping[str, Any]) -> Outcome:
    if status == 200:
        return picture_in(document)
    return Outcome(False, error=problem_in(document, status))


def _download(url: str) -> bytes:
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    return answer.content
