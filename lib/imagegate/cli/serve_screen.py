"""What `imagegate serve` shows: steps while it starts, then how to use it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from imagegate.cli.client.connection import LOCAL_URL
from imagegate.cli.sentences import command
from imagegate.cli.target import local_options

if TYPE_CHECKING:
    from imagegate.providers.registry import RouteTable

_OPEN = ("[yellow]Open[/]: every program on this machine may use it. [bold]--keys[/] asks for API keys.",)


class ServeScreen:
    """Writes to standard output (errors to standard error); plain lines when that is no terminal."""

    def __init__(self, state_dir: Path, stderr: bool = False) -> None:
        """`stderr`: write everything to standard error."""
        self._state_dir = state_dir
        self._out = Console(stderr=stderr, highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        self._tick = "*" if self._out.options.ascii_only else "✓"
        self._serving = False

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a step of the start while it lasts, and its seconds when it is done."""
        began = time.monotonic()
        with self._out.status(f"{name} …") if self._out.is_terminal else nullcontext():
            yield
        self._out.print(f"[green]{self._tick}[/] {name} [dim]{time.monotonic() - began:.1f} s[/]")

    def say(self, line: str) -> None:
        """Show a remark."""
        self._out.print(f"  {line}", markup=False)

    def running(
        self,
        base_url: str,
        live: bool,
        keys: bool,
        first_key: str | None,
        long_hold_url: str | None = None,
        table: "RouteTable | None" = None,
        routes_file: Path | None = None,
    ) -> None:
        """Show the addresses, a command to try, which upstreams make the pictures, and who may use the gateway.

        `first_key`: the key that was just made, if one was. `table`: the routes in force; without it the built-in ones.
        """
        from imagegate.local.upstreams.app import BASE_PATHS
        from imagegate.providers import registry

        table = table or registry.builtin()
        routes = [(route.model, [target.provider for target in route.targets]) for route in table.routes]
        stand_ins = frozenset() if live else frozenset(BASE_PATHS) - frozenset(table.own)
        self._serving = True
        self._out.print()
        self._out.print(*_addresses(base_url, long_hold_url), sep="\n")
        self._out.print("\n[bold]Try it[/]")
        self._out.print(f"  {_generate(base_url)}", markup=False)
        self._out.print(f"  {_curl(base_url, _model_to_try(routes), keys)}", markup=False)
        self._out.print()
        self._out.print(*_models(routes, stand_ins), sep="\n")
        if routes_file:
            self._out.print(f"Routes: {routes_file} is read again whenever it changes.", markup=False)
        elif table.version:
            self._out.print(f"Routes: version {table.version}, which was pushed.", markup=False)
        self._out.print(_truth(live, self._state_dir))
        self._out.print(*(_closed(first_key, self._state_dir) if keys else _OPEN), sep="\n")
        self._out.print(f"Ctrl-C ends it. State and logs are in {self._state_dir}/.\n", style="dim")

    def failed(self, why: str) -> None:
        """Show an error."""
        self._err.print("[red]imagegate:[/]", end=" ")
        self._err.print(why, markup=False)

    def stopping(self) -> None:
        """Acknowledge Ctrl-C."""
        self._out.print("\nstopping …")

    def stopped(self) -> None:
        """Say goodbye, when anything had been served."""
        if self._serving:
            self._out.print(f"stopped; state kept in {self._state_dir}/")


def _addresses(base_url: str, long_hold_url: str | None) -> Iterator[str]:
    yield f"[bold]imagegate[/]      [bold]{base_url}/[/]  [dim](the studio: make and see pictures in a browser)[/]"
    yield f"API            {base_url}/docs  [dim](its documentation, to try it out)[/]"
    yield f"OpenAI Images  {base_url}/v1  [dim](base_url of any OpenAI client)[/]"
    yield f"YandexART      {base_url}  [dim](in place of https://llm.api.cloud.yandex.net)[/]"
    yield f"Operations     {base_url}/v1/operations  [dim](imagegate's own API)[/]"
    yield f"MCP            {base_url}/mcp  [dim](tools for language models)[/]"
    if long_hold_url:
        yield f"Long hold      {long_hold_url}/v1  [dim](base_url of clients that follow no redirect after a POST)[/]"


def _closed(first_key: str | None, state_dir: Path) -> Iterator[str]:
    if first_key:
        yield f"\n[bold]Your first API key; it is not shown again[/]\n  export IMAGEGATE_API_KEY={first_key}"
    line = f"{command()} keys create{local_options(state_dir)} --name NAME"
    yield f"\n[bold]Make an API key[/]\n  {escape(line)}"


def _generate(base_url: str) -> str:
    where = "" if base_url == LOCAL_URL else f" --url {base_url}"
    return f'{command()} generate{where} "a red fox in the snow"'


def _model_to_try(routes: list[tuple[str, list[str]]]) -> str:
    """The first model of the user's own, or one that needs no key."""
    from imagegate.providers import registry

    builtin = {route.model for route in registry.routes()}
    models = [model for model, _ in routes]
    return next((model for model in models if model not in builtin), "flux" if "flux" in models else models[0])


def _curl(base_url: str, model: str, keys: bool) -> str:
    key = ' -H "Authorization: Bearer $IMAGEGATE_API_KEY"' if keys else ""
    body = f'{{"model": "{model}", "prompt": "a red fox in the snow"}}'
    return f"curl -sL {base_url}/v1/images/generations -H 'Content-Type: application/json'{key} -d '{body}'"


def _models(routes: list[tuple[str, list[str]]], stand_ins: frozenset[str]) -> Iterator[str]:
    width = max(len("Model"), *(len(model) for model, _ in routes))
    yield f"[bold]{'Model':{width}}  Served by, in this order[/]"
    for model, providers in routes:
        names = (f"{name} [yellow](stand-in)[/]" if name in stand_ins else name for name in providers)
        yield f"{model:{width}}  {', '.join(names)}"


def _truth(live: bool, state_dir: Path) -> str:
    if live:
        secret = escape(f"{command()} secrets set HF_TOKEN{local_options(state_dir)}")
        return (
            "\nPictures come from the real upstreams. The Spaces of [bold]flux[/] need no key, but make few pictures a "
            f"day for each caller:\nwith a token of huggingface.co/settings/tokens the quota is yours ({secret})."
        )
    return (
        "\n[yellow]Stand-ins[/] play the upstreams on this machine: they draw pictures from prompt and "
        "seed,\nand mark them as such. [bold]--live[/] uses the real ones."
    )
