"""Stand-ins are found in their folders, each with all that the app, the documentation and the deployment need."""

import json
import re
from pathlib import Path

import pytest

from imagegate.local.upstreams import stand_in as module
from imagegate.local.upstreams.app import BASE_PATHS, STAND_INS
from imagegate.local.upstreams.stand_in import StandIn, find_stand_ins
from imagegate.providers import registry

FOLDERS = {path.parent.name for path in Path(module.__file__).parent.glob("*/__init__.py")} - {"drawing"}


VENDORS = Path(__file__).parents[3] / "vendors"
PACKAGES = {
    *(VENDORS / "requirements.in").read_text().split(),
    *json.loads((VENDORS / "node" / "package.json").read_text())["dependencies"],
} - {"ai"}  # what the AI SDK's providers are for
TRIED = "".join(path.read_text() for path in VENDORS.glob("test_*.py"))


def test_every_folder_has_its_stand_ins_found() -> None:
    assert {each.build.__module__.split(".")[-1] for each in find_stand_ins()} == FOLDERS


def test_every_base_url_of_every_provider_has_a_stand_in() -> None:
    assert registry.stand_in_urls("http://h") == {name: f"http://h{path}" for name, path in BASE_PATHS.items()}


def test_no_two_share_a_name_or_a_mount() -> None:
    for values in ([each.name for each in STAND_INS], [each.mount for each in STAND_INS], list(BASE_PATHS.values())):
        assert len(set(values)) == len(values)
    mounts = [f"{each.mount}/" for each in STAND_INS]
    assert not [(mount, other) for mount in mounts for other in mounts if mount != other and other.startswith(mount)]


def test_each_is_reached_below_its_mount() -> None:
    for each in STAND_INS:
        assert all(f"{path}/".startswith(f"{each.mount}/") for path in each.base_paths.values()), each.name


def test_protocols_have_one_set_of_faults() -> None:
    sets = {each.faults.protocol: each.faults for each in STAND_INS}
    assert all(each.faults is sets[each.faults.protocol] for each in STAND_INS)
    assert len({faults.title for faults in sets.values()}) == len(sets)


def test_secrets_shared_by_stand_ins_have_one_value() -> None:
    values = [(name, value) for each in STAND_INS for name, value in each.secrets.items()]
    assert len(dict(values)) == len(set(values))


@pytest.mark.parametrize("stand_in", STAND_INS, ids=lambda each: each.name)
def test_the_client_that_proves_one_is_tried_with_it(stand_in: StandIn) -> None:
    tried = f'provider = "{stand_in.name}"' in TRIED
    assert tried == stand_in.proof.endswith("client")
    named = set(re.findall(r"`([^`]+)`", stand_in.proven_by)) if tried else set()
    assert named <= PACKAGES
    assert named or not tried


def test_every_client_proves_some_stand_in() -> None:
    named = {name for each in STAND_INS for name in re.findall(r"`([^`]+)`", each.proven_by)}
    assert named >= PACKAGES
