"""Ids, sizes, routes, schedules: small values with sharp edges."""

from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.errors import InvalidRequest, RequestError, UnknownModel, UnknownProvider
from imagegate.domain.operation.ids import ALPHABET, is_id, new_id
from imagegate.domain.request.capabilities import DEMANDS, HINTS, ignored, unsupported, with_negative_prompt
from imagegate.domain.request.geometry import Grid, Size
from imagegate.domain.request.limits import Capability, CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, InputImage, Message
from imagegate.domain.request.route import Route, Target
from imagegate.domain.request.routes import Routes
from support.fakes import routes

FLUX = Grid(256, 2048, 32)


@given(st.floats(0, 2**47 / 1000), st.floats(0.001, 1e6))
def test_ids_sort_by_time(now: float, later: float) -> None:
    first, second = new_id(now), new_id(now + later + 0.001)
    assert is_id(first)
    assert first[:9] <= second[:9]


def test_ids_do_not_repeat() -> None:
    assert len({new_id(1.0) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("text", ["", "a" * 19, "a" * 21, "A" * 20, "i" * 20, "../" * 6 + "aa"])
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text)


def test_the_alphabet_leaves_out_what_people_confuse() -> None:
    assert len(ALPHABET) == 32
    assert not set("ilou") & set(ALPHABET)


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        (Size(1024, 768), Size(1024, 768)),
        (Size(1000, 700), Size(992, 704)),
        (Size(64, 64), Size(256, 256)),
        (Size(4096, 2048), Size(2048, 1024)),
        (Size(1, 9000), Size(256, 2048)),
    ],
)
def test_nearest_size(asked: Size, made: Size) -> None:
    assert FLUX.nearest(asked) == made


@pytest.mark.parametrize(
    ("ratio", "made"),
    [((1, 1), Size(1024, 1024)), ((2, 1), Size(1472, 736)), ((1, 2), Size(736, 1472)), ((16, 9), Size(1536, 864))],
)
def test_ratios_are_exact_where_the_grid_has_them(ratio: tuple[int, int], made: Size) -> None:
    assert FLUX.of_ratio(*ratio) == made


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_any_ratio_gives_a_size_on_the_grid(across: int, down: int) -> None:
    size = FLUX.of_ratio(across, down)
    for side in (size.width, size.height):
        assert 256 <= side <= 2048
        assert side % 32 == 0


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_any_size_has_a_nearest_one_on_the_grid(width: int, height: int) -> None:
    size = FLUX.nearest(Size(width, height))
    for side in (size.width, size.height):
        assert 256 <= side <= 2048
        assert side % 32 == 0


def request(model: str = "flux", provider: str | None = None) -> ImageRequest:
    return ImageRequest(model=model, messages=(Message("a cat"),), provider=provider)


def test_routes_are_found_by_name_and_alias() -> None:
    table = routes("alpha", "beta")
    assert (
        table.resolve(request("flux-schnell")) == table.resolve(request("gpt-image-1-mini")) == table.resolve(request())
    )


def test_an_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModel) as caught:
        routes("alpha").resolve(request("nope"))
    assert "flux" in str(caught.value.remedy)


def test_insisting_on_a_provider_narrows_the_route() -> None:
    assert [target.provider for target in routes("alpha", "beta").resolve(request(provider="beta")).targets] == ["beta"]
    with pytest.raises(UnknownProvider, match="does not serve") as caught:
        routes("alpha", "beta").resolve(request(provider="gamma"))
    assert caught.value.param == "provider"


