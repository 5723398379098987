"""The same Space four times: stand-ins for Gradio 4 and 6, and the real servers when they are asked for.

`gradio_server` is the base URL of a running Space, and every test that uses it runs on all of them.
The real ones need `tests/contract/real_gradio/setup.sh` and run with `pytest -m real_gradio`.
"""

from collections.abc import Iterator
from typing import Literal

import pytest

from support.gradio import real_server, stand_in


def real(kind: str) -> object:
    """A parameter for a real server: opt-in, and in one worker only, so that it is started once."""
    return pytest.param(kind, marks=[pytest.mark.real_gradio, pytest.mark.xdist_group(kind)])


KINDS = ["stand-in-4", "stand-in-6", real("real-4"), real("real-6")]


@pytest.fixture(scope="session", params=KINDS)
def gradio_kind(request: pytest.FixtureRequest) -> str:
    """Which of the four servers a test runs on."""
    return request.param


@pytest.fixture(scope="session")
def gradio_generation(gradio_kind: str) -> Literal[4, 6]:
    """The major version of Gradio that is served or imitated."""
    return 4 if gradio_kind.endswith("4") else 6


@pytest.fixture(scope="session")
def gradio_server(
    gradio_kind: str, gradio_generation: Literal[4, 6], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Base URL of a running Space, without a final slash."""
    server = (
        stand_in(gradio_generation)
        if gradio_kind.startswith("stand-in")
        else real_server(gradio_generation, tmp_path_factory.mktemp(gradio_kind))
    )
    with server as url:
        yield url
