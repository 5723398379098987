"""A deployment: its use cases and the steps of its workflow, on its ports. The only place that names adapters.

Made from the environment it is what runs in Lambda, from a stack's outputs what the command line works on, and from
fakes what tests call. Every property imports what it needs when it is first used, and is then kept: a function of the
workflow loads neither FastAPI nor another function's use case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagegate.deployment.announcements import Announcements
from imagegate.deployment.requests import Requests
from imagegate.deployment.workflow import WorkflowParts

if TYPE_CHECKING:
    from typing import Self


class Deployment(Requests, WorkflowParts, Announcements):
    """Each property is a use case, a step of the workflow, a port, or a part of them."""

    @classmethod
    def from_environment(cls) -> Self:
        """The deployment that this process is a function of. Raises MisconfiguredError naming a variable."""
        from imagegate import settings
        from imagegate.adapters.aws import client

        return cls(settings.current(), client)
