"""`imagegate signing`: the certificate that signs pictures, in SSM Parameter Store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegate.cli.sentences import command, hint, in_a_sentence
from imagegate.cli.target import DEFAULT_STAGE, DEFAULT_STATE, Local, Stage, StateDir, target
from imagegate.domain.errors import InvalidRequest, MisconfiguredError
from imagegate.settings import signing_parameter

if TYPE_CHECKING:
    from imagegate.adapters.signing_identity import SigningPem

SOON = timedelta(days=30)
"""Before a certificate's end; authorities take weeks."""
signing_app = typer.Typer(help="The certificate that signs pictures (C2PA), kept in SSM.", no_args_is_help=True)

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE...", help="PEM: the certificates, the signer's own first, and its key.", dir_okay=False
    ),
]
SelfSigned = Annotated[bool, typer.Option("--self-signed", help="Make one, which no viewer trusts, to try it.")]


@signing_app.command("set")
def set_certificate(
    files: Files = None,
    self_signed: SelfSigned = False,
    stage: Stage = DEFAULT_STAGE,
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
) -> None:
    """Set the certificate and its private key. Without a key in the files, SigningKeyArn has to name one in KMS."""
    with in_a_sentence():
        if bool(files) == self_signed:
            raise InvalidRequest(
                "Name the PEM files, or --self-signed.", remedy="For example: signing set chain.pem key.pem"
            )
        pem = "\n".join(map(_read, files or [])) or _self_signed()
        found = _parsed(pem)
        where = target(stage, local, state_dir)
        _put(where.client("ssm"), signing_parameter(where.stage), pem)
    hint(f"Set {signing_parameter(where.stage)}: {_described(found)}.")
    if found.key is None:
        hint("It has no private key: deploy with SigningKeyArn, the key in AWS KMS.")
    hint(
        "Pictures are signed in deployments with Signing on; functions that are running go on with what they had read."
    )


@signing_app.command("show")
def show_certificate(stage: Stage = DEFAULT_STAGE, local: Local = False, state_dir: StateDir = DEFAULT_STATE) -> None:
    """Show who signs, until when, and where the key is; never the key."""
    with in_a_sentence():
        where = target(stage, local, state_dir)
        pem = read_certificate(where.client("ssm"), where.stage)
        if pem is None:
            raise MisconfiguredError(f"No certificate is set: {command()} signing set chain.pem key.pem{where.options}")
        found = _parsed(pem)
    typer.echo(_described(found))


def require_c2pa() -> None:
    """Raise BadParameter with what to install, if the package that signs is missing."""
    from importlib.util import find_spec

    if find_spec("c2pa") is None:
        raise typer.BadParameter("needs the package c2pa-python. Install it with: make c2pa", param_hint="--sign")


def read_certificate(client: Any, stage: str) -> str | None:
    """The PEM text of the stage; `None` where none is set."""
    try:
        answer = client.get_parameter(Name=signing_parameter(stage), WithDecryption=True)
    except client.exceptions.ParameterNotFound:
        return None
    text: str = answer["Parameter"]["Value"]
    return text


def provide_self_signed(client: Any, stage: str, options: str = " --local") -> str:
    """Set a self-signed certificate where there is none, or where one ends soon; say whose it is that signs.

    `options`: those of the commands for this stack. Raises InvalidRequest for a certificate of the user's own that
    cannot be used.
    """
    from imagegate.local.signing_chain import is_made_here

    pem, replaced = read_certificate(client, stage), ""
    if pem is not None:
        try:
            leaf = _readable(pem).certificates[0]
            if not is_made_here(leaf) or leaf.not_valid_after_utc > datetime.now(UTC) + SOON:
                return _described(_parsed(pem))
        except InvalidRequest as error:
            set_it = f"{command()} signing set{options} chain.pem key.pem"
            error.remedy = f"Serve without --sign, set a new one with '{set_it}', and serve again."
            raise
        replaced = f"; it replaces one that is valid until {leaf.not_valid_after_utc:%Y-%m-%d}"
    pem = _self_signed()
    _put(client, signing_parameter(stage), pem)
    return f"{_described(_parsed(pem))}{replaced}"


def _put(client: Any, name: str, pem: str) -> None:
    # A chain may be longer than the 4 KB of a standard parameter.
    client.put_parameter(Name=name, Value=pem, Type="SecureString", Overwrite=True, Tier="Intelligent-Tiering")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")  # a comment in PEM may be in any language
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.", remedy="Name the PEM files.") from None


def _self_signed() -> str:
    from imagegate.local.signing_chain import make_chain

    return make_chain()


def _parsed(pem: str) -> "SigningPem":
    found = _readable(pem)
    leaf = found.certificates[0]
    if leaf.not_valid_after_utc < datetime.now(UTC):
        raise InvalidRequest(
            f"The certificate of {leaf.subject.rfc4514_string()} expired on {leaf.not_valid_after_utc:%Y-%m-%d}.",
            remedy=f"Ask its authority for a new one, and set it with '{command()} signing set'.",
        )
    return found


def _readable(pem: str) -> "SigningPem":
    from imagegate.adapters.signing_identity import UnusableIdentity, parse_signing_pem

    try:
        return parse_signing_pem(pem)
    except UnusableIdentity as error:
        raise InvalidRequest(f"Cannot be used: {error}.", remedy="Name a chain and its key as PEM.") from None


def _described(found: "SigningPem") -> str:
    leaf = found.certificates[0]
    key = "private key beside it" if found.key is not None else "private key elsewhere"
    return (
        f"{leaf.subject.rfc4514_string()}, issued by {leaf.issuer.rfc4514_string()}, "
        f"valid until {leaf.not_valid_after_utc:%Y-%m-%d}, {key}"
    )
