"""Make one submission to one provider: write the attempt, call the provider, write its answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagegate.domain.access.ledger import budget_of
from imagegate.domain.errors import RateLimited
from imagegate.domain.failure import Failure, FailureCode, SecretsUnreadable, UpstreamError
from imagegate.domain.operation.attempt import Attempt, AttemptState, key_of_provider
from imagegate.domain.operation.hook import digest_of
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.operation.order import InputBody, UpstreamRequest
from imagegate.domain.operation.outcome import Ready
from imagegate.domain.request.capabilities import ignored, with_best_format, with_negative_prompt
from imagegate.domain.request.expansion import prompt_budget, shorten
from imagegate.domain.request.limits import Limits
from imagegate.domain.request.request import InputImage
from imagegate.domain.request.route import Target
from imagegate.domain.timing.failover import last_throttled
from imagegate.ports.runtime import Clock
from imagegate.ports.storage import ImageStore
from imagegate.ports.upstreams import PictureCodec, ProviderFor
from imagegate.usecases.update import UpdateWithRetry
from imagegate.workflow.driver import SWEEP_MARGIN
from imagegate.workflow.hooks import Hooks
from imagegate.workflow.outcomes import Outcomes
from imagegate.workflow.partial_pictures import PartialPictures

_LEASE_MARGIN = 15.0
_SECRETS_PAUSE = 5.0
_INPUTS_GONE = Failure(
    FailureCode.INVALID_REQUEST, "The pictures that came with the request are no longer kept; send it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAttempt:
    """One attempt, or the repetition of a throttled one."""

    images: ImageStore
    codec: Callable[[], PictureCodec]
    """Loads it when the first picture is there."""
    providers: ProviderFor
    prepare: Callable[[str, str], None]
    """Reads the credentials of a provider, by its key, for a model of it. Raises SecretsUnreadable."""
    outcomes: Outcomes
    hooks: Hooks
    update: UpdateWithRetry
    clock: Clock

    def __call__(self, operation: Operation, target: Target, slots: tuple[int, ...]) -> Operation:
        """Submit `slots` to `target`; returns the operation with the attempt, or failed when its inputs are gone.

        Raises QuotaExhausted when the price exceeds the budget, and RateLimited when the usage ledger is too busy or
        the provider's credentials cannot be read: nothing was submitted then, and the provider is not to blame.
        """
        request = operation.request
        try:
            images = tuple(self._read(image, operation) for image in request.inputs)
            mask = self._read(request.mask, operation) if request.mask else None
        except KeyError:
            return self.outcomes.fail(operation, _INPUTS_GONE)
        self._read_secrets(operation, target)
        operation, attempt, token = self._begin(operation, target, slots)
        if attempt not in operation.attempts:
            return operation  # it has ended meanwhile, or another execution was first
        provider = self.providers(attempt.provider_key)
        upstream_request = _build_request(operation, attempt, target.limits, images, mask)
        partials = self._partials(operation, attempt, target)
        upstream_request = replace(
            upstream_request, hook_url=self.hooks.address(operation.id, token), on_partial=partials
        )
        try:
            outcome = provider.submit(upstream_request)
        except UpstreamError as error:
            return self.outcomes.record_failure(operation, attempt, error.failure)
        if partials and not partials.stored:
            attempt = replace(attempt, not_honoured=(*attempt.not_honoured, "partial_images"))
        if isinstance(outcome, Ready):
            return self.outcomes.record_success(partials.operation if partials else operation, attempt, outcome)
        submitted = replace(
            attempt,
            state=AttemptState.SUBMITTED,
            ticket=outcome.data,
            keep_until=attempt.started_at + provider.limits.retention_seconds,
            lease_until=0.0,
        )
        # Nothing that can fail may come before this write, not even a read of the job's expected duration.
        return self.update(operation, lambda current: current.merge_attempt(submitted), sweep_after=SWEEP_MARGIN)

    def _partials(self, operation: Operation, attempt: Attempt, target: Target) -> PartialPictures | None:
        """What takes the partial pictures of the attempt; `None` where none are asked for or none are made."""
        if not _makes_partials(operation, target):
            return None
        return PartialPictures(
            images=self.images,
            codec=self.codec,
            update=self.update,
            clock=self.clock,
            operation=operation,
            attempt=attempt,
            most=(operation.request.partial_images or 0) * len(attempt.slots),
        )

    def _read_secrets(self, operation: Operation, target: Target) -> None:
        """Before the attempt: reading may take half a minute, and may fail. Raises RateLimited."""
        try:
            self.prepare(key_of_provider(target.provider, operation.request.routes), target.model)
        except SecretsUnreadable as error:
            raise RateLimited(error.failure.message, retry_after=_SECRETS_PAUSE) from error

    def _read(self, image: InputImage, operation: Operation) -> InputBody:
        """The bytes of an input picture, upright. Raises KeyError when they are no longer kept."""
        body = self.images.get(image.key, operation.created_at)
        return InputBody(self.codec().turn_upright(body), image.content_type)

    def _begin(self, operation: Operation, target: Target, slots: tuple[int, ...]) -> tuple[Operation, Attempt, str]:
        """Write the attempt before the call, so that a crash in between leaves a trace; also gives its hook's token."""
        now = self.clock.now()
        # A stream of partial pictures may fall silent when its time is nearly over.
        longest = target.limits.submit_seconds * (2 if _makes_partials(operation, target) else 1)
        lease = longest + _LEASE_MARGIN
        same_slots = [attempt for attempt in operation.counted_attempts if attempt.slots == slots]
        throttled = last_throttled(same_slots, target.provider)
        not_honoured = ignored(operation.request, target.limits)
        attempt = Attempt(
            number=throttled.number if throttled else len(operation.attempts) + 1,
            provider=target.provider,
            model=target.model,
            slots=slots,
            state=AttemptState.SUBMITTING,
            started_at=now,
            lease_until=now + lease,
            repeats=throttled.repeats + 1 if throttled else 0,
            not_honoured=(*not_honoured, "expand") if operation.not_expanded else not_honoured,
            reason=_reason(operation, target, slots),
            micro_dollars=len(slots) * (target.micro_dollars or 0),
            prompt=_shortened_prompt(operation, target),
            routes=operation.request.routes,
        )
        token = self.hooks.new_token(attempt, target.limits)
        attempt = replace(attempt, hook_digest=digest_of(token) if token else "")
        if target.limits.recovers_submissions and (first := _first_number(operation, attempt)) != attempt.number:
            attempt = replace(attempt, recovers=first)

        def begin(current: Operation) -> Operation:
            if current.done or current.attempts != operation.attempts:
                return current  # the decision to make this attempt did not see all attempts
            running = current if current.state is State.RUNNING else current.moved(State.RUNNING, now)
            return running.with_attempt(attempt)

        limits = budget_of(operation.account)
        return self.update(operation, begin, sweep_after=lease + SWEEP_MARGIN, limits=limits), attempt, token


