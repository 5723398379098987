"""The providers behind Hugging Face's router; what each has in common with all others is in test_every_provider.py."""

from collections.abc import Iterator

import pytest

from imagegate.domain.failure import FailureCode, UpstreamError
from imagegate.domain.operation.order import UpstreamRequest
from imagegate.domain.operation.outcome import Ready, Ticket
from imagegate.domain.request.request import ImageRequest, Message
from support.stand_ins import HURRY, CountingHttp, Submissions, end_of, provider_on

MODELS = {
    "hf-fal-ai": "fal-ai/flux/schnell",
    "hf-replicate": "black-forest-labs/flux-schnell",
    "hf-together": "black-forest-labs/FLUX.1-schnell",
    "hf-nscale": "black-forest-labs/FLUX.1-schnell",
}


@pytest.fixture
def http() -> Iterator[CountingHttp]:
    with CountingHttp() as http:
        yield http


def asked(provider: str, prompt: str = "a fox") -> UpstreamRequest:
    return UpstreamRequest(
        request=ImageRequest(model="flux", messages=(Message(prompt),)),
        model=MODELS[provider],
        idempotency_key=f"key {prompt}",
    )


@pytest.mark.parametrize("name", MODELS)
def test_every_call_goes_to_the_router_with_its_token(
    stand_ins: str, client: object, http: CountingHttp, name: str
) -> None:
    provider = provider_on(stand_ins, name, http)
    submission = provider.submit(asked(name))
    assert http.pictures(end_of(provider, submission), provider)
    if isinstance(submission, Ticket):
        provider.cancel(submission)
    router = f"{stand_ins}/{name}/{name.removeprefix('hf-')}/"
    assert all(sent.url.startswith(router) for sent in http.sent)
    assert {sent.headers["authorization"] for sent in http.sent} == {"Bearer stand-in"}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_submission_whose_answer_is_lost_is_one_post(
    stand_ins: str, client: object, http: CountingHttp, submissions: Submissions, name: str
) -> None:
    http.patience = HURRY
    provider = provider_on(stand_ins, name, http)
    with pytest.raises(UpstreamError) as caught:
        provider.submit(asked(name, "[fault accepted-then-hang] a fox"))
    assert caught.value.failure.code is FailureCode.AMBIGUOUS
    assert (len(http.sent), len(submissions())) == (1, 1)


@pytest.mark.parametrize(("fault", "code"), [("quota", FailureCode.NO_CREDIT), ("not-enabled", FailureCode.NOT_FOUND)])
def test_who_is_not_paid(stand_ins: str, client: object, http: CountingHttp, fault: str, code: FailureCode) -> None:
    with pytest.raises(UpstreamError) as caught:
        provider_on(stand_ins, "hf-fal-ai", http).submit(asked("hf-fal-ai", f"[fault {fault}] a fox"))
    assert caught.value.failure.code is code


def test_a_slow_picture_is_waited_for_in_the_queue(stand_ins: str, client: object, http: CountingHttp) -> None:
    provider = provider_on(stand_ins, "hf-fal-ai", http)
    ticket = provider.submit(asked("hf-fal-ai", "[delay 300ms] a fox"))
    assert isinstance(ticket, Ticket)
    assert isinstance(end_of(provider, ticket), Ready)
