"""Latencies, admission and telemetry: what is remembered of providers."""

import io
import json
from dataclasses import replace

import boto3
import pytest

from imagegate.adapters import dynamodb_circuits, dynamodb_latencies
from imagegate.adapters.dynamodb_admission import DynamoDBAdmission
from imagegate.adapters.dynamodb_latencies import DynamoDBLatencies
from imagegate.adapters.emf_telemetry import EmfTelemetry
from imagegate.domain.failure import Failure, FailureCode
from imagegate.domain.operation.attempt import Attempt, AttemptState
from imagegate.domain.operation.operation import Operation, State
from imagegate.domain.request.request import ImageRequest, Message
from imagegate.domain.timing.circuit import FAILURES
from support.fakes import FakeClock


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch, mocked_aws: None) -> None:
    # Nothing is trusted for a while, nothing is left out by chance.
    monkeypatch.setattr(dynamodb_circuits, "_FRESH", 0.0)
    monkeypatch.setattr(dynamodb_latencies, "_FRESH", 0.0)
    monkeypatch.setattr(dynamodb_latencies, "_WRITES_PER_SECOND", float("inf"))
    boto3.client("dynamodb").create_table(
        TableName="operations",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )


def latencies() -> DynamoDBLatencies:
    return DynamoDBLatencies(boto3.client("dynamodb"), "operations", lambda name: 7.0)


def test_before_the_first_job_the_providers_own_word_is_taken() -> None:
    assert latencies().get("alpha", "m").expected_seconds == 7.0


def test_what_one_process_learns_another_knows() -> None:
    one = latencies()
    for _ in range(20):
        one.observe("alpha", "m", 40, 40)
    assert latencies().get("alpha", "m").quantile(0.5) == pytest.approx(40, rel=0.2)
    assert latencies().get("alpha", "other").count == 0
    one.censor("alpha", "m", 400)
    assert latencies().get("alpha", "m").survival(300) > 0


def test_under_load_only_some_observations_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_latencies, "_WRITES_PER_SECOND", 1.0)
    one = latencies()
    for _ in range(100):
        one.observe("alpha", "m", 5, 5)
    item = boto3.client("dynamodb").get_item(TableName="operations", Key={"pk": {"S": "latency#alpha#m"}})["Item"]
    assert 1 <= int(item["version"]["N"]) < 50


def test_an_observation_that_loses_a_race_is_dropped() -> None:
    one = latencies()
    read = one._read
    one._read = lambda provider, key: (*read(provider, key)[:1], 41, 0.0)  # type: ignore[method-assign]
    latencies().observe("alpha", "m", 5, 5)
    one.observe("alpha", "m", 5, 5)
    assert latencies().get("alpha", "m").count == pytest.approx(1, abs=0.01)


def admission(clock: FakeClock, per_minute: int | None = None) -> DynamoDBAdmission:
    return DynamoDBAdmission(boto3.client("dynamodb"), "operations", lambda name: per_minute, clock.now)


def test_healthy_providers_write_nothing() -> None:
    one = admission(FakeClock())
    assert one.admit("alpha") == 0.0
    one.report("alpha", None, "an operation")
    assert boto3.client("dynamodb").scan(TableName="operations")["Count"] == 0


def test_after_failures_in_a_row_a_provider_is_spared_by_every_process() -> None:
    clock = FakeClock()
    for number in range(FAILURES):
        admission(clock).report("alpha", FailureCode.UPSTREAM_FAILED, f"operation {number}")
    assert admission(clock).admit("alpha") > clock.now()
    assert admission(clock).admit("beta") == 0.0


def test_one_request_probes_and_its_success_closes_the_circuit() -> None:
    clock = FakeClock()
    for number in range(FAILURES):
        admission(clock).report("alpha", FailureCode.UPSTREAM_FAILED, f"operation {number}")
    clock.time = admission(clock).admit("alpha")
    assert admission(clock).admit("alpha") <= clock.now()
    assert admission(clock).admit("alpha") > clock.now()
    admission(clock).report("alpha", None, "another")
    assert admission(clock).admit("alpha") == 0.0


def test_refused_prompts_do_not_open_a_circuit() -> None:
    clock = FakeClock()
    for number in range(3 * FAILURES):
        admission(clock).report("alpha", FailureCode.CONTENT_FILTERED, f"operation {number}")
    assert admission(clock).admit("alpha") == 0.0


