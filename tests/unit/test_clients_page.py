"""docs/clients.md is as it is tried."""

import re

import pytest

from clients.recipes import PACKAGES, PAGE, Recipe, recipes

RECIPES = recipes()
ROWS = re.findall(r"^\| \[(.+?)\]\(#(.+?)\) \| (.+?) \| \d+ min \|", PAGE.read_text(), re.M)


def test_every_recipe_has_a_row_and_every_row_a_recipe() -> None:
    assert [name for name, _, _ in ROWS] == list(RECIPES)
    assert len(RECIPES) >= 20
    assert len(re.findall(r"^```\w", PAGE.read_text(), re.M)) == len(RECIPES)


@pytest.mark.parametrize(("name", "anchor", "tried"), ROWS, ids=lambda cell: str(cell))
def test_the_row_links_to_it_and_names_the_version_that_ci_runs(name: str, anchor: str, tried: str) -> None:
    assert anchor == re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")
    recipe = RECIPES[name]
    assert tried == (f"{PACKAGES[name]} {recipe.version()}" if recipe.version() else _unlocked(recipe))


def _unlocked(recipe: Recipe) -> str:
    return {"python": "Python's", "js": "Node's"}.get(recipe.language, "Debian's")
