import pytest

from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.redaction import without_credentials


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Incorrect API key provided: sk-proj-abc123.", "Incorrect API key provided: [removed]"),
        ("Incorrect API key provided: sk-ab***yz9. Find it", "Incorrect API key provided: [removed] Find it"),
        ("Authorization: Bearer hf_abcDEF123456", "Authorization: Bearer [removed]"),
        ('{"api_key": "0123456789abcdef"}', '{"api_key": "[removed]"}'),
        ("GET https://x.dev/v1?key=AIzaSyA1234567890&alt=sse", "GET https://x.dev/v1?key=[removed]&alt=sse"),
        ("PUT https://b.dev/a?X-Amz-Signature=0a1b2c3d4e&n=1", "PUT https://b.dev/a?X-Amz-Signature=[removed]&n=1"),
        ("to https://user:pa55@host.dev/v1", "to https://[removed]@host.dev/v1"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln is old", "token [removed] is old"),
        ("invalid x-api-key r8_0123456789abcdefABCDEF", "invalid x-api-key [removed]"),
        ("AKIAIOSFODNN7EXAMPLE is not authorized", "[removed] is not authorized"),
        ("ig_abcdefgh_0123456789", "[removed]"),
    ],
)
def test_a_credential_that_an_upstream_repeats_is_removed(said: str, told: str) -> None:
    assert without_credentials(said) == told
    assert Failure(FailureCode.AUTH, said).message == told


@pytest.mark.parametrize(
    "said",
    [
        "Your request was rejected by the safety system (code 42).",
        "The token limit is exceeded: 4096 tokens at most.",
        "key is missing: see https://platform.openai.com/account/api-keys",
        "Invalid value: 'quality'. Supported values are: 'low', 'medium'.",
        "Bearer authentication is required",
        "model flux-1-schnell of hf_hub is loading, 20.5 s left",
        "operation 06hhgq2g01v39dmx446d failed at 2026-11-29T12:00:00Z",
    ],
)
def test_other_words_stay(said: str) -> None:
    assert without_credentials(said) == said


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["x", "sk-", "key=", "key=a", "://a:", "eyJ", "a.", "bearer ", "AKIA"])
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    assert without_credentials(piece * 100_000)  # hours, if each place looked through the rest
