"""`imagegate deploy` and `imagegate destroy`."""

from pathlib import Path
from typing import Annotated

import typer

from imagegate.cli.sentences import in_a_sentence
from imagegate.cli.serve import SOURCE
from imagegate.cli.target import DEFAULT_STAGE, Stage

Assignments = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Parameters, over those of the file.")
]
File = Annotated[
    Path | None, typer.Option("--file", help="Parameters, as TOML.  [default: infra/stages/STAGE.toml if it is there]")
]
Words = Annotated[
    str, typer.Option("--parameters", envvar="PARAMETERS", hidden=True, help="NAME=VALUE NAME=VALUE, as make has it.")
]
Check = Annotated[bool, typer.Option("--check", help="Check parameters and account; deploy nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def deploy(
    assignments: Assignments = None,
    stage: Stage = DEFAULT_STAGE,
    file: File = None,
    parameters: Words = "",
    check: Check = False,
) -> None:
    """Build and deploy to your AWS account. Run it again to update."""
    with in_a_sentence():
        from imagegate.cli.deploy.deployment import DeployCommand

        deployment = DeployCommand(SOURCE, stage)
        deployment.choose(file, parameters, assignments or ())
        deployment.ask_first()
        if not check:
            deployment.run()


def destroy(stage: Stage = DEFAULT_STAGE, yes: Yes = False) -> None:
    """Remove a deployment from AWS. Table, bucket and secrets stay, and are listed."""
    with in_a_sentence():
        from imagegate.cli.deploy.removal import Removal

        removal = Removal(stage)
        if not yes:
            typer.confirm(removal.question(), abort=True)
        removal.run()
