"""The addresses at which upstreams say that a job has ended."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from imagegate.domain.operation.attempt import Attempt
from imagegate.domain.operation.hook import HOOK_PATH
from imagegate.domain.request.limits import Limits

_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class Hooks:
    """Gives an address to each job that is long enough for one."""

    base_url: str
    """Where upstreams reach the gateway; empty: no upstream is given an address."""
    lasts: Callable[[Attempt], bool]
    """Whether a job is expected to last longer than it is polled inline: its execution then waits."""

    def new_token(self, attempt: Attempt, limits: Limits) -> str:
        """A token for the attempt's job; empty where none is of use."""
        useful = self.base_url and limits.calls_hooks and self.lasts(attempt)
        return secrets.token_urlsafe(_TOKEN_BYTES) if useful else ""

    def address(self, operation_id: str, token: str) -> str:
        """The address, empty without a token. The token is in the query, which access logs omit."""
        return f"{self.base_url}{HOOK_PATH}/{operation_id}?token={token}" if token else ""
