"""Jobs of the stand-ins that are polled."""

from types import SimpleNamespace

import pytest

from imagegate.local.upstreams import jobs
from imagegate.local.upstreams.call_log import CallLog
from imagegate.local.upstreams.comfyui.app import ComfyUIStandIn
from imagegate.local.upstreams.comfyui.faults import FAULTS
from imagegate.local.upstreams.directives import Directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.jobs import Job, JobState
from imagegate.local.upstreams.upstream import Timing, Upstream


def test_a_snapshot_stays_while_the_job_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that tells the state in two places must not tell two states."""
    clock = iter((99.0, 100.0, 100.0))
    # Not `time.monotonic` itself: servers of other tests run in this process.
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    job = Job(
        id="a",
        picture=PictureSpec(
            prompt="a fox", seed=1, width=64, height=64, steps=1, format="png", directives=Directives()
        ),
        accepted=0.0,
        due=100.0,
    )
    snapshot = job.snapshot()
    assert (job.state, job.live) == (JobState.DONE, False)
    assert (snapshot.state, snapshot.live) == (JobState.RUNNING, True)
    assert snapshot.snapshot() is snapshot


def test_a_lost_job_of_comfyui_ends_in_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end comes between finding the job and answering: the answer shows it as it was found, not as done."""
    now = 99.0
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: now))
    service = ComfyUIStandIn(Upstream(name="comfyui", faults=FAULTS, timing=Timing(), ledger=CallLog()))
    lost = PictureSpec(
        prompt="a fox", seed=1, width=64, height=64, steps=1, format="png", directives=Directives(), fault="lost"
    )
    monkeypatch.setattr(service.jobs, "find", {"a": Job(id="a", picture=lost, accepted=0.0, due=100.0)}.get)
    found = service.find("a")
    now = 100.0
    assert found
    assert found.live
    assert service.find("a") is None
