"""The embedded stack: MiniStack with the project's template, the stand-in upstreams and the front door."""

import logging
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

import boto3

from imagegate.local.event_stream import COMMENT_SECONDS
from imagegate.local.front_door import FUNCTION_URL, FrontDoor
from imagegate.local.ministack.process import MiniStackError, MiniStackProcess
from imagegate.local.origin_policy import OriginGuard, OriginPolicy, parse_origins
from imagegate.local.ports import PortTaken, listen, listen_on_first_free
from imagegate.local.public_address import PublicAddress
from imagegate.local.stack.deployment import Deployed, Deployer, DeploymentError
from imagegate.local.stack.packaging import PackagingError
from imagegate.local.stack.root_access import RootAccess
from imagegate.local.stack.secrets import provide_secrets
from imagegate.local.stack.server_thread import ServerThread
from imagegate.local.stack.settings import LONG_HOLD_PORT, StackSettings, TemplateParameter
from imagegate.local.stack.watchdog import Watchdog
from imagegate.local.state_folder import TO_ACCEPT, FolderInUse, StateFolder


class StackError(Exception):
    """The stack cannot run; the message says why and what to do about it."""


class Stack:
    """An embedded stack. Use it as a context manager, or call `start` and `stop`."""

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        self.folder = StateFolder(settings.state.absolute())
        self._running = ExitStack()
        self._origins = parse_origins(settings.parameters.get(TemplateParameter.CORS_ORIGINS, "").split(","))
        self._door = FrontDoor(
            time_scale=settings.time_scale,
            origins=self._origins,
            shortage=partial(self.folder.shortage, TO_ACCEPT),
            public=PublicAddress(settings.public_url) if settings.public_url else None,
            comment_seconds=COMMENT_SECONDS,
        )
        self._long_hold_door = replace(self._door, entrance=FUNCTION_URL)
        self._deployed = Deployed({}, "", "")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when it serves. After an error nothing is left running.

        Raises:
            StackError: what failed, and what to do.
        """
        try:
            self._start()
        except (FolderInUse, MiniStackError, PackagingError, DeploymentError, OSError) as error:
            self.stop()
            raise StackError(str(error)) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, in the reverse order; the state is kept. Does nothing when nothing runs."""
        self._running.close()

    def wait(self) -> None:
        """Return when the stack has ended by itself: MiniStack cannot be kept running."""
        while not self.watchdog.gave_up.wait(1.0):  # a wait without limit would hold back Ctrl-C
            pass

    @property
    def base_url(self) -> str:
        """The front door: what clients talk to."""
        return self.front_door.url

    @property
    def long_hold_url(self) -> str | None:
        """The address that holds requests without redirects; None where the parameter LongHold is off."""
        return self.long_hold.url if self.long_hold else None

    @property
    def aws_endpoint(self) -> str:
        """MiniStack's URL, for `endpoint_url`."""
        return self.ministack.endpoint

    @property
    def outputs(self) -> Mapping[str, str]:
        """The template's Outputs."""
        return self._deployed.outputs

    @property
    def api_id(self) -> str:
        """The id of the HTTP API."""
        return self._deployed.api_id

    @property
    def change(self) -> str:
        """What the start did to the CloudFormation stack: "created", "updated" or "unchanged"."""
        return self._deployed.change

    @property
    def upstreams_url(self) -> str | None:
        """The stand-in upstreams' base URL; None without stand-ins."""
        return self.upstreams.url if self.upstreams else None

    def session(self) -> boto3.Session:
        """Return a boto3 session with the root key; pass `aws_endpoint` to its clients."""
        return self._access().session()

    def client(self, service: str) -> Any:
        """Return a boto3 client with the root key."""
        return self._access().client(service)

    def open_door(self, door: FrontDoor, function_id: str | None = None) -> None:
        """Connect a front door, for example a test's own, to the HTTP API, or to the function URL of that id."""
        target = self.api_id if function_id is None else function_id
        token = self.folder.root_credentials().door_token
        door.open(self.aws_endpoint, target, token, self.outputs.get("BucketName", ""))

    def _access(self) -> RootAccess:
        return RootAccess(self.aws_endpoint, self.folder.root_credentials())

    def _start(self) -> None:
        step = self.settings.step
        self.folder.create()
        self._running.enter_context(self.folder.lock())
        self._log_to_file()
        self._take_ports()
        if self.upstreams:
            with step("stand-in upstreams"):  # first: what was under way goes on as soon as MiniStack runs
                self.upstreams.start()
        with step("MiniStack"):
            if aside := self.folder.set_aside_stray_objects():
                self.settings.say(f"found pictures without the state that knows them; moved them to {aside}")
            self._running.callback(self.watchdog.stop)
            self.ministack.start()
        with step("template"):
            self._deploy()
            provide_secrets(self.settings, self.outputs, self.client)
        self.watchdog.start()
        with step("front door"):
            self.front_door.start()
            if self.long_hold:
                self.long_hold.start()

    def _log_to_file(self) -> None:
        """Send what the servers of this process complain about to the log file, not to the terminal."""
        logger, handler = logging.getLogger("uvicorn.error"), logging.FileHandler(self.folder.log)
        logger.addHandler(handler)
        self._running.callback(handler.close)
        self._running.callback(logger.removeHandler, handler)

    def _take_ports(self) -> None:
        """Take the configured port for the front door, and for the others the ports used last, so that URLs stay valid.

        Raises:
            StackError: the front door's port, or the long-hold address's own, is taken.
        """
        settings, last = self.settings, self.folder.remembered_ports()
        self.front_door = self._serve(self._door, _listen(settings.port, "--port"), "front door")
        # A page that has followed a redirect from the gateway has the origin `null`.
        readers = self._origins | {"null"} if self._origins else frozenset()
        listener = listen_on_first_free(last.get("ministack", settings.ministack_port), settings.ministack_port)
        self.ministack = MiniStackProcess(
            folder=self.folder,
            listener=listener,
            environment=settings.environment,
            picture_origins=readers,
            upload_origins=self._senders(),
        )
        self._running.callback(self.ministack.stop)
        self.watchdog = Watchdog(self.ministack, self._deploy, settings.say)
        self.upstreams: ServerThread | None = None
        if settings.stand_ins:
            app = OriginGuard(settings.stand_ins.app, OriginPolicy())
            listener = listen_on_first_free(last.get("upstreams", settings.upstreams_port), settings.upstreams_port)
            self.upstreams = self._serve(app, listener, "upstreams")
        self.long_hold: ServerThread | None = None
        if settings.parameters.get(TemplateParameter.LONG_HOLD) == "on":
            if settings.long_hold_port is None:
                listener = listen_on_first_free(last.get("long_hold", LONG_HOLD_PORT), LONG_HOLD_PORT)
            else:
                listener = _listen(settings.long_hold_port, "--long-hold-port")
            self.long_hold = self._serve(self._long_hold_door, listener, "long-hold address")
        servers = {"ministack": self.ministack, "upstreams": self.upstreams, "long_hold": self.long_hold}
        self.folder.remember_ports(last | {name: server.port for name, server in servers.items() if server})

    def _senders(self) -> dict[str, str]:
        """Origins whose pages may send large pictures to the bucket, and what the template calls each of them."""
        own = self.settings.public_url or self.base_url
        names = (own.lower(), self.base_url, self.base_url.replace("127.0.0.1", "localhost"))
        return {origin: origin for origin in self._origins} | dict.fromkeys(names, own)

    def _serve(self, app: Any, listener: socket.socket, name: str) -> ServerThread:
        """A server that is not started yet, and is stopped with the stack."""
        server = ServerThread(app, listener, name)
        self._running.callback(server.stop)
        return server

    def _deploy(self) -> None:
        """Bring the template to MiniStack, and the front door to its API; then let workflows go on."""
        settings = self.settings
        self._deployed = Deployer(
            access=self._access(),
            template=settings.template,
            stack_name=settings.name,
            parameters=self._parameters(),
            say=settings.say,
        ).deploy()
        self.open_door(self._door)
        # The URL is https://<id>.lambda-url.<region>.on.aws/.
        function_id = self.outputs.get("LongHoldUrl", "").removeprefix("https://").partition(".")[0]
        self.open_door(self._long_hold_door, function_id)
        self.ministack.resume()

    def _parameters(self) -> dict[str, str]:
        parameters = dict(self.settings.parameters)
        if self.settings.stand_ins and self.upstreams:
            parameters[TemplateParameter.STAND_IN_URL] = self.upstreams.url
        if TemplateParameter.PUBLIC_URL in parameters:
            parameters[TemplateParameter.PUBLIC_URL] = self.settings.public_url or self.base_url
        return parameters


def _listen(port: int, option: str) -> socket.socket:
    try:
        return listen(port)
    except PortTaken as taken:
        raise StackError(
            f"port {taken.port} is taken by another program (lsof -i :{taken.port} names it). "
            f"Stop that one, or choose another port with {option}."
        ) from None
