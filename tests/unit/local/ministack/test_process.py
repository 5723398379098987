"""MiniStack as a child process."""

from pathlib import Path

import pytest

from imagegate.local.ministack.process import MiniStackProcess
from imagegate.local.ports import PortTaken, listen
from imagegate.local.state_folder import StateFolder


def test_its_port_is_taken_before_it_starts_and_free_after_the_stop(tmp_path: Path) -> None:
    """Another stack that started meanwhile answered in its place."""
    process = MiniStackProcess(folder=StateFolder(tmp_path), listener=listen(0))
    with pytest.raises(PortTaken):
        listen(process.port)
    process.stop()
    listen(process.port).close()