def _makes_partials(operation: Operation, target: Target) -> bool:
    return bool(operation.request.partial_images) and "partial_images" in target.limits.capabilities


def _reason(operation: Operation, target: Target, slots: tuple[int, ...]) -> str:
    """Why `target` is asked: which providers before it cannot serve the request, or failed."""
    failed = {
        attempt.provider: f"{attempt.provider} failed: {attempt.failure.code}"
        for attempt in operation.counted_attempts
        if attempt.failure and attempt.provider != target.provider and set(attempt.slots) & set(slots)
    }
    return "; ".join((*target.passed_over, *failed.values()))


def _build_request(
    operation: Operation, attempt: Attempt, limits: Limits, images: tuple[InputBody, ...], mask: InputBody | None
) -> UpstreamRequest:
    request, slot = operation.request, attempt.slots[0]
    if prompt := operation.prompt_for(attempt):
        request = request.with_prompt(prompt)
    request = with_best_format(with_negative_prompt(request, limits), limits)
    if request.seed is not None:
        request = replace(request, seed=(request.seed + slot) % (limits.seed_maximum + 1))
    first_number = _first_number(operation, attempt)
    return UpstreamRequest(
        request=request,
        model=attempt.model,
        count=len(attempt.slots),
        inputs=images,
        mask=mask,
        idempotency_key=f"{operation.id}-{slot}-{first_number}",
        repeated=first_number != attempt.number,
    )


def _first_number(operation: Operation, attempt: Attempt) -> int:
    """The number of the first attempt that this one repeats without knowing its outcome; its own number for none.

    With the same key an upstream may recognise the submission. After a definite end the same key would only return
    that end again.
    """
    number = attempt.number
    for known in reversed(operation.attempts):
        if known.number != attempt.number and (known.provider, known.slots) == (attempt.provider, attempt.slots):
            if known.state is not AttemptState.UNKNOWN:
                break
            number = known.number
    return number


def _shortened_prompt(operation: Operation, target: Target) -> str | None:
    """The revised prompt cut to what the provider takes; `None` when it need not be cut."""
    if not operation.revised_prompt:
        return None
    shortened = shorten(operation.revised_prompt, prompt_budget(operation.request, target.limits))
    return None if shortened == operation.revised_prompt else shortened