LIMITS = Limits(
    completion=CompletionMode.POLL,
    grid=FLUX,
    prompt_characters=10,
    capabilities=frozenset({"seed", "quality"}),
    input_images=1,
)
PICTURE = InputImage("inputs/a", "image/png")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"seed": 0}, []),
        ({"steps": 4}, ["steps"]),
        ({"guidance": 0.0}, ["guidance"]),
        ({"negative_prompt": "dogs"}, ["negative_prompt"]),
        ({"messages": (Message("x" * 11),)}, ["prompt"]),
        ({"background": "transparent"}, ["background"]),
        ({"background": "opaque", "quality": "hd", "style": "vivid", "moderation": "low"}, []),
        ({"inputs": (PICTURE,)}, []),
        ({"inputs": (PICTURE, PICTURE)}, ["image"]),
        ({"inputs": (PICTURE,), "mask": PICTURE}, ["mask"]),
        ({"frame_count": 4, "svg": {"model": "m"}}, []),
        ({"inputs": (PICTURE,), "messages": ()}, ["image"]),
        ({"inputs": (PICTURE,), "messages": (Message(" \n"),)}, ["image"]),
    ],
)
def test_what_cannot_be_honoured_and_must_not_be_passed_over(changes: dict[str, Any], found: list[str]) -> None:
    assert unsupported(replace(request(), **changes), LIMITS) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ()),
        ({"quality": "hd", "style": "vivid", "moderation": "low"}, ("style", "moderation")),
        ({"quality": "auto", "background": "auto", "moderation": "auto"}, ()),
        (
            {"frame_count": 4, "frame_duration_ms": 50, "svg": {"model": "m"}, "prompt_rewriter": False},
            ("frame_count", "frame_duration_ms", "svg", "prompt_rewriter"),
        ),
        ({"size": Size(1024, 768)}, ()),
        ({"size": Size(1000, 700)}, ("size",)),
        ({"ratio": (16, 9)}, ()),
        ({"ratio": (100, 1)}, ("aspect_ratio",)),
        ({"ratio": (1, 2**63 - 1)}, ("aspect_ratio",)),
        ({"ratio": (4, 3), "size": Size(1024, 768)}, ()),
        ({"ratio": (3, 4), "size": Size(1024, 768)}, ("aspect_ratio",)),
        ({"seed": 2**31 - 1}, ()),
        ({"seed": 2**31}, ("seed",)),
        ({"seed": 2**31 - 2, "n": 2}, ()),
        ({"seed": 2**31 - 1, "n": 2}, ("seed",)),
        ({"messages": (Message("a"), Message("b"), Message("fog", -0.5))}, ("negative_weight",)),
    ],
)
def test_what_is_only_reported(changes: dict[str, Any], found: tuple[str, ...]) -> None:
    assert ignored(replace(request(), **changes), LIMITS) == found


def test_a_lenient_request_is_told_what_others_are_refused_for() -> None:
    lenient = replace(request(), steps=4, seed=5, lenient=True)
    assert unsupported(lenient, LIMITS) == []
    assert ignored(lenient, LIMITS) == ("steps",)
    assert unsupported(replace(lenient, messages=(Message("x" * 11),)), LIMITS) == ["prompt"]


WEIGHED = replace(
    request(),
    messages=(Message("a", 1.0), Message("fog", -0.5), Message("b", 5.0), Message("c", 1.0), Message("d", -2)),
)


def test_one_prompt_is_the_messages_by_weight_without_those_to_avoid() -> None:
    assert WEIGHED.prompt == "b\na\nc"
    assert WEIGHED.text_to_avoid == "fog\nd"
    assert WEIGHED.redacted().prompt == WEIGHED.redacted().text_to_avoid == ""


def test_messages_to_avoid_are_the_negative_prompt_where_there_is_one() -> None:
    negative = replace(LIMITS, capabilities=frozenset({"negative_prompt"}))
    assert with_negative_prompt(WEIGHED, negative).negative_prompt == "fog\nd"
    assert with_negative_prompt(replace(WEIGHED, negative_prompt="dogs"), negative).negative_prompt == "dogs\nfog\nd"
    assert ignored(WEIGHED, negative) == ("weight",)
    assert unsupported(WEIGHED, negative) == []


def test_messages_to_avoid_are_left_out_elsewhere_and_reported() -> None:
    assert with_negative_prompt(WEIGHED, LIMITS) == WEIGHED
    assert ignored(WEIGHED, LIMITS) == ("weight", "negative_weight")
    assert unsupported(WEIGHED, LIMITS) == []


