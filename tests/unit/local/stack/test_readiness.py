"""Waiting for the first answer, from a front door on loopback."""

import pytest

from imagegate.local.front_door import FrontDoor
from imagegate.local.stack.readiness import NotAnswering, wait_until_answering
from support.scripted_ministack import Answer, ScriptedMiniStack, served

NOT_YET = Answer(503, {"content-type": "application/json"}, b"{}")


def wait_for(script: ScriptedMiniStack, seconds: float) -> None:
    door = FrontDoor()
    with served(script) as ministack, served(door) as running:
        door.open(ministack.url, "abcd1234")
        wait_until_answering(running.url, seconds)


def test_it_asks_on_the_way_of_every_client_until_there_is_an_answer() -> None:
    script = ScriptedMiniStack([NOT_YET, NOT_YET, Answer()])
    wait_for(script, 60)
    assert [asked.target for asked in script.asked] == ["/_aws/execute-api/abcd1234/$default/health"] * 3


def test_without_an_answer_it_says_what_to_do() -> None:
    with pytest.raises(NotAnswering, match=r"not answered after 0 s \(HTTP Error 503: .*\)\. Start it again when"):
        wait_for(ScriptedMiniStack([NOT_YET]), 0)
