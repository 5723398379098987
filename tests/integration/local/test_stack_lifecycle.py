"""Starting, stopping, killing and changing a small embedded stack (the one in `stack/`)."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from imagegate.local.ministack.process import MiniStackProcess
from imagegate.local.ports import listen
from imagegate.local.stack.deployment import Deployer, DeploymentError
from imagegate.local.stack.root_access import RootAccess
from imagegate.local.stack.settings import StackSettings, StandIns
from imagegate.local.stack.stack import Stack, StackError
from imagegate.local.state_folder import StateFolder

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.xdist_group("stack")]

DEADLINE_SECONDS = 20.0


class Visitor:
    """A client of the small stack's API."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.base_url

    def put(self, path: str, text: str = "") -> None:
        httpx.put(f"{self._url}{path}", content=text, headers={"content-type": "text/plain"}).raise_for_status()

    def get(self, path: str) -> Any:
        return httpx.get(f"{self._url}{path}", timeout=30).raise_for_status().json()


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait until the condition holds and return what it returned."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    pytest.fail(f"{what}: not within {DEADLINE_SECONDS:.0f} s")


def item(stack: Stack, name: str) -> dict[str, Any] | None:
    key = {"pk": {"S": name}}
    return stack.client("dynamodb").get_item(TableName=stack.outputs["TableName"], Key=key).get("Item")  # type: ignore[no-any-return]


def counted(stack: Stack) -> int:
    """How many changes of the table reached the function behind its stream."""
    found = item(stack, "count")
    return int(found["changes"]["N"]) if found else 0


def start_note(stack: Stack, name: str, seconds: int) -> None:
    """Start the workflow that waits (a hundredth of) `seconds` and then writes the item `name`."""
    stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"],
        name=name,
        input=json.dumps({"id": name, "seconds": seconds}),
    )


def saved(stack: Stack, text: str) -> Callable[[], bool]:
    """Whether the state on disk contains `text`."""
    return lambda: stack.folder.snapshot.exists() and text in stack.folder.snapshot.read_text()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_serves_what_the_template_says(settings: StackSettings) -> None:
    with Stack(settings) as stack:
        assert stack.change == "created"
        assert Visitor(stack).get("/versions") == {"code": "1", "layer": "1", "greeting": "hello"}
        assert Visitor(stack).get("/operations/a%3Ab:cancel?x=%2F")["rawPath"] == "/operations/a:b:cancel"
        Visitor(stack).put("/notes/n1")
        until(lambda: item(stack, "n1"), "the workflow writes its note")


def test_after_a_stop_it_goes_on_where_it_was_and_deploys_nothing(settings: StackSettings) -> None:
    with Stack(settings) as stack:
        for name in ("a", "b", "c"):
            Visitor(stack).put(f"/things/{name}", name)
        until(lambda: counted(stack) >= 3, "the stream is read")
        start_note(stack, "under-way", seconds=200)
        first_api = stack.api_id
    with Stack(settings) as stack:
        assert (stack.change, stack.api_id) == ("unchanged", first_api)
        assert Visitor(stack).get("/things/b") == {"item": "b", "object": "b"}
        before = counted(stack)
        Visitor(stack).put("/things/d")
        until(lambda: counted(stack) > before, "the stream goes on after a restart")
        until(lambda: item(stack, "under-way"), "the interrupted workflow comes to its end")


def test_a_killed_ministack_is_started_again_and_goes_on(settings: StackSettings, said: list[str]) -> None:
    with Stack(settings) as stack:
        Visitor(stack).put("/things/kept", "one")
        start_note(stack, "under-way", seconds=200)
        until(saved(stack, "under-way"), "the state is saved")
        killed, endpoint = stack.ministack.pid, stack.aws_endpoint
        assert killed
        os.kill(killed, signal.SIGKILL)
        until(lambda: stack.ministack.pid not in (killed, None), "a new MiniStack")
        until(lambda: httpx.get(f"{stack.base_url}/versions", timeout=30).is_success, "the front door leads to it")
        assert Visitor(stack).get("/things/kept") == {"item": "one", "object": "one"}
        assert stack.aws_endpoint == endpoint
        until(lambda: item(stack, "under-way"), "the interrupted workflow comes to its end")
    assert said == ["MiniStack ended (signal 9); starting it again on the saved state"]


def test_a_ministack_that_keeps_dying_is_given_up(settings: StackSettings, said: list[str]) -> None:
    with Stack(settings) as stack:
        stack.folder.snapshot.write_text("{")
        assert stack.ministack.pid
        os.kill(stack.ministack.pid, signal.SIGKILL)
        assert stack.watchdog.gave_up.wait(DEADLINE_SECONDS)
    assert any("cannot be read" in line for line in said)
    with pytest.raises(StackError, match=r"the saved state .* cannot be read"):
        Stack(settings).start()