def test_an_upstream_that_weighs_gets_the_messages_and_counts_all_their_characters() -> None:
    weighing = replace(LIMITS, supports_weights=True, capabilities=frozenset({"negative_prompt"}), prompt_characters=7)
    assert with_negative_prompt(WEIGHED, weighing) == WEIGHED
    assert ignored(WEIGHED, weighing) == ()
    assert unsupported(WEIGHED, weighing) == []
    assert unsupported(WEIGHED, replace(weighing, prompt_characters=6)) == ["prompt"]


@pytest.mark.parametrize("weights", [(1.0,), (5.0,), (2.0, 2.0)])
def test_equal_weights_say_nothing(weights: tuple[float, ...]) -> None:
    alike = replace(request(), messages=tuple(Message(str(at), weight) for at, weight in enumerate(weights)))
    assert ignored(alike, LIMITS) == ()
    assert alike.prompt == "\n".join(map(str, range(len(weights))))


def test_a_request_nobody_can_honour_is_refused_by_the_name_of_the_field() -> None:
    with pytest.raises(InvalidRequest) as caught:
        routes("alpha").resolve(replace(request(), guidance=3.5))
    assert caught.value.param == "guidance"


def test_whoever_asks_for_too_many_steps_is_told_how_many_there_may_be() -> None:
    def remedy(*most: int | None) -> str:
        able = replace(LIMITS, capabilities=frozenset({"steps"}))
        limits = [replace(able, steps_maximum=entry) if entry else LIMITS for entry in most]
        with pytest.raises(InvalidRequest) as caught:
            Routes(
                [
                    Route(
                        model="flux",
                        targets=tuple(Target(provider="alpha", model="x", limits=limit) for limit in limits),
                    )
                ]
            ).resolve(replace(request(), steps=51))
        return caught.value.remedy

    assert remedy(None, 4, 50) == "Ask for at most 50, or for another model."
    assert remedy(None) == "Leave it out, or ask for another model."


def test_more_steps_than_an_upstream_takes() -> None:
    four = replace(LIMITS, capabilities=frozenset({"steps"}), steps_maximum=4)
    assert unsupported(replace(request(), steps=5), four) == ["steps"]
    assert unsupported(replace(request(), steps=4), four) == []


def test_who_makes_transparent_pictures_is_asked_for_them() -> None:
    able = replace(LIMITS, capabilities=LIMITS.capabilities | {"background"})
    assert unsupported(replace(request(), background="transparent"), able) == []


def test_without_anything_to_avoid_the_request_stays_as_it_is() -> None:
    negative = replace(LIMITS, capabilities=frozenset({"negative_prompt"}))
    assert with_negative_prompt(request(), negative) == request()


def test_a_seed_that_is_not_heeded_anyway_is_reported_once() -> None:
    lenient = replace(request(), seed=2**31, lenient=True)
    assert ignored(lenient, replace(LIMITS, capabilities=frozenset())) == ("seed",)


def table(**limits: Limits) -> Routes:
    """A model of its own for each of `limits`."""
    return Routes(
        [
            Route(model=name, targets=(Target(provider="alpha", model="m", limits=limit),), aliases=("any-*",))
            for name, limit in limits.items()
        ]
    )


DRAWS, EDITS = replace(LIMITS, input_images=0), replace(LIMITS, input_images=2)
VARIES = replace(EDITS, supports_variations=True)


