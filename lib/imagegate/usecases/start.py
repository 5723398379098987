"""Accept a request: write the operation, start its workflow, return it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagegate.domain.access.api_key import Principal
from imagegate.domain.access.ledger import UNLIMITED, open_account, reserve
from imagegate.domain.errors import Conflict, KeyReused, TooLarge
from imagegate.domain.operation.account import Account
from imagegate.domain.operation.coalescing import (
    Arrival,
    BodyClaim,
    BodyClaimChanged,
    Claim,
    Claimed,
    Registration,
    answers_key,
    body_claim,
    has_body_claim,
    key_claim,
)
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.expansion import check_expandable
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Route
from imagegate.domain.request.routes import Routes
from imagegate.domain.webhooks.webhook import RequestedWebhook, Webhook
from imagegate.ports.runtime import Clock, Steps
from imagegate.ports.storage import OperationStore
from imagegate.usecases.find_repeated import FindRepeated
from imagegate.usecases.start_workflow import StartWorkflow
from imagegate.usecases.webhook_choice import ResolveWebhook

_START_GRACE = 60.0
_RACES = 20
LARGEST_TEXTS = 128 * 1024
"""Bytes of UTF-8. A DynamoDB item has at most 400 KB; an upstream may return a prompt of the same length again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """A request as a dialect has parsed it."""

    request: ImageRequest
    dialect: str
    reply: Mapping[str, str] = field(default_factory=dict)
    """What the dialect needs to render the answer."""
    deadline: float | None = None
    """Seconds the caller is willing to wait in all; `None` for the deployment's default."""
    digest: str = ""
    """Of the canonical body."""
    coalesce: bool = False
    """True for synchronous APIs, whose clients repeat a body without marking it as a retry."""
    client_waits: bool = False
    """True when the caller will surely be in one request after another until the operation has ended."""
    arrived_at: float = 0.0
    """When API Gateway received the request, in seconds since the epoch; 0 for now."""
    retry_count: int = 0
    """The client's own count of its retries; 0 when it does not mark the request as a retry."""
    idempotency_key: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    requested_webhook: RequestedWebhook | None = None
    sent_names: Mapping[str, str] = field(default_factory=dict)
    """What the caller calls a field of ImageRequest, for refusals."""


