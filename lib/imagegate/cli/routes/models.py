"""`imagegate models`: the models, who makes them, and whether they can be used."""

import json
from typing import Annotated, Any

import typer

from imagegate.cli.routes import options
from imagegate.cli.routes.state import RoutesState, read_state
from imagegate.cli.sentences import aligned, in_a_sentence
from imagegate.cli.target import DEFAULT_STATE, Local, StateDir
from imagegate.domain.request.abilities import describe_route
from imagegate.domain.request.route import Route

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models(
    routes: options.Routes = None,
    json_: Json = False,
    stage: options.Stage = None,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """List the models and whether they are available.

    For each: its providers in order, its price, what it can do, and which key is missing.
    """
    with in_a_sentence():
        state = read_state(routes, stage, local, state_dir)
        rows = [_row(state, route) for route in state.table.routes]
        documents = [_document(state, route) for route in state.table.routes]
    if json_:
        typer.echo(json.dumps(documents))
    else:
        typer.echo(aligned([("MODEL", "AVAILABLE", "PROVIDERS", "CAN", "ALIASES"), *rows]))


def _document(state: RoutesState, route: Route) -> dict[str, Any]:
    providers = [
        {"provider": target.provider, "model": target.model, "price_usd": target.price_usd,
         "megapixel_usd": target.megapixel_usd,         "missing_secrets": state.missing(target)}
        for target in route.targets
    ]  # fmt: skip
    return {
        "model": route.model,
        "aliases": route.aliases,
        "available": state.is_available(route),
        "providers": providers,
        "capabilities": describe_route(route),
    }


def _row(state: RoutesState, route: Route) -> tuple[str, ...]:
    lacks = dict.fromkeys(filter(None, map(state.lacks, route.targets)))
    available = "yes" if state.is_available(route) else next(iter(lacks), "no")
    stops = (_stop(state, target) for target in route.targets)
    return route.model, available, " > ".join(stops), ", ".join(_can(route)), ", ".join(route.aliases)


def _stop(state: RoutesState, target: Any) -> str:
    price = "" if target.price_usd is None else " free" if not target.price_usd else f" ${target.price_usd:g}"
    return f"{target.provider}{price}{' (no key)' if state.missing(target) else ''}"


def _can(route: Route) -> list[str]:
    described = describe_route(route)
    names = {
        "edits": "edits",
        "masks": "masks",
        "variations": "variations",
        "seed": "seed",
        "negative_prompt": "negative prompt",
    }
    found = [text for name, text in names.items() if described[name]]
    steps = described["steps_maximum"]
    return [*found, *([f"steps to {steps}"] if steps else []), f"{described['prompt_characters']} characters"]
