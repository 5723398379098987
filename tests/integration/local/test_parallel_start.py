"""Many clients at once at an embedded stack whose functions have not begun."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.stack_settings import on_free_ports

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("stack")]

CLIENTS = 16


def test_every_client_is_answered_though_each_needs_a_worker_of_its_own(tmp_path: Path) -> None:
    """On two processors, sixteen workers that start at once are all late: fifteen clients got 503."""
    settings = on_free_ports(tmp_path / "state")
    stand_ins = StandIns(build_app(latency_seconds=0.2), STAND_IN_SECRETS)
    with Stack(replace(settings, stand_ins=stand_ins)) as stack:

        def generation(number: int) -> int:
            body = {"model": "flux", "prompt": f"picture {number}"}
            url = f"{stack.base_url}/v1/images/generations"
            return requests.post(url, json=body, allow_redirects=False, timeout=60).status_code

        with ThreadPoolExecutor(CLIENTS) as clients:
            assert set(clients.map(generation, range(CLIENTS))) <= {200, 303}
