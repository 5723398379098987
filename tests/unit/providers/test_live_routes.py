"""The routes in force change while operations under way keep those that they began with."""

from dataclasses import replace

import pytest

from imagegate.domain.errors import ModelNotAvailable, UnknownModel
from imagegate.domain.operation.attempt import key_of_provider
from imagegate.domain.request.request import ImageRequest, InputImage, Message
from imagegate.ports.storage import PushedRoutes
from imagegate.ports.upstreams import Reach
from imagegate.providers.live_routes import LiveProviders, LiveRoutes, PictureHttp, RouteTables
from support.fakes import FakeClock, NoSecrets, ScriptedHttp

MINE = """\
[providers.mine]
protocol = "openai_images"
base_url = "https://one.example.com/v1"
[models.mine]
route = ["mine/sdxl"]
"""
REQUEST = ImageRequest(model="mine", messages=(Message("a fox"),))


class MemoryRoutes:
    """A RoutesStore that counts its reads."""

    def __init__(self) -> None:
        self.pushed: list[PushedRoutes] = []
        self.reads = 0
        self.broken = False

    def push(self, text: str) -> str:
        before = self.pushed[-1].version if self.pushed else ""
        self.pushed.append(
            PushedRoutes(
                version=f"v{len(self.pushed) + 1}", text=text, previous=before, pushed_at=0.0, pushed_by="me", note=""
            )
        )
        return self.pushed[-1].version

    def current(self) -> PushedRoutes | None:
        self.reads += 1
        if self.broken:
            raise OSError("no connection")
        return self.pushed[-1] if self.pushed else None

    def get(self, version: str) -> PushedRoutes | None:
        self.reads += 1
        return next((entry for entry in self.pushed if entry.version == version), None)


class World:
    def __init__(self) -> None:
        self.clock, self.store = FakeClock(), MemoryRoutes()
        self.tables = RouteTables(self.store, self.clock, 60)
        self.routes = LiveRoutes(self.tables)

    def later(self) -> None:
        self.clock.sleep(60)


@pytest.fixture
def world() -> World:
    return World()


def test_without_a_file_the_built_in_routes_are_in_force(world: World) -> None:
    assert world.routes.find("flux")
    assert world.routes.accept(replace(REQUEST, model="flux")).routes == ""


def test_the_file_in_force_is_read_once_in_a_minute(world: World) -> None:
    world.store.push(MINE)
    for _ in range(5):
        assert world.routes.resolve(world.routes.accept(REQUEST)).model == "mine"
    assert world.store.reads == 1
    world.later()
    assert world.routes.find("mine")
    assert world.store.reads == 2


def test_an_operation_keeps_the_routes_that_it_began_with(world: World) -> None:
    world.store.push(MINE)
    before = world.routes.accept(REQUEST)
    world.store.push(MINE.replace("one.", "two.").replace("sdxl", "flux"))
    world.later()
    after = world.routes.accept(REQUEST)
    assert (before.routes, after.routes) == ("v1", "v2")
    assert [world.routes.resolve(entry).targets[0].model for entry in (before, after)] == ["sdxl", "flux"]
    assert World.__init__ is not None
    # Another process, which has seen neither.
    fresh = RouteTables(world.store, world.clock, 60)
    assert LiveRoutes(fresh).resolve(before).targets[0].model == "sdxl"


def test_providers_are_those_of_the_attempts_own_table(world: World) -> None:
    providers = LiveProviders(world.tables, ScriptedHttp(), NoSecrets(), {}, lambda reach: ScriptedHttp())
    versions = [world.store.push(MINE), world.store.push(MINE.replace("one.", "two."))]
    found = [providers(key_of_provider("mine", version)).base_url for version in versions]
    assert found == ["https://one.example.com/v1", "https://two.example.com/v1"]
    assert world.tables.limits_of(key_of_provider("mine", versions[0])).prompt_characters == 4000
    assert providers("voodoohop").base_url == "https://voodoohop-flux-1-schnell.hf.space"


