"""Protocols are loaded when a route names them: a function's start must not grow with the number of providers."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.function_process import environment
from imagegate import providers
from imagegate.domain.errors import MisconfiguredError
from imagegate.domain.request.limits import Limits
from imagegate.providers import registry

LOADED = """
import json, sys
from imagegate.providers import registry
routes = registry.routes()
def protocols():
    return sorted(name for name in registry.PROTOCOLS if f"imagegate.providers.{name}" in sys.modules)
found = [protocols()]
assert routes.find("yandex-art-legacy").model == "yandex-art-legacy"
found.append(protocols())
len(routes.find("yandex-art-legacy").targets)
found.append(protocols())
assert routes.find("yandex-art-legacy").targets[0].provider == "yandexart"
found.append(protocols())
print(json.dumps(found))
"""


def test_a_protocol_is_loaded_when_a_route_with_it_is_used() -> None:
    printed = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, check=True, text=True).stdout
    assert json.loads(printed) == [[], [], [], ["yandexart"]]


@pytest.mark.slow
@pytest.mark.parametrize("function", ["submit", "poll", "api", "wait"])
def test_a_function_that_starts_loads_no_protocol(function: str) -> None:
    protocols = sorted(registry.PROTOCOLS)
    loaded = f"import sys, {function}; print([n for n in {protocols} if 'imagegate.providers.' + n in sys.modules])"
    command = [sys.executable, "-c", loaded]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_only_the_registry_imports_protocols() -> None:
    importing = re.compile(rf"imagegate\.providers(\.| import )({'|'.join(registry.PROTOCOLS)})\b")
    library = Path(providers.__file__).parents[1]
    assert [str(path) for path in library.rglob("*.py") if importing.search(path.read_text())] == []


@pytest.mark.parametrize("protocol", registry.PROTOCOLS)
def test_every_line_of_the_registry_leads_to_a_provider(protocol: str) -> None:
    provider_class = registry.load_protocol(protocol)
    assert all(callable(getattr(provider_class, name)) for name in ("submit", "check", "cancel"))
    assert hasattr(provider_class, "config_type") != isinstance(getattr(provider_class, "limits", None), Limits)


def test_a_protocol_that_is_not_registered_is_named() -> None:
    document: dict[str, Any] = {"providers": {"new": {"protocol": "news", "base_url": "https://new.example"}}}
    with pytest.raises(MisconfiguredError, match=r"'news'; known: .*gradio_space"):
        registry.RouteTable(document).limits_of("new")
