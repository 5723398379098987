"""A routes file extends and overrides models.toml; what is wrong in it is named with its line."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from imagegate.domain.request.request import ImageRequest, Message
from imagegate.providers import registry
from imagegate.providers.routes_file import LARGEST, RoutesFileError, parse_routes
from imagegate.providers.routes_schema import build_schema, config_types, describe_keys
from imagegate.providers.toml_lines import line_of

MINE = """\
[providers.mine]
protocol = "openai_images"
base_url = "https://images.example.com/v1"

[models.mine]
route = ["mine/sdxl"]
"""

COMFY = '[providers.c]\nprotocol = "comfyui"\nbase_url = "https://c.example.com"\n'


def models(text: str) -> list[str]:
    return [route.model for route in parse_routes(text).routes]


def providers_of(text: str, model: str) -> list[str]:
    route = parse_routes(text).routes.find(model)
    return [target.provider for target in route.targets] if route else []


def test_an_empty_file_is_the_built_in_table() -> None:
    assert parse_routes("").document == registry.builtin().document
    assert parse_routes("").own == frozenset()


def test_a_model_of_the_file_comes_before_the_built_in_ones() -> None:
    assert models(MINE) == ["mine", *models("")]
    [target] = parse_routes(MINE).routes.resolve(ImageRequest(model="mine", messages=(Message("a fox"),))).targets
    assert (target.provider, target.model) == ("mine", "sdxl")


def test_keys_of_the_file_override_those_of_a_built_in_entry() -> None:
    text = """
        [providers.openai]
        base_url = "https://proxy.example.com/v1"
        [models.flux]
        aliases = ["flux-schnell"]
        prices_usd = { together = 0.002 }
    """
    table = parse_routes(text)
    assert table.own == {"openai"}
    assert table.entry("openai").base_url == "https://proxy.example.com/v1"
    assert table.limits_of("openai") == registry.limits_of("openai")
    flux = table.routes.find("flux")
    assert flux is not None
    assert flux.aliases == ("flux-schnell",)
    assert {target.provider: target.price_usd for target in flux.targets}["together"] == 0.002
    assert {target.provider: target.megapixel_usd for target in flux.targets}["together"] == 0.0
    assert {target.provider: target.megapixel_usd for target in flux.targets}["fal"] == 0.003
    assert {target.provider: target.price_usd for target in flux.targets}["voodoohop"] == 0.0
    fallback = table.routes.find("gpt-image-1")
    assert fallback is not None
    assert fallback.model == "gpt-image-2"


def test_built_ins_can_be_turned_off() -> None:
    assert models(f"builtins = false\n{MINE}") == ["mine"]
    assert "flux" not in models("[models.flux]\nenabled = false")
    assert "voodoohop" not in providers_of("[providers.voodoohop]\nenabled = false", "flux")
    assert "gigachat" not in models("[providers.gigachat]\nenabled = false")
    assert parse_routes("").document["providers"].keys() == registry.builtin().document["providers"].keys()


def test_a_file_without_built_ins_may_name_one_again() -> None:
    text = 'builtins = false\n[providers.together]\n[models.flux]\nroute = ["together/FLUX"]'
    assert providers_of(text, "flux") == ["together"]


def test_a_provider_of_another_protocol_has_none_of_the_built_ins_keys() -> None:
    text = '[providers.openai]\nprotocol = "replicate"\nbase_url = "https://replicate.example.com/v1"'
    assert parse_routes(text).document["providers"]["openai"].keys() == {"protocol", "base_url"}


def test_defaults_are_given_to_a_request_that_leaves_them_out() -> None:
    text = MINE + '[models.mine.defaults]\nsize = "640x512"\nquality = "low"\nsteps = 3\n'
    routes = parse_routes(text, version="v").routes
    request = routes.accept(ImageRequest(model="mine", messages=(Message("a fox"),), steps=7))
    assert (str(request.size), request.quality, request.steps, request.routes) == ("640x512", "low", 7, "v")
    assert routes.accept(ImageRequest(model="mine", messages=(), ratio=(2, 1))).size is None
    assert routes.accept(request) is request


def test_names_of_openais_are_passed_on_where_the_file_says_so() -> None:
    text = '[models.openai]\nroute = ["openai/*", "together/FLUX"]\naliases = ["gpt-image-*"]'
    routes = parse_routes(text).routes
    for name in ("gpt-image-2", "gpt-image-2.5-flare"):
        found = routes.resolve(ImageRequest(model=name, messages=(Message("a fox"),))).targets
        expected = [("openai", name), ("together", "FLUX")] if name != "gpt-image-2" else [("openai", name)]
        assert [(target.provider, target.model) for target in found][: len(expected)] == expected


WRONG = [
    ("[providers.x", 1, "not valid TOML"),
    ("provider = 1", 1, "providers"),
    ("builtins = 1", 1, "true or false"),
    ("\n[providers]\nx = 1", 3, "must be a table"),
    (MINE.replace("protocol", "protocl"), 1, "lacks the key protocol"),
    (MINE.replace("protocol", "protocl"), 2, "Do you mean protocol?"),
    (MINE.replace("openai_images", "openai"), 2, "openai_images"),
    (MINE.replace("base_url", "url"), 1, "lacks the key base_url"),
    (MINE.replace("https://images.example.com/v1", "images.example.com"), 3, "https://host/path"),
    (MINE.replace("https://", "https://user:secret@"), 3, "https://host/path"),
    (MINE.replace("example.com/v1", "example.com:port/v1"), 3, "https://host/path"),
    (MINE.replace("https", "http"), 3, "private_network = true"),
    (MINE.replace("images.example.com", "10.0.0.7"), 3, "private_network = true"),
    (MINE.replace("images.example.com", "localhost"), 3, "private_network = true"),
    (MINE.replace("images.example.com", "localai:8080"), 3, "private_network = true"),
    (MINE.replace("[models", 'picture_hosts = ["https://x"]\n[models'), 5, "write a host"),
    (MINE.replace("[models", "sise = 1\n[models"), 5, "Do you mean size?"),
    (MINE.replace("[models", 'size = "inches"\n[models'), 5, "'pixels' or 'ratio' or 'sides'"),
    (MINE.replace("[models", 'timeout = "7"\n[models'), 5, "a number"),
    (MINE.replace("providers.mine", "providers.Mine"), 1, "no name of a provider"),
    (MINE.replace("models.mine", 'models."a b"'), 5, "no name of a model"),
    (MINE.replace("mine/sdxl", "mien/sdxl"), 6, "Do you mean mine?"),
    (MINE.replace("mine/sdxl", "mine"), 6, "write provider/model"),
    (MINE.replace('["mine/sdxl"]', "[]"), 6, "enabled = false"),
    (MINE.replace('["mine/sdxl"]', '"mine/sdxl"'), 6, "a list, each element text"),
    (MINE.replace("route", "rout"), 6, "Do you mean route?"),
    (MINE + 'aliases = ["x*y"]', 7, "at the end"),
    (MINE + "prices_usd = { mine = -1 }", 7, "a number from 0 to 1000"),
    (MINE + "prices_usd = { mine = nan }", 7, "a number from 0 to 1000"),
    (MINE + "prices_usd = { mine = inf }", 7, "a number from 0 to 1000"),
    (MINE + "prices_usd = { mien = 1 }", 7, "Do you mean mine?"),
    (MINE + "megapixel_prices_usd = { openai = 1 }", 7, "not one of mine"),
    (MINE + "prices_usd = { mine = true }", 7, "a number"),
    (MINE + 'defaults = { size = "large" }', 7, "1024x1024"),
    (MINE + "defaults = { sise = 1 }", 7, "Do you mean size?"),
    (MINE + "defaults = { steps = -3 }", 7, "a whole number from 1 to 500"),
    (MINE + "defaults = { guidance = nan }", 7, "a number from 0 to 100"),
    (MINE + "defaults = { output_compression = 1000 }", 7, "from 0 to 100"),
    (MINE + 'aliases = ["flux"]', 7, "is the name of a model; leave it out, or remove the model"),
    (f'{MINE}aliases = ["a"]\n[models.other]\nroute = ["mine/x"]\naliases = ["a"]', 10, "leave one of them out"),
    ("builtins = false", 1, "add [models.NAME]"),
    ("[[providers]]\nx = 1", 1, "write [providers"),
    (MINE + MINE.partition("\n\n")[2], 7, "keep one of the two"),
    (MINE + 'route = ["mine/x"]', 7, "keep one of the two"),
    ("a = [" + "[" * 5000, 1, "nested too deeply"),
    (MINE.replace("images.example.com", "2130706433"), 3, "private_network = true"),
    (MINE.replace("images.example.com", "0x7f.1"), 3, "private_network = true"),
    (MINE.replace("images.example.com", "0177.0.0.1"), 3, "private_network = true"),
    (MINE.replace("images.example.com", "localhost."), 3, "private_network = true"),
    *(
        (MINE.replace("\n[models", f"{key}\n\n[models"), 4, remedy)
        for key, remedy in [
            ("timeout = nan", "a number from 1 to 720"),
            ("timeout = -inf", "a number from 1 to 720"),
            ("timeout = 0", "a number from 1 to 720"),
            ("steps_maximum = 99999999999999999999", "a whole number, 1 or more"),
            ("side_minimum = -5", "a whole number, 1 or more"),
            ("side_step = 0", "a whole number, 1 or more"),
            ("side_maximum = 100", "below its side_minimum 256"),
            ("side_step = 4096", "no multiple is from 256 to 2048"),
            ("area_maximum = 100", "the smallest picture has 65536 pixels"),
            ("images_per_call = 0", "a whole number, 1 or more"),
            ("prompt_characters = true", "a whole number, 1 or more"),
            ("input_images = -1", "a whole number, 0 or more"),
            ("requests_per_minute = -1", "a whole number, 0 or more"),
            ("expected_seconds = 0", "a number from 0.01 to 86400"),
            ('headers = { X-A = "a\\r\\nB: c" }', "ASCII on one line"),
            ('headers = { X-A = "{my_key}" }', "{SECRET_NAME}"),
            ('headers = { "X A" = "a" }', "the name of a header"),
            ('private_headers = { X-A = "й" }', "ASCII on one line"),
            ('keys = { "my key" = "Bearer" }', "the name of a secret, such as MY_KEY"),
            ('keys = { MY_KEY = "" }', "a scheme of Authorization, such as Bearer"),
            ('takes = ["sed"]', "'seed' or 'steps'"),
            ('names = { sed = "x" }', "'seed' or 'steps'"),
            ('size = "shape"', "which needs shapes"),
            ('shapes = { wide = "1344x768" }', "a ratio, such as 16:9"),
            ('shapes = { "16:9" = "big" }', "pixels, such as 1344x768"),
            ('model = "{nope"', "{model} or {SECRET_NAME}"),
            ('tasks = "x"', "such as /tasks/{id}"),
        ]
    ),
    (COMFY + 'graph = "nope"', 4, "one of flux-schnell"),
    (COMFY + 'graph = "../../../models"', 4, "one of flux-schnell"),
    (COMFY + 'graph = "flux-schnell"\nside_maximum = 100', 1, "no multiple is from 256 to 100"),
    (MINE + '[models.mine.defaults]\noutput_format = "gif"', 8, "'png' or 'jpeg' or 'webp'"),
]


@pytest.mark.parametrize(("text", "line", "remedy"), WRONG)
def test_what_is_wrong_is_named_with_line_key_and_remedy(text: str, line: int, remedy: str) -> None:
    with pytest.raises(RoutesFileError) as raised:
        parse_routes(text, "my.toml")
    named = [entry for entry in str(raised.value).split("\n") if remedy in entry]
    assert named, str(raised.value)
    assert named[0].startswith(f"my.toml:{line}:"), named


def test_everything_that_is_wrong_is_named_at_once() -> None:
    text = MINE.replace("https", "http").replace("mine/sdxl", "other/sdxl")
    with pytest.raises(RoutesFileError) as raised:
        parse_routes(text)
    assert [line.split(":")[1] for line in str(raised.value).split("\n")] == ["3", "6"]


def test_a_file_beyond_the_limit() -> None:
    with pytest.raises(RoutesFileError, match=str(LARGEST)):
        parse_routes("#" * (LARGEST + 1))


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb = 2", ("b",), 2),
        ("[t]\na = 1\n\n[t.u]\na = 3", ("t", "u", "a"), 5),
        ("[t]\nr = [\n  'x=y',\n]\nz = 1", ("t", "z"), 5),
        ('[t."a.b"]\nc = 1', ("t", "a.b", "c"), 2),
        ("[t]\nx.y = 1", ("t", "x", "y"), 2),
        ("[t]\nx = { y = 1 }", ("t", "x", "y"), 2),
        ("# a = 1\na = 1", ("a",), 2),
        ("", ("a",), 1),
    ],
)
def test_the_line_of_a_key(text: str, path: tuple[str, ...], line: int) -> None:
    tomllib.loads(text)
    assert line_of(text, path) == line


def test_the_schema_takes_what_the_code_takes() -> None:
    schema = build_schema()
    provider = schema["properties"]["providers"]["additionalProperties"]
    model = schema["properties"]["models"]["additionalProperties"]
    for keys in registry.builtin().document["providers"].values():
        assert keys.keys() <= provider["properties"].keys()
    for keys in registry.builtin().document["models"].values():
        assert keys.keys() <= model["properties"].keys()
    protocols: list[str] = provider["properties"]["protocol"]["enum"]
    assert protocols == sorted(registry.PROTOCOLS)
    json.dumps(schema)


DOCS = Path(__file__).parents[3] / "docs"


def keys_of_the_page() -> dict[str, set[str]]:
    """The keys of docs/routes-keys.md by the title of their section."""
    sections = (DOCS / "routes-keys.md").read_text().split("\n## ")[1:]
    return {text.partition("\n")[0]: set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) for text in sections}


def test_every_key_of_the_schema_is_in_the_page_and_no_other() -> None:
    schema = build_schema()
    provider = schema["properties"]["providers"]["additionalProperties"]
    model = schema["properties"]["models"]["additionalProperties"]["properties"]
    of_protocols = {
        each["if"]["properties"]["protocol"]["const"]: set(each["then"]["properties"]) for each in provider["allOf"]
    }
    own = set[str]().union(*of_protocols.values())
    expected = {
        "At the top": set(schema["properties"]),
        "`[providers.NAME]`": set(provider["properties"]) - own,
        "`[models.NAME]`": set(model),
        "`[models.NAME.defaults]`": set(model["defaults"]["properties"]),
    }
    for name, keys in of_protocols.items():
        if keys:
            expected[f'`[providers.NAME]` with `protocol = "{name}"`'] = keys
    assert keys_of_the_page() == expected
    page = (DOCS / "routes-keys.md").read_text()
    assert [name for name in registry.PROTOCOLS if f'"{name}"' not in page and f"`{name}`" not in page] == []


EXAMPLES = re.findall(r"```toml\n(.*?)```", (DOCS / "routes.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_of_the_page_pass_the_check_and_another_readers_of_the_schema(text: str) -> None:
    parse_routes(text)
    jsonschema.validate(tomllib.loads(text), build_schema())


def test_another_reader_of_the_schema_refuses_a_wrong_key() -> None:
    [example] = EXAMPLES
    with pytest.raises(jsonschema.ValidationError, match="rout"):
        jsonschema.validate(tomllib.loads(example.replace("route =", "rout =")), build_schema())


@pytest.mark.parametrize("kind", config_types().values())
def test_every_key_of_a_protocol_says_what_it_is(kind: type[Any]) -> None:
    assert [name for name, text in describe_keys(kind).items() if not text] == []
