"""What `imagegate deploy` and `imagegate destroy` show."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import typer

from imagegate.cli.deploy.account import AwsAccount
from imagegate.cli.deploy.remains import Remains
from imagegate.cli.progress import working
from imagegate.cli.sentences import command


def say(line: str = "") -> None:
    """Show a line at once: programs that run in between write to the same place."""
    typer.echo(line)


def warn(lines: Iterable[str]) -> None:
    """Show what will cause trouble."""
    for line in lines:
        typer.echo(typer.style("! ", fg="yellow") + line)


@dataclass
class DeploySteps:
    """The steps of a run, numbered, so that it is seen what is left."""

    total: int
    done: int = 0

    @contextmanager
    def step(self, name: str, quiet: bool = True) -> Iterator[None]:
        """Show a step before it begins, while it lasts, and its seconds when it is done.

        `quiet`: false when programs write to the terminal meanwhile.
        """
        began, self.done = time.monotonic(), self.done + 1
        say(f"==> {self.done} of {self.total}: {name}")
        with working(name) if quiet else nullcontext():
            yield
        say(f"==> {name}: done in {time.monotonic() - began:.0f} s")

    def further(self, name: str) -> AbstractContextManager[None]:
        """A step that turned out to be necessary."""
        self.total += 1
        return self.step(name)


def show_target(stack: str, account: AwsAccount, lines: Sequence[str]) -> None:
    """Show where a deployment goes, and with which parameters."""
    say(f"{stack} in account {account.id}, {account.region}, as {account.arn}")
    for line in lines:
        say(f"  {line}")


def addresses(outputs: Mapping[str, str]) -> list[str]:
    """Where a deployment answers."""
    long_hold = outputs.get("LongHoldUrl")
    return [
        f"It answers at {outputs['ApiUrl']}",
        f"OpenAI clients: base_url {outputs['OpenAiBaseUrl']}",
        *([f"Clients that follow no redirect: {long_hold}"] if long_hold else []),
    ]


def next_steps(outputs: Mapping[str, str], options: str, keys: bool) -> list[str]:
    """What to do with a new deployment: commands to copy.

    `options`: what makes a command work on it, a blank first. `keys`: it asks for API keys.
    """
    url, key = outputs["ApiUrl"], ' -H "Authorization: Bearer $IMAGEGATE_API_KEY"' if keys else ""
    create = f"{command()} keys create{options} --name first"
    first = ["An API key:", f"  export IMAGEGATE_API_KEY=$({create})", ""] if keys else []
    body = '{"model": "flux", "prompt": "a red fox in the snow"}'
    picture = f"curl -sL {url}/v1/images/generations -H 'Content-Type: application/json'{key} -d '{body}'"
    others = f"  {command()} secrets set{options} OPENAI_API_KEY"
    return [
        "",
        *first,
        "A picture:",
        f"  {picture}",
        "",
        "Models of providers that want a credential (docs/models.md):",
        others,
    ]


def show_remains(remains: Sequence[Remains]) -> None:
    """Show what AWS keeps, at a cost, and how to remove it."""
    if not remains:
        say("AWS keeps nothing of it.")
        return
    say("AWS keeps these, and charges for their storage, until you remove them:")
    for remain in remains:
        say(f"  {remain.what}")
        for line in remain.commands:
            say(f"    {line}")
