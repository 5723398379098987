"""What several sides of a deployment work with."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from imagegate.deployment.storage import AwsStorage

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegate.domain.request.limits import Limits
    from imagegate.domain.request.routes import Routes
    from imagegate.usecases.links import Links, PictureLinks
    from imagegate.usecases.start_workflow import StartWorkflow
    from imagegate.usecases.update import UpdateWithRetry


class Shared(AwsStorage):
    """Each property is a part of use cases."""

    @cached_property
    def links(self) -> Links:
        """Signs paths of the gateway."""
        from imagegate.usecases.links import Links

        return Links(secret=self.signing_secret, clock=self.clock)

    @cached_property
    def picture_links(self) -> PictureLinks:
        """Where the pictures of an operation are found."""
        from imagegate.usecases.links import PictureLinks

        return PictureLinks(links=self.links, image_days=self.settings.image_days)

    @cached_property
    def routes(self) -> Routes:
        """The routes."""
        from imagegate.providers.live_routes import LiveRoutes

        return LiveRoutes(self.route_tables, self.secret_names)

    @cached_property
    def limits_of(self) -> Callable[[str], Limits]:
        """What a provider can do, by its key."""
        return self.route_tables.limits_of

    @cached_property
    def secret_names(self) -> Callable[[], frozenset[str] | None]:
        """The names of the upstream credentials that are set, as far as they were noted; `None`: they never were."""
        from imagegate.providers.availability import cached_names

        return cached_names(self.pushed_routes.secret_names, self.clock.now, self.settings.key_cache_seconds)

    @cached_property
    def update_with_retry(self) -> UpdateWithRetry:
        """Writes the next version of an operation."""
        from imagegate.usecases.update import UpdateWithRetry

        return UpdateWithRetry(store=self.store, clock=self.clock)

    @cached_property
    def start_workflow(self) -> StartWorkflow:
        """Starts executions."""
        from imagegate.usecases.start_workflow import StartWorkflow

        return StartWorkflow(store=self.store, workflow=self.workflow, clock=self.clock)
