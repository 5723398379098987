"""`imagegate bridge`: other protocols in front of imagegate's HTTP API."""

import asyncio
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegate.cli.client.connection import is_base_url
from imagegate.cli.sentences import hint, in_a_sentence
from imagegate.domain.errors import InvalidRequest, MisconfiguredError

if TYPE_CHECKING:
    from imagegate.bridge.certificate import Certificate
    from imagegate.bridge.yandex import Bridge

bridge_app = typer.Typer(help="Other protocols on this machine, over a gateway anywhere.")

Url = Annotated[str, typer.Option(help="imagegate's base URL; the default is what 'imagegate serve' runs.")]
Port = Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 for any free one.", min=0, max=65535)]
Plaintext = Annotated[bool, typer.Option("--plaintext", help="Without TLS, for clients made with verify=False.")]
Folder = Annotated[Path, typer.Option(help="Folder that keeps the certificate.", file_okay=False)]
TextUrl = Annotated[
    str | None,
    typer.Option(
        help="Where text models answer: an OpenAI-compatible base URL (…/v1), or YandexGPT's "
        "…/foundationModels/v1/completion. IMAGEGATE_TEXT_AUTHORIZATION is sent there as Authorization."
    ),
]
TextModel = Annotated[
    str | None, typer.Option(help="The model to use there; overrides the one that the program names.")
]
TextAuthorization = Annotated[str | None, typer.Option(envvar="IMAGEGATE_TEXT_AUTHORIZATION", hidden=True)]


@bridge_app.callback()
def _protocols() -> None:
    """Serve other protocols on this machine, over an imagegate anywhere."""


@bridge_app.command()
def yandex(
    url: Url = "http://127.0.0.1:1337",
    port: Port = 1340,
    plaintext: Plaintext = False,
    state_dir: Folder = Path(".imagegate"),
    text_url: TextUrl = None,
    text_model: TextModel = None,
    text_authorization: TextAuthorization = None,
) -> None:
    """Serve YandexART's gRPC until Ctrl-C.

    For programs written with yandex-ai-studio-sdk.
    """
    with in_a_sentence():
        _check("--url", url)
        _check("--text-url", text_url)
        with _the_extra():
            from imagegate.bridge.text import TextSource
            from imagegate.bridge.yandex import Bridge
        server_certificate = None if plaintext else _certificate(state_dir / "bridge")
        text = TextSource(text_url, text_model, text_authorization) if text_url else None
        bridge = Bridge(base_url=url, port=port, certificate=server_certificate, text=text)
        asyncio.run(bridge.serve(typer.echo, lambda address: typer.echo(_welcome(bridge, address))))
    hint("stopped")


@contextmanager
def _the_extra() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        raise MisconfiguredError(
            f"The bridge needs packages that are not installed ({missing}). Install them with: pip install '.[bridge]'"
        ) from None


def _certificate(folder: Path) -> "Certificate":
    from imagegate.bridge.certificate import certificate

    try:
        return certificate(folder)
    except OSError as error:
        raise MisconfiguredError(f"{folder} cannot be used: {error.strerror}. Give another --state-dir.") from error


def _check(option: str, url: str | None) -> None:
    if url is not None and not is_base_url(url):
        raise InvalidRequest(f"{option} is not a base URL: '{url}'.", remedy="Give one like http://127.0.0.1:1337.")


def _welcome(bridge: "Bridge", address: str) -> str:
    return "\n".join(
        (
            f"YandexART's gRPC at {address}, served by {bridge.base_url}",
            f"Text models: {bridge.text.url if bridge.text else 'none (--text-url)'}",
            "",
            *_usage(bridge, address),
            "",
            "Ctrl-C ends it.",
        )
    )


def _usage(bridge: "Bridge", address: str) -> Iterator[str]:
    if bridge.certificate is None:
        yield f'AIStudio(..., endpoint="{address}", verify=False) uses it; auth is an API key of imagegate.'
    else:
        yield "Programs use it unchanged where these are set; their auth is an API key of imagegate:"
        yield f"  export YC_API_ENDPOINT={address}"
        yield f"  export GRPC_DEFAULT_SSL_ROOTS_FILE_PATH={shlex.quote(str(bridge.certificate.roots))}"
