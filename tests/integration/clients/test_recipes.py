"""The recipes of docs/clients.md, word for word with the clients' own packages. Opt-in: `make test-clients`."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from clients.recipes import PAGE, Recipe, recipes
from imagegate.local.stack.stack import Stack
from integration.clients.conftest import quick, settings
from support.endless import endless_gateway

pytestmark = [pytest.mark.clients, pytest.mark.integration, pytest.mark.xdist_group("recipes")]
PATIENCE = 100.0
RECIPES = recipes()
WAITS = dict(re.findall(r"^\| \[(.+?)\]\(#.*?\) \| .*? \| (\d+ min) \|", PAGE.read_text(), re.M))


@pytest.fixture(scope="module")
def recipe_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """As `make run` starts it, with quick upstreams."""
    with Stack(settings(tmp_path_factory.mktemp("recipes"), quick(), {"LongHold": "on"})) as running:
        yield running


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_recipe_saves_a_picture(recipe_stack: Stack, recipe: Recipe, tmp_path: Path) -> None:
    done = recipe.run(tmp_path, recipe_stack.base_url, recipe_stack.long_hold_url or "", PATIENCE)
    assert done.returncode == 0, done.stderr
    [saved] = tmp_path.glob("fox.*")
    with Image.open(saved) as picture:
        assert f".{picture.format}".lower() == saved.suffix


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_it_waits_as_long_as_the_page_says(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with endless_gateway(monkeypatch, redirects="1341" not in recipe.code) as endless:
        recipe.run(tmp_path, endless.url, endless.url, PATIENCE)
        assert endless.statuses[-1] in (503, 504), endless.statuses
        assert f"{round(endless.seconds / 60)} min" == WAITS[recipe.name], (endless.posts, endless.redirects)
