"""The steps of the workflow, which alone talk to upstreams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from imagegate.deployment.upstreams import Upstreams

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from imagegate.ports.upstreams import PictureCodec, PictureSigner
    from imagegate.workflow.direct_step import DirectStep
    from imagegate.workflow.driver import Driver
    from imagegate.workflow.expand import Expand
    from imagegate.workflow.fail import Fail
    from imagegate.workflow.next_step import Invocation, Planner
    from imagegate.workflow.outcomes import Outcomes
    from imagegate.workflow.poll import Poll
    from imagegate.workflow.store_pictures import StorePictures
    from imagegate.workflow.submit import Submit
    from imagegate.workflow.sweep import Sweep

_SIGNING_ATTEMPTS = 2
"""At SSM and KMS: a picture can go without its signature, and its client waits."""


class WorkflowParts(Upstreams):
    """Each property is a state of the workflow, or a part of one."""

    def invocation(self, event: Mapping[str, Any], remaining_milliseconds: int) -> Invocation:
        """The invocation of a task function by the workflow's execution that `event` names."""
        from imagegate.workflow.next_step import Invocation

        return Invocation(event["run"], self.clock.now() + remaining_milliseconds / 1000)

    @cached_property
    def submit(self) -> Submit:
        """The state Submit."""
        from imagegate.workflow.hooks import Hooks
        from imagegate.workflow.submit import Submit
        from imagegate.workflow.submit_attempt import SubmitAttempt

        return Submit(
            store=self.store,
            routes=self.routes,
            admission=self.admission,
            submit_attempt=SubmitAttempt(
                images=self.images,
                codec=lambda: self._codec,
                providers=self.providers,
                prepare=self.prepare,
                outcomes=self._outcomes,
                hooks=Hooks(self.settings.hooks_url, self._planner.lasts),
                update=self.update_with_retry,
                clock=self.clock,
            ),
            outcomes=self._outcomes,
            driver=self._driver,
            update=self.update_with_retry,
            clock=self.clock,
        )

    def direct_invocation(self, event: Mapping[str, Any], remaining_milliseconds: int) -> Invocation:
        """The invocation of `submit` without an execution. Lambda may deliver an event twice: each has its own name."""
        import secrets

        from imagegate.domain.operation.outcome import PollHistory
        from imagegate.workflow.next_step import Invocation

        name = f"{event['id']}-direct-{secrets.token_hex(8)}"
        ends_at = self.clock.now() + remaining_milliseconds / 1000
        return Invocation(name, ends_at, PollHistory(event.get("looked_at", 0.0), event.get("looks", 0)))

    @cached_property
    def direct_step(self) -> DirectStep:
        """A step without an execution."""
        from imagegate.workflow.direct_step import DirectStep

        return DirectStep(submit=self.submit, start_workflow=self.start_workflow)

    @cached_property
    def poll(self) -> Poll:
        """The state Poll."""
        from imagegate.workflow.poll import Poll

        return Poll(store=self.store, driver=self._driver, clock=self.clock)

    @cached_property
    def _driver(self) -> Driver:
        from imagegate.workflow.driver import Driver
        from imagegate.workflow.upstream_poller import UpstreamPoller

        return Driver(
            store=self.store,
            poller=UpstreamPoller(
                providers=self.providers, planner=self._planner, update=self.update_with_retry, clock=self.clock
            ),
            outcomes=self._outcomes,
            planner=self._planner,
            update=self.update_with_retry,
            clock=self.clock,
        )

    @cached_property
    def expand(self) -> Expand:
        """The state Expand."""
        from imagegate.workflow.expand import Expand

        return Expand(
            store=self.store,
            routes=self.routes,
            expander=self.expander,
            telemetry=self.telemetry,
            update=self.update_with_retry,
            clock=self.clock,
        )

    @cached_property
    def fail(self) -> Fail:
        """The state Fail."""
        from imagegate.workflow.fail import Fail

        return Fail(store=self.store, update=self.update_with_retry, clock=self.clock)

    @cached_property
    def sweep(self) -> Sweep:
        """Restarts operations that no execution drives."""
        from imagegate.workflow.sweep import Sweep

        return Sweep(
            store=self.store,
            workflow=self.workflow,
            telemetry=self.telemetry,
            update=self.update_with_retry,
            clock=self.clock,
        )

    @cached_property
    def _outcomes(self) -> Outcomes:
        from imagegate.workflow.outcomes import Outcomes

        return Outcomes(
            store_pictures=lambda *result: self._store_pictures(*result),
            providers=self.providers,
            admission=self.admission,
            latencies=self.latencies,
            telemetry=self.telemetry,
            update=self.update_with_retry,
            clock=self.clock,
        )

    @cached_property
    def _store_pictures(self) -> StorePictures:
        from imagegate.workflow.store_pictures import StorePictures

        return StorePictures(
            images=self.images,
            http=self.picture_http,
            codec=self._codec,
            with_prompt="prompt" in self.settings.provenance,
            signer=self._signer,
        )

    @cached_property
    def _signer(self) -> PictureSigner | None:
        settings = self.settings
        if not settings.signing:
            return None
        from imagegate.adapters.c2pa_pictures import C2paPictures
        from imagegate.adapters.signing_identity import SsmIdentity

        return C2paPictures(
            SsmIdentity(
                lambda service: self._client(service, _SIGNING_ATTEMPTS), settings.signing, settings.signing_key_arn
            )
        )

    @cached_property
    def _codec(self) -> PictureCodec:
        from imagegate.adapters.pillow_pictures import PillowPictures

        return PillowPictures()

    @cached_property
    def _planner(self) -> Planner:
        from imagegate.workflow.next_step import Planner

        return Planner(latencies=self.latencies, limits_of=self.limits_of, clock=self.clock)