def refusal(routes: Routes, **changes: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        routes.resolve(replace(request(), **changes))
    return caught.value


def test_refusals_of_a_model_or_a_provider_say_what_there_is() -> None:
    unknown = refusal(routes("alpha", "beta"), model="nope")
    assert (unknown.message, unknown.remedy) == ("The model 'nope' does not exist here.", "Use one of: flux.")
    insisting = refusal(routes("alpha", "beta"), provider="gamma")
    assert insisting.message == "Provider 'gamma' does not serve the model 'flux'."
    assert insisting.remedy == "Leave provider out, or use one of: alpha, beta."


def test_a_field_nobody_honours_is_named_with_what_to_do() -> None:
    refused = refusal(table(flux=DRAWS), guidance=3.5)
    assert refused.message == "No provider of the model 'flux' can honour 'guidance' as it is."
    assert refused.remedy == "Leave it out, or ask for another model."
    long = refusal(table(flux=DRAWS), messages=(Message("x" * 11),))
    assert (long.param, str(long.remedy).partition(",")[0]) == ("prompt", "Shorten the prompt")


@pytest.mark.parametrize(
    ("others", "changes", "message", "remedy"),
    [
        ({"edits": EDITS}, {"inputs": (PICTURE,)}, "work from a picture", "Use one of: edits."),
        ({"edits": EDITS}, {"inputs": (PICTURE,) * 2}, "work from 2 pictures", "Use one of: edits."),
        ({"edits": EDITS}, {"inputs": (PICTURE,) * 3}, "work from 3 pictures", "No model here does."),
        (
            {"edits": EDITS, "varies": VARIES},
            {"inputs": (PICTURE,), "messages": (Message(" "),)},
            "make anything without a prompt from a picture",
            "Use one of: varies.",
        ),
        (
            {"edits": EDITS},
            {"inputs": (PICTURE,), "messages": (Message(" "),)},
            "make anything without a prompt from a picture",
            "Say in a prompt what to do to it (POST /v1/images/edits), with one of: edits.",
        ),
    ],
)
def test_who_brings_pictures_is_told_where_to_go_with_them(
    others: dict[str, Limits], changes: dict[str, Any], message: str, remedy: str
) -> None:
    refused = refusal(table(flux=DRAWS, **others), **changes)
    assert refused.message == f"No provider of the model 'flux' can {message}."
    assert (refused.param, refused.remedy) == ("image", remedy)


def test_who_brings_a_mask_is_told_where_it_is_taken() -> None:
    masks = table(flux=EDITS, paints=replace(EDITS, supports_masks=True))
    refused = refusal(masks, inputs=(PICTURE,), mask=PICTURE)
    assert (refused.param, refused.remedy) == ("mask", "Use one of: paints.")
    assert masks.resolve(replace(request("paints"), inputs=(PICTURE,), mask=PICTURE)).targets
    assert masks.working_from(1, prompted=True, masked=True) == ["paints"]


def test_one_able_provider_makes_a_model_able_and_is_the_only_one_asked() -> None:
    route = Route(
        model="mixed",
        targets=(Target(provider="alpha", model="m", limits=DRAWS), Target(provider="beta", model="m", limits=EDITS)),
    )
    mixed = Routes([route])
    assert mixed.working_from(1, prompted=True) == ["mixed"]
    assert [target.provider for target in mixed.resolve(replace(request("mixed"), inputs=(PICTURE,))).targets] == [
        "beta"
    ]


def test_the_refusal_is_that_of_the_provider_that_comes_nearest() -> None:
    near = replace(LIMITS, capabilities=frozenset({"steps"}))
    targets = (
        Target(provider="far", model="m", limits=replace(LIMITS, capabilities=frozenset())),
        Target(provider="near", model="m", limits=near),
    )
    assert refusal(Routes([Route(model="flux", targets=targets)]), steps=4, guidance=1.0).param == "guidance"


def test_of_several_models_of_one_alias_the_first_ones_refusal_counts() -> None:
    refused = refusal(table(one=DRAWS, other=DRAWS), model="any-thing", guidance=1.0)
    assert "'one'" in refused.message


def test_only_an_alias_with_a_star_covers_other_names() -> None:
    assert table(flux=DRAWS).find("any-thing")
    assert Routes([Route(model="flux", targets=(), aliases=("flux-schnell",))]).find("flux-schnelle") is None


def test_capabilities_are_fields_of_a_request_and_nothing_else_type_checks() -> None:
    assert get_type_hints(Limits)["capabilities"] == frozenset[Capability]
    names = {field.name for field in fields(ImageRequest)}
    assert set(get_args(Capability)) == {*DEMANDS, *HINTS} <= names
