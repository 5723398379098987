"""The gateway's HTTP API, for commands."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import httpx

from imagegate.cli.client.connection import LOCAL_URL, Connection
from imagegate.cli.client.exits import CommandError, GatewayUnreachable, KeyRefused, Throttled
from imagegate.cli.sentences import command, printable

_TIMEOUT = httpx.Timeout(60, connect=10)
_DIRECT = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
"""Loopback is never behind a proxy."""
_REPEATS = 3
_LATER = (502, 503, 504)
_LONGEST_PAUSE = 10.0
"""Seconds between two tries of a request."""


class GatewayClient:
    """One gateway. Every method raises CommandError or a subclass of it, which say what to do."""

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        if not (connection.key.isascii() and connection.key.isprintable()):
            raise KeyRefused("The API key has characters that no key has. Copy it again.")
        key = {"authorization": f"Bearer {connection.key}"} if connection.key else {}
        self._connection, self._sleep = connection, sleep
        headers = {"user-agent": "imagegate-cli", **key}
        self._http = httpx.Client(headers=headers, timeout=_TIMEOUT, mounts=_DIRECT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    @property
    def connection(self) -> Connection:
        """Where it is."""
        return self._connection

    def get(self, path: str, **query: str | int | None) -> Any:
        """The JSON at a path below the base URL."""
        return self._json(self.send("GET", path, params={name: value for name, value in query.items() if value}))

    def post(self, path: str, **request: Any) -> Any:
        """POST, and the JSON of the answer. A lost answer is asked for again, so `path` has to be safe to repeat."""
        return self._json(self.send("POST", path, **request))

    def pages(self, path: str, field: str, **query: str | int | None) -> Iterator[dict[str, Any]]:
        """The entries of a list, of as many pages as are read."""
        token: str | None = ""
        while token is not None:
            page = self.get(path, page_token=token, **query)
            yield from page[field]
            token = page["next_page_token"]

    def has(self, path: str) -> bool:
        """Whether there is a page at the path."""
        try:
            return self._http.get(self._connection.url + path).is_success
        except httpx.RequestError as error:
            raise self._unreachable(error) from error

    def download(self, url: str) -> bytes:
        """The bytes at a URL that the gateway gave; the key goes to the gateway only."""
        return self.send("GET", url, follow_redirects=True).content

    def upload(self, body: bytes, content_type: str) -> str:
        """Upload a picture that is too large for a request; the id that stands for it."""
        form = self.post("/v1/uploads", json={"content_type": content_type})
        self.send("POST", form["url"], data=form["fields"], files={"file": body})
        return str(form["id"])

    def forward(self, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """POST, and the answer whatever it says. A lost answer is asked for again, so it has to be safe to repeat."""
        return self._deliver(self._request("POST", path, {"content": body, "headers": headers}))

    def send(self, method: str, path: str, follow_redirects: bool = False, **content: Any) -> httpx.Response:
        """Send a request, again when the gateway is away for a moment. `path`: below the base URL, or a whole URL."""
        return self._checked(self._deliver(self._request(method, path, content), follow_redirects))

    def _deliver(self, request: httpx.Request, follow_redirects: bool = False) -> httpx.Response:
        for attempt in range(1, _REPEATS + 1):
            try:
                response = self._http.send(request, follow_redirects=follow_redirects)
            except httpx.RequestError as error:
                if attempt == _REPEATS or isinstance(error, httpx.ConnectError):
                    raise self._unreachable(error) from error
                self._sleep(1)
            else:
                if response.status_code not in _LATER or attempt == _REPEATS:
                    return response
                self._sleep(min(retry_after(response.headers), _LONGEST_PAUSE))
        raise AssertionError

    def _request(self, method: str, path: str, content: dict[str, Any]) -> httpx.Request:
        """A request to the gateway, or without its key to another server."""
        base = self._connection.url
        url = path if "://" in path else base + path
        try:
            request = self._http.build_request(method, url, **content)
        except UnicodeEncodeError:  # bytes that the shell or a pipe passed on as they were
            raise CommandError("The text is not UTF-8. Write it in UTF-8.") from None
        except httpx.InvalidURL:
            raise CommandError(f"'{printable(url)}' is no address. Check the URL.") from None
        if not str(request.url).startswith(f"{base}/"):
            request.headers.pop("authorization", None)
        return request

    def _unreachable(self, error: Exception) -> GatewayUnreachable:
        where, cause = self._connection, printable(str(error)) or type(error).__name__
        if where.url == LOCAL_URL and where.source == "the default":
            remedy = f"Start one with '{command()} serve' or 'make run', or name one: {command()} login URL."
        elif where.is_local:
            remedy = "Start it, or name another."
        else:
            remedy = "Check the address and the network."
        return GatewayUnreachable(f"No gateway answers at {where.url} ({cause}).", remedy)

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        problem = _problem(response)
        text, remedy = _message(problem), problem.get("remedy") or ""
        if response.status_code in (401, 403):
            advice = self._log_in() if response.status_code == 401 else remedy
            raise KeyRefused(printable(f"{self._connection.url} refused the key: {text} {advice}".strip()))
        if not text:
            text = f"{response.url.copy_with(query=None)} answered HTTP {response.status_code}."
            remedy = "Try again." if response.status_code >= 500 else "Check that the gateway's URL is right."
        request_id = response.headers.get("x-request-id", "")
        if response.status_code == 429:
            raise Throttled(printable(f"{text} {remedy}".strip()), retry_after(response.headers))
        number = f" (request {request_id})" if request_id and response.status_code >= 500 else ""
        raise CommandError(printable(f"{text}{number} {remedy}".strip()))

    def _log_in(self) -> str:
        return f"Set IMAGEGATE_API_KEY, or run '{command()} login {self._connection.url}'."

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json() if response.content else {}
        except ValueError:
            where = self._connection.url
            raise CommandError(f"{where} did not answer as an imagegate does. Check the URL.") from None


def retry_after(headers: Mapping[str, str], otherwise: float = 1.0) -> float:
    """Seconds in Retry-After."""
    text = headers.get("retry-after", "")
    return float(text) if text.isdecimal() else otherwise


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _message(problem: Mapping[str, Any]) -> str:
    """What an error says: of the operations API, of OpenAI's, or of API Gateway itself."""
    error = problem.get("error")
    nested = error.get("message") if isinstance(error, dict) else None
    text = problem.get("detail") or nested or problem.get("message") or ""
    return str(text) if isinstance(text, str) else ""
