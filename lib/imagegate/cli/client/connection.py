"""Which gateway a command talks to, and with which key."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import typer

from imagegate.cli.client.exits import CommandError
from imagegate.cli.client.profiles import DEFAULT, Profile, read_profiles
from imagegate.cli.sentences import printable

LOCAL_URL = "http://127.0.0.1:1337"
"""Where `imagegate serve` answers."""
Url = Annotated[str, typer.Option("--url", metavar="URL", help="The gateway.", show_default=False)]
ProfileName = Annotated[str, typer.Option("--profile", metavar="NAME", help="A gateway you logged in to.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A gateway, and the key for it."""

    url: str
    """Without a final slash, and without `/v1`."""
    key: str = ""
    source: str = ""
    """What named the gateway."""
    options: str = ""
    """What makes another command use it, a blank first."""

    @property
    def is_local(self) -> bool:
        """True for an address of this machine."""
        return urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")


def connect(url: str = "", profile: str = "", environment: Mapping[str, str] = os.environ) -> Connection:
    """The gateway that the options name, the environment, a profile, or else what `imagegate serve` runs.

    A profile's key is sent to the profile's gateway only. Raises CommandError.
    """
    own_key = environment.get("IMAGEGATE_API_KEY", "")
    name = profile or environment.get("IMAGEGATE_PROFILE", "")
    if url:
        base = base_url(url)
        return Connection(url=base, key=own_key or _key_of(base), source="--url", options=f" --url {base}")
    if named := "" if profile else environment.get("IMAGEGATE_URL", ""):
        base = base_url(named)
        return Connection(url=base, key=own_key or _key_of(base), source="IMAGEGATE_URL")
    if found := _profile(name):
        options = f" --profile {profile}" if profile else ""
        return Connection(url=found.url, key=own_key or found.key, source=f"profile {name or DEFAULT}", options=options)
    if openai := environment.get("OPENAI_BASE_URL", ""):
        return Connection(
            url=base_url(openai), key=own_key or environment.get("OPENAI_API_KEY", ""), source="OPENAI_BASE_URL"
        )
    return Connection(url=LOCAL_URL, key=own_key, source="the default")


def base_url(text: str) -> str:
    """The base URL in what a person writes. Raises CommandError."""
    url = text.strip() if "://" in text else f"{_scheme(text)}://{text.strip()}"
    if not is_base_url(url):
        raise CommandError(f"'{printable(text)}' is not a gateway's URL. Give one like {LOCAL_URL}.")
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def is_base_url(url: str) -> bool:
    """Whether paths can be added to a URL to make addresses of HTTP."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets without an address, or a port that is none
        return False
    plain = url.isprintable() and not any(map(str.isspace, url))
    return bool(named and plain and not (parts.query or parts.fragment or parts.username))


def _scheme(text: str) -> str:
    return "http" if text.startswith(("127.0.0.1", "localhost")) else "https"


def _profile(name: str) -> Profile | None:
    found = read_profiles()
    if name and name not in found:
        known = f"There are: {', '.join(found)}." if found else "There is none yet."
        raise CommandError(f"There is no profile '{name}'. {known} 'imagegate login URL --profile {name}' makes it.")
    return found.get(name or DEFAULT)


def _key_of(url: str) -> str:
    """The key that a profile has for exactly this gateway."""
    return next((profile.key for profile in read_profiles().values() if profile.url == url), "")