def test_a_killed_parent_leaves_no_orphan_and_loses_nothing(settings: StackSettings, tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import sys, time, httpx\n"
        "from pathlib import Path\n"
        "from imagegate.local.stack.stack import Stack\n"
        "from imagegate.local.stack.settings import StackSettings\n"
        "template, state = map(Path, sys.argv[1:])\n"
        "stack = Stack(StackSettings(template=template, state=state, port=0, ministack_port=0, name='small'))\n"
        "stack.start()\n"
        "httpx.put(stack.base_url + '/things/last', content='x', headers={'content-type': 'text/plain'})\n"
        "print(stack.ministack.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, str(program), str(settings.template), str(settings.state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        ministack = int(parent.stdout.readline())
        parent.kill()
    until(lambda: not alive(ministack), "MiniStack ends with its parent")
    with Stack(settings) as stack:
        assert Visitor(stack).get("/things/last") == {"item": "x", "object": "x"}


def test_a_taken_port_is_named(settings: StackSettings) -> None:
    with listen(0) as other:
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is taken.*--port"):
            Stack(replace(settings, port=port)).start()
    StateFolder(settings.state).lock().close()


def test_a_second_instance_on_the_same_state_is_refused(settings: StackSettings) -> None:
    folder = StateFolder(settings.state)
    folder.create()
    with folder.lock(), pytest.raises(StackError, match=f"in use by process {os.getpid()}"):
        Stack(settings).start()


def test_other_ports_give_way_and_are_remembered(settings: StackSettings) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    template = settings.template.read_text().replace("  Greeting:", "  StandInUrl: {Type: String}\n  Greeting:")
    settings.template.write_text(template.replace("GREETING: !Ref Greeting", "GREETING: !Ref StandInUrl"))
    with listen(0) as other:
        other.listen()
        taken = other.getsockname()[1]
        stand_ins = StandIns(app)
        with_stand_ins = replace(settings, ministack_port=taken, upstreams_port=taken, stand_ins=stand_ins)
        with Stack(with_stand_ins) as stack:
            endpoint, upstreams = stack.aws_endpoint, stack.upstreams_url
            assert not endpoint.endswith(str(taken))
            assert Visitor(stack).get("/versions")["greeting"] == upstreams
    with Stack(with_stand_ins) as stack:
        assert (stack.aws_endpoint, stack.upstreams_url, stack.change) == (endpoint, upstreams, "unchanged")


def test_a_failed_creation_is_explained_and_the_next_start_repairs_it(settings: StackSettings, said: list[str]) -> None:
    good = settings.template.read_text()
    foreign_layer = "Handler: count.handler\n      Layers: [arn:aws:lambda:us-east-1:1:layer:foreign:1]"
    settings.template.write_text(good.replace("Handler: count.handler", foreign_layer))
    with pytest.raises(StackError, match=r"Count \(AWS::Lambda::Function\)"):
        Stack(settings).start()
    settings.template.write_text(good)
    with Stack(settings) as stack:
        assert Visitor(stack).get("/versions")["code"] == "1"
    assert said == ["removing what a failed creation left (ROLLBACK_COMPLETE)"]


@dataclass(frozen=True)
class KillingAccess(RootAccess):
    """Kills MiniStack as soon as it has begun to create the stack."""

    pid: int

    def client(self, service: str) -> Any:
        client = super().client(service)
        begun, kill = "after-call.cloudformation.CreateStack", lambda **_: os.kill(self.pid, signal.SIGKILL)
        client.meta.events.register(begun, kill)
        return client


def test_a_kill_in_the_middle_of_the_creation_is_repeated_by_the_next_start(settings: StackSettings) -> None:
    folder = StateFolder(settings.state)
    folder.create()
    ministack = MiniStackProcess(folder=folder, listener=listen(0))
    ministack.start()
    assert ministack.pid
    deployer = Deployer(
        access=KillingAccess(ministack.endpoint, folder.root_credentials(), ministack.pid),
        template=settings.template,
        stack_name=settings.name,
    )
    with pytest.raises(DeploymentError, match="MiniStack"):
        deployer.deploy()
    ministack.stop()
    with Stack(settings) as stack:
        assert (stack.change, Visitor(stack).get("/versions")["code"]) == ("created", "1")


def test_changed_code_is_picked_up_by_the_next_start_and_the_data_stays(settings: StackSettings, project: Path) -> None:
    with Stack(settings) as stack:
        Visitor(stack).put("/things/old", "kept")
    for path in (project / "functions/web.py", project / "lib/shelf/__init__.py"):
        path.write_text(path.read_text().replace('VERSION = "1"', 'VERSION = "2"'))
    changed = replace(settings, parameters={"Greeting": "moin"})
    with Stack(changed) as stack:
        assert stack.change == "updated"
        assert Visitor(stack).get("/versions") == {"code": "2", "layer": "2", "greeting": "moin"}
        assert Visitor(stack).get("/things/old") == {"item": "kept", "object": "kept"}
