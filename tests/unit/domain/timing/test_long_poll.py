"""Who is kept waiting how long. Measured limits: docs/protocols/openai-images.md#redirects."""

import pytest

from imagegate.domain.timing.long_poll import NextMove, client_of, next_move, pause


@pytest.mark.parametrize(
    ("agent", "hops", "repeats"),
    [
        ("OpenAI/Python 3.52.0", 19, True),
        ("AsyncOpenAI/Python 3.52.0", 19, True),
        ("OpenAI/JS 7.55.0", 19, True),
        ("ai/7.0.1 ai-sdk/provider-utils/4.0.0 runtime/node.js/20", 19, True),
        ("ai-sdk/openai-compatible/1.0.0", 19, True),
        ("litellm/1.106.0", 19, True),
        ("my-app/1.0 ai-sdk/openai/2.0", 19, True),
        ("AsyncOpenAI/Python 3.52.0 aiohttp/3.14.5", 19, True),
        ("python-requests/2.34.2", 28, False),
        ("Python/3.11 aiohttp/3.14.5", 8, False),
        ("Go-http-client/2.0", 8, False),
        ("Python-urllib/3.11", 9, False),
        ("curl/8.5.0", 19, False),
        ("OpenAI/Go 3.9.0", 9, True),
        ("OpenAI/2.5.0 (.NET 9.0.1; Linux 6.1)", 0, True),
        ("GuzzleHttp/7", 0, False),
        ("Faraday v2.13.1", 0, False),
        ("n8n", 0, False),
        ("axios/1.13.0", 19, False),
        ("my-app/1.0 ai-sdk-provider-utils/5.0.81", 19, True),
        ("", 4, False),
        ("AzureOpenAI/Python 3.52.0", 19, True),
        ("AsyncAzureOpenAI/Python 3.52.0", 19, True),
        ("got (https://github.com/sindresorhus/got)", 9, False),
        ("Java-http-client/17.0.16", 0, False),
        ("LangChain4j", 0, False),
        ("langchain4j-openai", 0, False),
        ("ReactorNetty/1.2.3", 0, False),
        ("Apache-HttpClient/5.5 (Java/21.0.8)", 19, False),
        ("okhttp/5.1.0", 19, False),
        ("OpenAI/Java 4.9.0", 19, True),
        ("OpenAI::Client/Ruby 0.36.0", 19, True),
        ("MyApp/1 CFNetwork/3826.500.131 Darwin/24.5.0", 14, False),
        ("Dart/3.5 (dart:io)", 4, False),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) PowerShell/7.4.0", 4, False),
        ("HTTP-Tiny/0.082", 4, False),
        ("libwww-perl/6.68", 0, False),
        ("unknown/None; hf_hub/2.4.0; python/3.11.7", 19, False),
    ],
)
def test_the_user_agent_tells_the_patience(agent: str, hops: int, repeats: bool) -> None:
    client = client_of(agent)
    assert (client.hops, client.repeats) == (hops, repeats)


def test_the_verdicts_in_order() -> None:
    client = client_of("aiohttp")
    assert next_move(True, 0, 25, 0, client) is NextMove.ANSWER
    assert next_move(False, 24.9, 25, 0, client) is NextMove.HOLD
    assert next_move(False, 25, 25, 0, client) is NextMove.REDIRECT
    assert next_move(False, 27, 27, 7, client) is NextMove.REDIRECT
    assert next_move(False, 27, 27, 8, client) is NextMove.GIVE_UP
    assert next_move(True, 27, 27, 8, client) is NextMove.ANSWER


def test_looks_get_rarer_and_wait_for_the_expected_moment() -> None:
    assert pause(0, 0) == pytest.approx(0.1)
    assert pause(60, 0) == pytest.approx(1.0)
    assert pause(0, 4.0) == pytest.approx(4.0)
