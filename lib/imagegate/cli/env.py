"""`imagegate env`: what the AWS CLI and SDKs need to talk to the embedded AWS."""

import json
import shlex
from typing import Annotated

import typer

from imagegate.cli.sentences import in_a_sentence
from imagegate.cli.target import DEFAULT_STATE, Local, StateDir, local_access
from imagegate.domain.errors import MisconfiguredError

_MISLEADING = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that take precedence over the key when they are set."""


def env(
    local: Local = False,
    state_dir: StateDir = DEFAULT_STATE,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the variables for the AWS CLI and SDKs, with the root key: eval "$(imagegate env --local)"."""
    with in_a_sentence():
        if not local:
            raise MisconfiguredError("Your AWS account has its own. Add --local for what 'imagegate serve' runs.")
        variables = local_access(state_dir).variables()
    if json_:
        typer.echo(json.dumps(variables))
        return
    typer.echo("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
    typer.echo(f"unset {' '.join(_MISLEADING)}")
