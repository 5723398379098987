"""Whether requests are answered: on the way of every client, through the front door to the api function."""

import time
import urllib.request

_SECONDS = 120.0
"""How long a function may take to start on a machine that is busy, where the front door gives up after 30 s."""
_PAUSE_SECONDS = 0.1


class NotAnswering(Exception):
    """No request was answered in time; the message says what to do."""


def wait_until_answering(base_url: str, seconds: float = _SECONDS) -> None:
    """Return when the gateway at that address answers. Raises NotAnswering when it has not after so many seconds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + seconds
    while True:
        try:
            opener.open(f"{base_url}/health", timeout=max(1.0, until - time.monotonic())).close()
            return
        except OSError as error:  # an answer with an error's status is one too
            if time.monotonic() > until:
                raise NotAnswering(
                    f"the gateway has not answered after {seconds:.0f} s ({error}). Start it again when this machine "
                    "has less to do; functions.log and ministack.log in the state folder have the details."
                ) from error
        time.sleep(_PAUSE_SECONDS)