def test_a_providers_rate_limit_holds_over_all_processes() -> None:
    clock = FakeClock(time=1_800_000_030.0)
    assert [admission(clock, per_minute=3).admit("alpha") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert admission(clock, per_minute=3).admit("alpha") == 1_800_000_060.0
    clock.time += 30
    assert admission(clock, per_minute=3).admit("alpha") == 0.0


def ended(state: State, attempt: Attempt) -> Operation:
    request = ImageRequest(model="flux", messages=(Message("a secret prompt"),))
    made = Operation(
        id="0" * 20, owner="me", dialect="openai_images", request=request, created_at=100.0, deadline=900.0, due_at=60.0
    )
    return replace(made, state=state, ended_at=110.0, attempts=(attempt,))


def test_figures_are_embedded_metrics_and_never_carry_the_prompt() -> None:
    out = io.StringIO()
    telemetry = EmfTelemetry(FakeClock().now, out)
    done = Attempt(
        number=1, provider="alpha", model="m", slots=(0,), state=AttemptState.DONE, started_at=101.0, ended_at=109.0
    )
    failure = Failure(FailureCode.AMBIGUOUS, "a secret reason")
    unknown = Attempt(
        number=2,
        provider="beta",
        model="m",
        slots=(0,),
        state=AttemptState.UNKNOWN,
        started_at=101.0,
        ended_at=109.0,
        failure=failure,
    )
    telemetry.attempt(ended(State.RUNNING, done), done, poll_count=3, unseen=1.5)
    telemetry.attempt(ended(State.RUNNING, unknown), unknown)
    telemetry.ended(replace(ended(State.FAILED, unknown), failure=failure))
    telemetry.ended(replace(ended(State.FAILED, unknown), queued_at=103.0))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert "secret" not in out.getvalue()
    upstream, failed, operation, why, retried = lines
    assert (upstream["UpstreamSeconds"], upstream["Provider"]) == (8.0, "alpha")
    assert (upstream["Polls"], upstream["DetectionSeconds"]) == (3.0, 1.5)
    assert (operation["OperationSeconds"], operation["Operations"], operation["State"]) == (10.0, 1.0, "failed")
    assert retried["OperationSeconds"] == 7.0, "since it was tried again"
    assert (why["OperationFailures"], why["Code"]) == (1.0, "ambiguous")
    assert (failed["AttemptFailures"], failed["UnknownSubmissions"], failed["Code"]) == (1.0, 1.0, "ambiguous")
    for line in lines:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [[]], "each value of a dimension would be a metric of its own"
        assert {metric["Name"] for metric in directive["Metrics"]} <= set(line)
        assert line["operation"] == "0" * 20


def test_a_sweep_that_finds_nothing_writes_no_metric() -> None:
    out = io.StringIO()
    telemetry = EmfTelemetry(FakeClock().now, out)
    telemetry.swept(0, 0.0)
    assert not out.getvalue(), "a metric costs $0.30 a month, also while nothing happens"
    telemetry.swept(1, 12.0)
    line = json.loads(out.getvalue())
    assert (line["Restarted"], line["OverdueSeconds"]) == (1.0, 12.0)


def test_one_operation_that_fails_again_and_again_does_not_open_a_circuit() -> None:
    """Its prompt may be at fault; everybody else's operations waited."""
    clock = FakeClock()
    for _ in range(3 * FAILURES):
        admission(clock).report("alpha", FailureCode.UPSTREAM_FAILED, "the same")
    assert admission(clock).admit("alpha") == 0.0


def failed_in_a_row(clock: FakeClock) -> None:
    for number in range(FAILURES):
        admission(clock).report("alpha", FailureCode.UPSTREAM_FAILED, f"operation {number}")


def test_of_two_processes_that_would_probe_at_once_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_circuits, "_FRESH", 60.0)
    clock = FakeClock()
    failed_in_a_row(clock)
    one, two = admission(clock), admission(clock)
    clock.time = max(one.admit("alpha"), two.admit("alpha"))
    assert one.admit("alpha") <= clock.now()
    assert two.admit("alpha") > clock.now()


def test_failures_that_two_processes_report_at_once_both_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_circuits, "_FRESH", 60.0)
    one, two = admission(FakeClock()), admission(FakeClock())
    for process in (one, two):
        process.admit("alpha")
    for number, process in enumerate((one, two)):
        process.report("alpha", FailureCode.UPSTREAM_FAILED, f"operation {number}")
    item = boto3.client("dynamodb").get_item(TableName="operations", Key={"pk": {"S": "circuit#alpha"}})["Item"]
    assert item["failures"] == {"N": "2"}


def test_a_circuit_is_read_once_in_a_while_and_as_it_was_written_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_circuits, "_FRESH", 60.0)
    client, sent = boto3.client("dynamodb"), []
    client.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: sent.append(params.get("ConsistentRead"))
    )
    one = DynamoDBAdmission(client, "operations", lambda name: None, FakeClock().now)
    for _ in range(3):
        one.admit("alpha")
    assert sent == [True]