@dataclass(frozen=True, slots=True)
class Started:
    """The operation of a GenerationRequest."""

    operation: Operation
    resumes_wait: bool = False
    """True when the request continues an interrupted wait for an existing operation."""
    found: bool = False
    """True when the operation already existed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A request that passes all checks, as it is stored, with its route, webhook and account."""

    request: ImageRequest
    route: Route
    webhook: Webhook | None
    account: Account | None
    """`None` when the API key has no limits that count it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Turns a GenerationRequest into a durable, running operation, or finds the operation that it repeats."""

    store: OperationStore
    start_workflow: StartWorkflow
    routes: Routes
    resolve_webhook: ResolveWebhook
    find_repeated: FindRepeated
    clock: Clock
    deadline: float
    """Seconds that an operation may take when its GenerationRequest has no deadline."""
    expands: bool = False
    """True where prompts can be expanded."""
    steps: Steps | None = None
    """`None` where every operation has an execution."""

    def __call__(
        self, generation: GenerationRequest, principal: Principal, accepted: Accepted | None = None
    ) -> Started:
        """Write the operation, reserve what it may use of the key's limits, start its workflow, and return it.

        If its client waits, its first step is taken without an execution. `accepted`: what `check` returned for it.

        Raises what `check` raises, RateLimited or KeyReused before anything is written. Once it is written the
        operation will run: if the workflow cannot be started now, `sweep` starts it.
        """
        accepted = accepted or self.check(generation, principal)
        limits = principal.key.limits if principal.key else UNLIMITED
        over = None
        for race in range(_RACES):
            made = self._build_operation(generation, principal.owner, accepted)
            found, registration = self._find_by_body(generation, made, first=not race)
            if found:
                return Started(found, resumes_wait=True, found=True)
            operation, reservation = reserve(made, limits)
            try:
                self.store.create(operation, over, reservation, registration)
            except BodyClaimChanged:
                continue
            except Claimed as claimed:
                if existing := self._find_by_key(generation, claimed.claim):
                    return Started(existing, found=True)
                over = claimed.claim.operation_id
            else:
                if operation.by_client and self.steps:
                    self.steps.take(operation.id)
                else:
                    self.start_workflow(operation.id, execution=operation.id)
                return Started(operation)
        raise Conflict(f"too many identical requests at once ({generation.digest})")

    def check(self, generation: GenerationRequest, principal: Principal) -> Accepted:
        """Check everything except the remaining limits of the key.

        Raises TooLarge, UnknownModel, UnknownProvider, ModelNotAvailable, InvalidRequest, CannotExpand, WebhookRefused,
        and Forbidden when the key does not allow the model.
        """
        request = self.routes.accept(generation.request)
        _check_size(request, generation.metadata)
        route = self.routes.resolve(request)
        principal.require(route.model)
        webhook = self.resolve_webhook(generation.requested_webhook, principal)
        if request.expand:
            check_expandable(request, self.expands)
        account = open_account(principal.key, route, request.n, self.clock.now()) if principal.key else None
        return Accepted(request=request, route=route, webhook=webhook, account=account)

    def _find_by_body(
        self, generation: GenerationRequest, made: Operation, *, first: bool
    ) -> tuple[Operation | None, Registration | None]:
        """The operation that the body repeats, or how to register a new one; neither when the body makes no claim.

        `first`: nearly every body is new, so the first registration is tried without reading the claim.
        """
        if not has_body_claim(made):
            return None, None
        arrival = Arrival(generation.arrived_at or self.clock.now(), generation.retry_count)
        if first and not arrival.retry_count:
            return None, Registration(arrival=arrival, seen=BodyClaim(), unread=True)
        return self.find_repeated(made.claim or "", arrival)

    def _find_by_key(self, generation: GenerationRequest, claim: Claim) -> Operation | None:
        """The operation that answers this GenerationRequest already, if the key's owner does."""
        existing = self.store.get(claim.operation_id, consistent=True)
        if existing is None or (existing.done and not answers_key(existing, retry_invited=generation.coalesce)):
            return None
        if existing.digest != generation.digest:
            raise KeyReused(
                "This Idempotency-Key was used with another request.",
                param="Idempotency-Key",
                remedy="Use a new key for a new request, or repeat the first one unchanged.",
            )
        return existing

    def _build_operation(self, generation: GenerationRequest, owner: str, accepted: Accepted) -> Operation:
        now, claim = self.clock.now(), None
        if generation.idempotency_key:
            claim = key_claim(owner, generation.idempotency_key)
        elif generation.coalesce:
            claim = body_claim(owner, generation.dialect, generation.digest)
        return Operation(
            id=new_id(now),
            owner=owner,
            dialect=generation.dialect,
            request=accepted.request,
            reply=generation.reply,
            model=accepted.route.model,
            claim=claim,
            digest=generation.digest,
            metadata=generation.metadata,
            webhook=accepted.webhook,
            created_at=now,
            updated_at=now,
            deadline=now + (generation.deadline or self.deadline),
            due_at=now + _START_GRACE,
            account=accepted.account,
            by_client=self._may_drive(generation, accepted) or None,
        )

    def _may_drive(self, generation: GenerationRequest, accepted: Accepted) -> bool:
        """True when the client's requests have its operation polled; an expansion needs an execution in any case."""
        # A receiver of webhooks waits as well, and makes no requests.
        waits = generation.client_waits and accepted.webhook is None
        return self.steps is not None and waits and not accepted.request.expand


def _check_size(request: ImageRequest, metadata: Mapping[str, str]) -> None:
    """Raises TooLarge when the texts leave no space for attempts in the operation's item."""
    texts = (request.prompt, request.negative_prompt or "", *metadata, *metadata.values())
    size = sum(len(text.encode()) for text in texts)
    if size > LARGEST_TEXTS:
        raise TooLarge(
            f"Prompt, negative prompt and metadata have {size} bytes; at most {LARGEST_TEXTS} are kept.", param="prompt"
        )