def test_a_file_that_cannot_be_used_leaves_the_last_good_one(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.store.push(MINE)
    assert world.routes.find("mine")
    world.store.push("[providers.mine]\nbase_url = 1")
    world.later()
    assert world.routes.find("mine")
    assert "base_url" in caplog.text
    # A process that begins now has not read the good one yet.
    fresh = LiveRoutes(RouteTables(world.store, world.clock, 60))
    assert fresh.accept(REQUEST).routes == "v1"


def test_no_good_file_at_all(world: World) -> None:
    world.store.push("providers = 1")
    assert world.routes.find("flux")
    with pytest.raises(UnknownModel):
        world.routes.resolve(REQUEST)


def test_while_the_file_cannot_be_read_the_last_one_stays(world: World) -> None:
    world.store.push(MINE)
    assert world.routes.find("mine")
    world.store.broken = True
    world.later()
    assert world.routes.find("mine")
    with pytest.raises(OSError, match="connection"):
        LiveRoutes(RouteTables(world.store, world.clock, 60)).find("mine")


def test_a_provider_of_the_users_own_is_reached_as_the_file_says(world: World) -> None:
    """Stand-ins replace the built-in base URLs only, and pictures are fetched with the same restrictions."""
    asked: list[Reach] = []
    confined, http = ScriptedHttp(downloads={"https://p/x": b"own"}), ScriptedHttp(downloads={"https://p/x": b"any"})

    def confine(reach: Reach) -> ScriptedHttp:
        asked.append(reach)
        return confined

    text = MINE.replace("[models", 'private_network = true\npicture_hosts = ["p"]\n[models')
    version = world.store.push(text + '[providers.openai]\nbase_url = "https://proxy.example.com/v1"')
    base_urls = {"mine": "http://127.0.0.1:1", "openai": "http://127.0.0.1:1", "together": "http://127.0.0.1:1"}
    providers = LiveProviders(world.tables, http, NoSecrets(), base_urls, confine)
    made = {name: providers(key_of_provider(name, version)) for name in ("mine", "openai", "together")}
    assert {name: provider.base_url for name, provider in made.items()} == {
        "mine": "https://one.example.com/v1",
        "openai": "https://proxy.example.com/v1",
        "together": "http://127.0.0.1:1",
    }
    assert Reach(True, ("p",)) in asked
    pictures = PictureHttp(http, providers.http_of)
    assert pictures.download("https://p/x", made["mine"].base_url) == b"own"
    assert pictures.download("https://p/x", made["together"].base_url) == b"any"


def test_hosts_of_pictures_are_heeded_for_a_provider_that_keeps_its_base_url(world: World) -> None:
    """Unless a stand-in plays it, whose pictures are on a host of its own."""
    asked: list[Reach] = []
    confined, http = ScriptedHttp(downloads={"https://p/x": b"own"}), ScriptedHttp(downloads={"https://p/x": b"any"})

    def confine(reach: Reach) -> ScriptedHttp:
        asked.append(reach)
        return confined

    version = world.store.push('[providers.openai]\npicture_hosts = ["p"]')
    for base_urls, picture in (({}, b"own"), ({"openai": "http://127.0.0.1:1"}, b"any")):
        providers = LiveProviders(world.tables, http, NoSecrets(), base_urls, confine)
        base_url = providers(key_of_provider("openai", version)).base_url
        assert PictureHttp(http, providers.http_of).download("https://p/x", base_url) == picture
    assert {reach.picture_hosts for reach in asked if reach.picture_hosts} == {("p",)}


OPENAIS = ["gpt-image-1-mini", "gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.6-sunburst", "chatgpt-image-latest"]


@pytest.mark.parametrize("name", OPENAIS)
def test_openais_names_are_passed_through_where_its_key_is_set(world: World, name: str) -> None:
    live = LiveRoutes(world.tables, lambda: frozenset({"OPENAI_API_KEY"}))
    for spelled in (name, f"openai/{name}", f" {name.upper()} "):
        route = live.resolve(live.accept(replace(REQUEST, model=spelled)))
        assert [(target.provider, target.model) for target in route.targets] == [
            ("openai", name),
            ("azure-openai", name),
        ]
    assert live.resolve(live.accept(replace(REQUEST, model="dall-e-3"))).model == "flux"


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("gpt-image-2-2026-04-21", "gpt-image-2-2026-04-21"),
        ("gpt-image-2:latest", "gpt-image-2"),
        ("GPT Image 1.5", "gpt-image-1.5"),
        ("openai:gpt-image-2", "gpt-image-2"),
    ],
)
def test_openai_is_asked_for_the_name_that_it_knows(world: World, name: str, passed: str) -> None:
    live = LiveRoutes(world.tables, lambda: frozenset({"OPENAI_API_KEY"}))
    assert live.resolve(live.accept(replace(REQUEST, model=name))).targets[0].model == passed


@pytest.mark.parametrize("names", [frozenset[str](), None])
@pytest.mark.parametrize("name", OPENAIS)
def test_openais_names_fall_back_to_flux_which_a_file_can_turn_off(
    world: World, name: str, names: frozenset[str] | None
) -> None:
    """Without a key, and as long as it is not known which keys are set."""
    live = LiveRoutes(world.tables, lambda: names)
    began = live.resolve(live.accept(replace(REQUEST, model=name)))
    assert began.model == "flux"
    # The key comes while the operation runs, in another process.
    later = LiveRoutes(world.tables, lambda: frozenset({"OPENAI_API_KEY"}))
    assert later.route_of(live.accept(replace(REQUEST, model=name)), began.model).model == "flux"
    world.store.push('[models.flux]\naliases = ["flux-schnell"]')
    world.later()
    with pytest.raises(ModelNotAvailable, match="not available here") as refused:
        live.resolve(live.accept(replace(REQUEST, model=name)))
    assert "imagegate secrets set OPENAI_API_KEY" in str(refused.value.remedy)


def test_an_edit_without_a_key_says_which_one_is_missing(world: World) -> None:
    live = LiveRoutes(world.tables, frozenset)
    edit = replace(REQUEST, model="gpt-image-1", inputs=(InputImage("inputs/a", "image/png"),))
    with pytest.raises(ModelNotAvailable) as refused:
        live.resolve(live.accept(edit))
    assert "OPENAI_API_KEY" in str(refused.value.remedy)
