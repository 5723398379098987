"""A model whose providers have no key is refused before anything is begun, in words for callers and operators."""

from dataclasses import replace
from typing import Any

import pytest

from imagegate.domain.errors import InvalidRequest, ModelNotAvailable, RequestError
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, InputImage, Message
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes

DRAWS = Limits(completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=1000)
EDITS = replace(DRAWS, input_images=2, capabilities=frozenset({"seed"}))
ROUTES = Routes(
    [
        Route(model="paid", targets=(Target(provider="paid", model="*", limits=EDITS),), aliases=("paid-*",)),
        Route(
            model="free",
            targets=(
                Target(provider="free", model="f", limits=DRAWS),
                Target(provider="paid", model="g", limits=EDITS),
            ),
            aliases=("paid-*", "any-*"),
        ),
        Route(
            model="rich",
            targets=(
                Target(provider="paid", model="r", limits=EDITS),
                Target(provider="dear", model="r", limits=EDITS),
            ),
            aliases=("any-*",),
        ),
    ]
)
KEYS = {"paid": ["PAID_KEY"], "dear": ["DEAR_KEY", "OTHER_KEY"]}
WITHOUT = ROUTES.knowing(lambda target: KEYS.get(target.provider, []))
WITH = ROUTES.knowing(lambda target: [] if target.provider == "paid" else KEYS.get(target.provider, []))
PICTURE = InputImage("inputs/a", "image/png")


def request(model: str, **changes: Any) -> ImageRequest:
    return replace(ImageRequest(model=model, messages=(Message("a fox"),)), **changes)


def refusal(routes: Routes, asked: ImageRequest) -> RequestError:
    with pytest.raises(RequestError) as caught:
        routes.resolve(asked)
    return caught.value


def test_callers_are_told_what_is_available_and_operators_which_key_is_missing() -> None:
    refused = refusal(WITHOUT, request("rich"))
    assert isinstance(refused, ModelNotAvailable)
    assert (refused.code, refused.param) == ("model_not_available", "model")
    assert refused.message == "The model 'rich' is not available here."
    assert refused.remedy == (
        "Use one of: free. An operator can make it available: "
        "`imagegate secrets set PAID_KEY`, or with DEAR_KEY or OTHER_KEY (`imagegate models` tells what is missing)."
    )
    assert "`imagegate secrets set PAID_KEY`" in str(refusal(WITHOUT, request("free", provider="paid")).remedy)


def test_one_provider_with_a_key_is_enough() -> None:
    assert [target.provider for target in WITH.resolve(request("rich")).targets] == ["paid", "dear"]
    assert [WITHOUT.is_available(route) for route in WITHOUT] == [False, True, False]


def test_what_only_providers_without_a_key_can_do_is_refused_too() -> None:
    refused = refusal(WITHOUT, request("free", seed=1))
    assert isinstance(refused, InvalidRequest)
    assert refused.param == "seed"
    assert "Providers that can are not available here." in refused.message
    assert "`imagegate secrets set PAID_KEY`" in refused.message
    assert WITH.resolve(request("free", seed=1)).targets[0].provider == "paid"


def test_a_name_of_several_models_goes_to_the_first_with_a_key() -> None:
    assert WITH.resolve(request("paid-2")).targets[0] == Target(provider="paid", model="paid-2", limits=EDITS)
    assert WITHOUT.resolve(request("paid-2")).model == "free"
    assert [routes.find("paid-2").model for routes in (WITH, WITHOUT)] == ["paid", "free"]  # type: ignore[union-attr]
    assert WITHOUT.resolve(request("paid")).model == "free"


def test_an_operation_keeps_its_model_when_a_key_comes_or_goes() -> None:
    assert WITH.route_of(request("paid-2"), "free").model == "free"
    assert WITHOUT.route_of(request("paid-2"), "paid").model == "paid"
    assert WITHOUT.route_of(request("any-1"), "gone").model == "free"


def test_pictures_to_work_from_are_taken_to_models_that_are_available() -> None:
    assert WITH.working_from(1, prompted=True) == ["paid", "free", "rich"]
    assert WITHOUT.working_from(1, prompted=True) == ["paid", "free", "rich"]
    some = ROUTES.knowing(lambda target: ["DEAR_KEY"] if target.model in ("*", "g") else [])
    assert some.working_from(1, prompted=True) == ["rich"]
    assert "Use one of: rich." in str(refusal(some, request("paid", inputs=(PICTURE,))).remedy)
