"""Begin what is asked for by an event."""

from collections.abc import Callable

from imagegate.domain.api_key import Principal
from imagegate.domain.errors import QuotaExhausted, RateLimited, RequestError
from imagegate.domain.route import Routes
from imagegate.ports import DeadLetters
from imagegate.usecases.start import Ask, Start


class Intake:
    """Starts operations in the name of one principal; what is refused is put aside, for nobody waits for an answer."""

    def __init__(
        self,
        understand: Callable[[str], Ask],
        start: Start,
        routes: Routes,
        principal: Callable[[], Principal],
        letters: DeadLetters,
    ) -> None:
        """`understand` raises InvalidRequest, `principal` Unauthenticated when there is none (any more)."""
        self._understand = understand
        self._start = start
        self._routes = routes
        self._principal = principal
        self._letters = letters

    def __call__(self, message: str) -> None:
        """Begin what `message` asks for, or put it aside with the reason.

        Whatever else is raised means that neither was done, and that the message has to be delivered again: so does
        RateLimited, while the key has too much under way.
        """
        try:
            ask, principal = self._understand(message), self._principal()
            principal.require(self._routes.of(ask.request).model)
            self._start(ask, principal.owner, principal.key)
        except RequestError as error:
            if isinstance(error, RateLimited) and not isinstance(error, QuotaExhausted):
                raise
            self._letters.put(message, error.code, " ".join(filter(None, (error.message, error.remedy))))
