"""Jobs of the stand-ins that are polled."""

from types import SimpleNamespace

import pytest

from imagegate.local.upstreams import jobs
from imagegate.local.upstreams.directives import Directives
from imagegate.local.upstreams.drawing.pictures import PictureSpec
from imagegate.local.upstreams.jobs import Job, JobState


def test_a_snapshot_stays_while_the_job_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that tells the state in two places must not tell two states."""
    clock = iter((99.0, 100.0, 100.0))
    # Not `time.monotonic` itself: servers of other tests run in this process.
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    job = Job("a", PictureSpec("a fox", 1, 64, 64, 1, "png", Directives()), accepted=0.0, due=100.0)
    snapshot = job.snapshot()
    assert (job.state, job.live) == (JobState.DONE, False)
    assert (snapshot.state, snapshot.live) == (JobState.RUNNING, True)
