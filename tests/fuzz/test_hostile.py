"""A small part of `make bench NAME=hostile`, with another seed."""

import pytest

from support.forgery import besiege
from support.fuzz_server import gateway
from support.hostile import KINDS, requests
from support.hostile_cases import OPERATIONS, each_case
from support.hostile_pages import KIND, invocation
from support.hostile_pictures import BAD, KIND_BENT, KIND_MADE, KIND_SENT, lay_pictures
from support.hostile_polyglots import POLYGLOTS, lay_polyglots
from support.siege import Siege, captured, lay_in_batches
from support.smuggling import RAW, attempt

pytestmark = pytest.mark.slow

SEED = 2
COUNT = 600


def test_hostile_requests_get_an_answer_and_leave_no_trace() -> None:
    siege = Siege()
    lay_in_batches(siege, COUNT, lambda at, count, key: requests(SEED * COUNT + at, count, key))
    assert siege.complaints == []
    assert set(siege.tried) == set(KINDS)
    assert {200, 303, 400, 401, 404, 405, 413} <= set(siege.statuses), "the road behind the refusals is walked too"


def test_what_schemathesis_makes_up_is_answered() -> None:
    siege = Siege()
    made, key = gateway()
    each_case(8 * len(OPERATIONS), key, lambda entry: siege.lay(made, key, [entry]))
    assert siege.complaints == []
    assert set(siege.tried) == {"schemathesis, negative", "schemathesis, positive"}


@pytest.mark.parametrize("trick", RAW)
def test_no_second_request_is_smuggled_through_the_front_door(trick: str) -> None:
    made, _ = gateway()
    with captured() as log:
        assert attempt(made.app, RAW[trick])[1] == []
    assert "Traceback" not in log.getvalue()


def test_forged_events_send_nothing_of_their_own() -> None:
    siege = Siege()
    besiege(siege, COUNT, SEED)
    assert siege.complaints == []
    assert siege.tried["forged event"] == COUNT


def test_of_what_a_web_page_sends_nothing_passes_and_programs_go_on() -> None:
    siege = Siege()
    invocation(siege, COUNT // 4, SEED)
    assert siege.complaints == []
    assert siege.tried[KIND] == COUNT // 2
    assert min(siege.statuses[200], siege.statuses[403]) > COUNT // 16


def test_hostile_pictures_are_refused_in_words() -> None:
    siege = Siege()
    lay_pictures(siege, COUNT // 2, SEED)
    assert siege.complaints == []
    assert siege.tried[KIND_MADE] == siege.tried[KIND_SENT] == len(BAD)
    assert siege.statuses.keys() == {400}
    assert siege.tried[KIND_BENT] > COUNT // 4


def test_of_pictures_with_another_file_behind_them_the_picture_is_stored() -> None:
    siege = Siege()
    lay_polyglots(siege)
    assert siege.complaints == []
    assert set(siege.tried.values()) == {len(POLYGLOTS)}
    # As input pictures, GIF and AVIF are refused.
    assert siege.statuses.keys() == {202, 400}
