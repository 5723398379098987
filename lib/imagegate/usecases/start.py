"""Accept a request: write it down, set it going, answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagegate.domain.access.api_key import ApiKey
from imagegate.domain.access.ledger import UNLIMITED, open_account, reserve
from imagegate.domain.errors import Conflict, KeyReused, TooLarge
from imagegate.domain.operation.account import Account
from imagegate.domain.operation.coalescing import Claim, Claimed, answers_repeat, body_claim, key_claim, resumes_wait
from imagegate.domain.operation.ids import new_id
from imagegate.domain.operation.operation import Operation
from imagegate.domain.request.expansion import check_expandable
from imagegate.domain.request.request import ImageRequest
from imagegate.domain.request.route import Routes
from imagegate.domain.webhooks.webhook import RequestedWebhook, Webhook
from imagegate.ports.runtime import Clock, Workflow
from imagegate.ports.storage import OperationStore

_START_GRACE = 60.0
_RACES = 20
LARGEST_TEXTS = 128 * 1024
"""Bytes of UTF-8. DynamoDB takes 400 KB for an operation; upstreams may rewrite the prompt, at most as long again."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A request as a dialect understood it."""

    request: ImageRequest
    dialect: str
    reply: Mapping[str, str] = field(default_factory=dict)
    """How the dialect has to answer."""
    deadline: float | None = None
    """Seconds the caller is willing to wait in all; `None` for the deployment's default."""
    digest: str = ""
    """Of the canonical body."""
    coalesce: bool = False
    """True for synchronous APIs, whose clients repeat a body without saying that they do."""
    repeated: bool = False
    """True when the client says that this is a retry."""
    idempotency_key: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    requested_webhook: RequestedWebhook | None = None
    webhook: Webhook | None = None
    """What `usecases.webhook_choice` has made of the one wanted, or of the API key's."""

    def __post_init__(self) -> None:
        """Raises TooLarge for texts that would not leave room in the operation's item for what happens to it."""
        prompt, negative = self.request.prompt, self.request.negative_prompt or ""
        size = sum(len(text.encode()) for text in (prompt, negative, *self.metadata, *self.metadata.values()))
        if size > LARGEST_TEXTS:
            message = f"Prompt, negative prompt and metadata have {size} bytes; at most {LARGEST_TEXTS} are kept."
            raise TooLarge(message, param="prompt")


@dataclass(frozen=True, slots=True)
class Started:
    """What became of a GenerationRequest."""

    operation: Operation
    resumes_wait: bool = False
    """True when it takes up a wait that was broken off, of an operation that was there already."""
    found: bool = False
    """True when the operation was there already."""


class Start:
    """Turns a GenerationRequest into a durable, running operation, or finds the one it repeats."""

    def __init__(
        self,
        store: OperationStore,
        workflow: Workflow,
        routes: Routes,
        clock: Clock,
        deadline: float,
        expands: bool = False,
    ) -> None:
        """`deadline`: seconds an operation may take when the GenerationRequest does not say. `expands`: whether prompts
        can be."""
        self._store = store
        self._workflow = workflow
        self._routes = routes
        self._clock = clock
        self._deadline = deadline
        self._expands = expands

    def __call__(self, generation: GenerationRequest, owner: str, key: ApiKey | None = None) -> Started:
        """Write the operation, reserve of the limits of `key` what it may use, start its workflow, return it.

        Raises UnknownModel, InvalidRequest, CannotExpand, Forbidden, RateLimited or KeyReused before anything is
        written. Once it is written the operation will run: if the workflow cannot be started now, `sweep` does it.
        """
        model, account = self.check(generation, key)
        over = None
        for _ in range(_RACES):
            made = self._build_operation(generation, owner, model, account)
            operation, reservation = reserve(made, key.limits if key else UNLIMITED)
            try:
                self._store.create(operation, over, reservation)
            except Claimed as claimed:
                existing = self._existing(generation, claimed.claim)
                if existing:
                    return Started(existing, resumes_wait(claimed.claim, generation.repeated), found=True)
                over = claimed.claim.operation_id
            else:
                self._workflow.start(operation.id, run=operation.id)
                return Started(operation)
        raise Conflict(f"too many identical requests at once ({generation.digest})")

    def check(self, generation: GenerationRequest, key: ApiKey | None = None) -> tuple[str, Account | None]:
        """Everything but what the key has left: the route's model, and the account that `key` pays by.

        Raises UnknownModel, InvalidRequest, CannotExpand or Forbidden.
        """
        route = self._routes.resolve(generation.request)
        check_expandable(generation.request, self._expands)
        return route.model, open_account(key, route, generation.request.n, self._clock.now())

    def _existing(self, generation: GenerationRequest, claim: Claim) -> Operation | None:
        """The operation that answers this GenerationRequest already, if the claim's holder does."""
        existing = self._store.get(claim.operation_id, consistent=True)
        if existing is None or not answers_repeat(
            existing, claim, generation.repeated, self._clock.now(), retry_invited=generation.coalesce
        ):
            return None
        if existing.digest != generation.digest:
            raise KeyReused(
                "This Idempotency-Key was used with another request.",
                param="Idempotency-Key",
                remedy="Use a new key for a new request, or repeat the first one unchanged.",
            )
        return existing

    def _build_operation(
        self, generation: GenerationRequest, owner: str, model: str, account: Account | None
    ) -> Operation:
        now = self._clock.now()
        return Operation(
            id=new_id(now),
            owner=owner,
            dialect=generation.dialect,
            request=generation.request,
            reply=generation.reply,
            model=model,
            claim=_claim_of(generation, owner),
            digest=generation.digest,
            metadata=generation.metadata,
            webhook=generation.webhook,
            created_at=now,
            updated_at=now,
            deadline=now + (generation.deadline or self._deadline),
            due_at=now + _START_GRACE,
            account=account,
        )


def _claim_of(generation: GenerationRequest, owner: str) -> str | None:
    if generation.idempotency_key:
        return key_claim(owner, generation.idempotency_key)
    return body_claim(owner, generation.dialect, generation.digest) if generation.coalesce else None
