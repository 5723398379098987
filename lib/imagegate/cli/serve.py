"""`imagegate serve`: the whole gateway on this machine, without an AWS account or a key."""

import contextlib
import signal
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegate.cli.routes.options import Routes, default_file
from imagegate.cli.sentences import with_remedy
from imagegate.cli.target import DEFAULT_STATE, LOCAL_STAGE, local_options
from imagegate.domain.access.api_key import EVERYBODY

if TYPE_CHECKING:
    from imagegate.cli.serve_screen import ServeScreen
    from imagegate.local.stack.settings import StackSettings
    from imagegate.local.stack.stack import Stack

SOURCE = Path(__file__).resolve().parents[3]
"""The checkout this package lies in; its template.yaml is what is served."""

_WEBHOOKS = {"PublicUrl": "", "WebhookLoopback": "true"}
"""Parameters with which webhooks have links to this gateway, and may be sent to this machine."""
Port = Annotated[int, typer.Option(metavar="PORT", help="Port on 127.0.0.1; 0 for any free one.", min=0, max=65535)]
LongHoldPort = Annotated[
    int | None,
    typer.Option(
        metavar="PORT",
        help="For clients that follow no redirect; 1341 if free.",
        min=0,
        max=65535,
        show_default=False,
    ),
]
StateDir = Annotated[Path, typer.Option(metavar="DIR", help="Folder for operations and pictures.", file_okay=False)]
Live = Annotated[bool, typer.Option("--live", help="Use the real upstreams, with HF_TOKEN's quota.")]
Keys = Annotated[bool, typer.Option("--keys", help="Ask for API keys, as a deployment does.")]
Latency = Annotated[
    float, typer.Option(metavar="SECONDS", help="What a stand-in takes for a picture.", min=0, max=3600)
]
CorsOrigins = Annotated[
    list[str],
    typer.Option(
        "--cors-origin",
        metavar="ORIGIN",
        help="An origin whose web pages may call the gateway, such as http://localhost:3000; can be repeated.",
    ),
]
PublicUrl = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="Where a proxy or a container makes the gateway reachable, such as https://images.example.com.",
        show_default=False,
    ),
]

Sign = Annotated[bool, typer.Option("--sign", help="Sign pictures (C2PA); self-signed without a key.")]


def serve(
    port: Port = 1337,
    state_dir: StateDir = DEFAULT_STATE,
    live: Live = False,
    latency: Latency = 2.0,
    keys: Keys = False,
    long_hold_port: LongHoldPort = None,
    cors_origin: CorsOrigins = [],  # noqa: B006 - typer reads it, nothing changes it
    routes: Routes = None,
    public_url: PublicUrl = "",
    sign: Sign = False,
) -> None:
    """Serve the gateway on this machine until Ctrl-C.

    It comes with an embedded AWS and with stand-ins for the upstreams.
    """
    # Imported here, so that `imagegate --help` does not wait for an AWS SDK.
    from imagegate.cli.serve_screen import ServeScreen
    from imagegate.cli.signing import require_c2pa
    from imagegate.local.stack.stack import Stack

    if sign:
        require_c2pa()
    screen = ServeScreen(state_dir)
    settings = stack_settings(port, state_dir, live, latency, screen)
    parameters = {
        **settings.parameters,
        "Access": "keys" if keys else "open",
        "CorsOrigins": ",".join(map(_origin, cors_origin)),
        "Signing": "on" if sign else "off",
    }
    public = public_url and _origin(public_url.rstrip("/"), "--public-url", "https://images.example.com")
    settings = replace(settings, parameters=parameters, long_hold_port=long_hold_port, public_url=public)
    raise typer.Exit(_run(Stack(settings), screen, live, keys, routes or default_file()))


def stack_settings(port: int, state_dir: Path, live: bool, latency: float, screen: "ServeScreen") -> "StackSettings":
    """What `imagegate serve` runs. `latency`: seconds a stand-in takes; `live`: no stand-ins."""
    from imagegate.local.stack.settings import StackSettings, StandIns
    from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
    from imagegate.local.upstreams.chat import EXPANDER_PARAMETERS

    parameters = {"Stage": LOCAL_STAGE, "StandInUrl": "", "IntakeKey": EVERYBODY, "LongHold": "on"}
    parameters["KeyCacheSeconds"] = "1"  # a change of the routes file is seen at once
    return StackSettings(
        template=SOURCE / "template.yaml",
        state=state_dir,
        port=port,
        parameters={**parameters, **_WEBHOOKS, **({} if live else EXPANDER_PARAMETERS)},
        stand_ins=None if live else StandIns(build_app(latency_seconds=latency), STAND_IN_SECRETS),
        say=screen.say,
        step=screen.step,
    )


def _origin(text: str, option: str = "--cors-origin", example: str = "http://localhost:3000") -> str:
    from imagegate.local.public_address import ORIGIN

    if not ORIGIN.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not an origin. Write scheme, host and port, and no path: {example}", param_hint=option
        )
    return text.lower()


def _run(stack: "Stack", screen: "ServeScreen", live: bool, keys: bool, routes: Path | None) -> int:
    """Serve until interrupted (0) or until something fails (1)."""
    from imagegate.cli.routes.options import read_table
    from imagegate.cli.routes.watch import RoutesWatch
    from imagegate.cli.signing import provide_self_signed
    from imagegate.deployment import Deployment
    from imagegate.domain.errors import ImagegateError
    from imagegate.local.stack.readiness import NotAnswering, wait_until_answering
    from imagegate.local.stack.stack import StackError
    from imagegate.settings import of_stage

    _on_signals(_interrupt)
    watch = None
    try:
        if routes:
            read_table(routes)  # what is wrong is said before anything is started
        stack.start()
        deployment = Deployment(of_stage(LOCAL_STAGE, stack.outputs, local=True), stack.client)
        if routes:
            watch = RoutesWatch(routes, deployment.pushed_routes, screen.say)
            watch.start()
        if stack.settings.parameters["Signing"] == "on":
            options = local_options(stack.settings.state)
            signer = provide_self_signed(stack.client("ssm"), LOCAL_STAGE, options)
            screen.say(f"pictures are signed by {signer}")
        with screen.step("first answer"):
            wait_until_answering(stack.base_url)
        first_key, table = _first_key(stack) if keys else None, deployment.route_tables.current()
        screen.running(stack.base_url, live, keys, first_key, stack.long_hold_url, table, routes)
        stack.wait()
        return 1
    except (StackError, NotAnswering, ImagegateError) as error:
        screen.failed(with_remedy(error))
        return 1
    except KeyboardInterrupt:
        screen.stopping()
        return 0
    except Exception as error:
        screen.failed(f"{error!r}, which is an error in imagegate; {stack.folder.log} has the details.")
        _note(stack.folder.log)
        return 1
    finally:
        _on_signals(signal.SIG_IGN)  # a second Ctrl-C must not cut the stop short
        if watch:
            watch.stop()
        stack.stop()
        screen.stopped()


def _first_key(stack: "Stack") -> str | None:
    """A key for a stack that has none yet; `None` when there are some."""
    from imagegate.deployment import Deployment
    from imagegate.domain.access.api_key import issue
    from imagegate.settings import of_stage

    keys = Deployment(of_stage(LOCAL_STAGE, stack.outputs), stack.client).api_keys
    if keys.every():
        return None
    key, text = issue("first", time.time())
    keys.put(key)
    return text


def _note(log: Path) -> None:
    with contextlib.suppress(OSError), log.open("a") as file:
        traceback.print_exc(file=file)


def _on_signals(handler: Any) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, handler)


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt
