"""Every provider: whether it has its key, answers, and takes the key. Nothing is bought."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from imagegate.adapters.http_upstream import HttpUpstream
from imagegate.cli.doctor.finding import Check, Finding, error, ok, skipped, warning
from imagegate.cli.doctor.subject import Subject
from imagegate.cli.routes.state import RoutesState
from imagegate.cli.sentences import command
from imagegate.domain.errors import MisconfiguredError
from imagegate.providers.reachability import Reachability, check_provider
from imagegate.providers.registry import stand_in_urls

_AT_ONCE = 8


def run(subject: Subject) -> Iterator[Finding]:
    """A finding for each provider on a route, and an error when no model can be made at all."""
    where = subject.target
    names = frozenset(where.secrets().names())
    state = RoutesState(
        table=where.deployment.route_tables.current(),
        secret_names=names,
        secrets=where.secrets(),
        options=where.options,
    )
    stand_in_url = subject.stack.parameters.get("StandInUrl", "")
    replaced = stand_in_urls(stand_in_url) if stand_in_url else {}
    providers = list(dict.fromkeys(target.provider for route in state.table.routes for target in route.targets))
    with closing(HttpUpstream()) as http, ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda name: _examine(state, name, http, replaced), providers))
    yield from found
    if not any(map(state.is_available, state.table.routes)):
        yield error("No model has a provider with a key.", f"Set one: {command()} secrets set{where.options} NAME")


def _examine(state: RoutesState, name: str, http: HttpUpstream, replaced: Mapping[str, str]) -> Finding:
    target = next(target for route in state.table.routes for target in route.targets if target.provider == name)
    if missing := state.missing(target):
        set_it = f"To use it: {command()} secrets set{state.options} {missing[0]}"
        return skipped(f"{name} has no key ({' or '.join(missing)}).", set_it)
    try:
        result = check_provider(state.table, name, state.secrets, http.confined, replaced)
    except MisconfiguredError as failure:
        return error(f"{name}: {failure}", "Correct its entry in the routes file.")
    return _judged(name, result, state.options)


def _judged(name: str, result: Reachability, options: str) -> Finding:
    if not result.reached:
        return warning(f"{name} does not answer: {result.detail}", "Check the network, and the provider's status page.")
    if result.key is False:
        remedy = f"Set another key: {command()} secrets set{options} NAME ('imagegate providers' names it)"
        return error(f"{name} refuses the key ({result.detail}).", remedy)
    taken = ", and takes the key" if result.key else ""
    return ok(f"{name} answers{taken} ({result.seconds:.2f} s).")


CHECK = Check(name="providers", run=run, needs=("stack", "embedded AWS"))
