"""What holds for every test."""

import atexit
import gc
import re
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.scheduler.protocol import Scheduling

# The same examples every time, however slow the machine is: what CI finds, everybody finds. To look for new ones:
# `make test ARGS=--hypothesis-profile=random`.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("fixed")

OPT_IN = ("browser", "clients", "deploy", "mcp", "node", "real_gradio", "vendors", "yandex_sdk")
"""Markers of tests for which most checkouts lack the programs; the Makefile's targets install them."""

_TESTS = Path(__file__).parent
OPT_IN_FOLDERS = {
    _TESTS / "deploy": "deploy",
    _TESTS / "integration" / "browser": "browser",
    _TESTS / "integration" / "yandex_sdk": "yandex_sdk",
    _TESTS / "vendors": "vendors",
}
"""Folders all of whose tests have that marker: they are not even imported unless `-m` names it."""
_SLOW_AS_A_WHOLE = re.compile(r"^pytestmark = \[?pytest\.mark\.slow\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a folder unread whose marker `-m` does not name, and a slow module that it leaves out."""
    wanted, marker = config.getoption("markexpr"), OPT_IN_FOLDERS.get(collection_path)
    if marker:
        return True if marker not in wanted else None
    if wanted == "not slow" and collection_path.suffix == ".py":
        return True if _SLOW_AS_A_WHOLE.search(collection_path.read_text()) else None
    return None


class RotatedFolder(pytest.Dir):
    """A folder of which each worker reads another part first: no two compile the same modules in a fresh checkout."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """What is in the folder."""
        worker = self.config.workerinput  # type: ignore[attr-defined]
        found = list(super().collect())
        first = len(found) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        return found[first:] + found[:first]


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The folder for a worker."""
    return RotatedFolder.from_parent(parent, path=path) if hasattr(parent.config, "workerinput") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave such tests out unless `-m` names their marker; the others in the same order in every worker."""
    items.sort(key=lambda item: item.path)
    unasked = [marker for marker in OPT_IN if marker not in config.getoption("markexpr")]
    left_out = [item for item in items if any(map(item.get_closest_marker, unasked))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


class ModuleScheduling(LoadGroupScheduling):
    """Gives each worker whole modules, and all modules of a group to the same one.

    What pytest-xdist does for every test grows with the number of units that a worker has had: with ten thousand tests
    as units, the scheduler needs a tenth of all processor time.
    """

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid).partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """The scheduler of `make test`; other tests take long enough to be units."""
    return ModuleScheduling(config, log) if config.getoption("markexpr") == "not slow" else None


def pytest_collection_finish() -> None:
    """Take ten thousand collected tests out of every later garbage collection but the interpreter's last."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
