"""What MiniStack 1.5.33 does otherwise than AWS, mostly about its saved state.

Each function mends one gap in the running process. `apply_patches` is called before the saved state is loaded.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import apigateway, cloudwatch_logs, dynamodb, dynamodb_streams, lambda_svc
from ministack.services.cloudformation import provisioners

State = dict[str, Any]


def apply_patches() -> None:
    """Mend every gap; call it once."""
    dynamodb_streams.get_state = _stream_state
    dynamodb_streams.load_persisted_state = _load_stream_state
    lambda_svc._prune_orphan_code_blobs = _keep_code_blobs
    _forget_log_lines()
    _heed_batch_item_failures()
    _read_concurrency_from_parameters()
    _read_cors_of_templates()
    _name_throttles()
    _know_paths_of_parameters()


def _stream_state() -> State:
    """Return the table streams as far as some event source mapping has yet to read them.

    MiniStack saves how far each mapping has read, but not the records. After a restart a mapping that had
    read 100 records would pass over the next 100 changes, and changes not yet read would never be announced.
    """
    records, trimmed = AccountRegionScopedDict(), AccountRegionScopedDict()
    for (account, region, table), kept in dynamodb._stream_records.all_items():
        first = dynamodb._stream_trimmed.get_scoped(account, region, table, 0)
        unread = max(first, _furthest_behind(account, region, table, first))
        records.set_scoped(account, region, table, kept[unread - first :])
        trimmed.set_scoped(account, region, table, unread)
    return {"records": records, "trimmed": trimmed, "sequence": dynamodb._stream_seq_counter}


def _furthest_behind(account: str, region: str, table: str, first: int) -> int:
    """Return the stream position of the slowest mapping on `table`; `first` when one has not begun."""
    positions = [
        lambda_svc._dynamodb_stream_positions.get_scoped(account, region, uuid, first)
        for (owner, home, uuid), mapping in lambda_svc._esms.all_items()
        if (owner, home) == (account, region) and f":table/{table}/" in mapping.get("EventSourceArn", "")
    ]
    return min(positions, default=first)


def _load_stream_state(saved: State) -> None:
    dynamodb._stream_records.update(saved["records"])
    dynamodb._stream_trimmed.update(saved["trimmed"])
    dynamodb._stream_seq_counter = saved["sequence"]


def _keep_code_blobs(referenced: set[str]) -> None:
    """Keep unreferenced function code: until the new snapshot is there, the old one refers to it."""


def _forget_log_lines() -> None:
    """Save log groups without their lines: those grow with every invocation, and are in a file (`function_log`)."""
    get_state = cloudwatch_logs.get_state

    def without_lines() -> State:
        state: State = get_state()
        groups = AccountRegionScopedDict()
        for (account, region, name), group in state["log_groups"].all_items():
            groups.set_scoped(account, region, name, {**group, "streams": {}})
        return {**state, "log_groups": groups, "log_records": AccountRegionScopedDict()}

    cloudwatch_logs.get_state = without_lines


def _heed_batch_item_failures() -> None:
    """Deliver a stream's batch again when its function reports failures: MiniStack would take it for done.

    AWS goes on from the first failed record, this from the first of the batch: at least once either way.
    """
    execute = lambda_svc._execute_function

    def heeding(func: State, event: State) -> State:
        result: State = execute(func, event)
        body = result.get("body")
        if _from_a_table(event) and isinstance(body, dict) and body.get("batchItemFailures"):
            error = {"errorType": "BatchItemFailures", "errorMessage": str(body["batchItemFailures"])}
            return {**result, "error": True, "body": error}
        return result

    lambda_svc._execute_function = heeding


def _read_cors_of_templates() -> None:
    """Heed an HTTP API's CorsConfiguration: a template spells its members AllowOrigins, the API allowOrigins."""
    for name in ("_cors_response_headers", "_cors_preflight_response"):
        setattr(apigateway, name, _with_member_names_of_the_api(getattr(apigateway, name)))


def _with_member_names_of_the_api(answer: Callable[[State, str], Any]) -> Callable[[State, str], Any]:
    return lambda cors, origin: answer({name[0].lower() + name[1:]: value for name, value in cors.items()}, origin)


def _name_throttles() -> None:
    """Give a throttled step the error name that the state machine's Retry knows: MiniStack has `Lambda.Unknown`."""
    shape = lambda_svc._throttle_response

    def named(*arguments: Any, **named: Any) -> State:
        result: State = shape(*arguments, **named)
        return {**result, "body": {**result["body"], "errorType": "Lambda.TooManyRequestsException"}}

    lambda_svc._throttle_response = named


def _know_paths_of_parameters() -> None:
    """Evaluate policies on the path whose parameters are read: MiniStack has `*`, which none but `*` allows."""
    resource_of = iam_actions.extract_resource_arn

    def knowing(service: str, method: str, path: str, headers: State, body: bytes, *rest: Any) -> str:
        resource: str = resource_of(service, method, path, headers, body, *rest)
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".GetParametersByPath"):
            *_, region, account = rest
            name = str(json.loads(body)["Path"]).strip("/")
            resource = f"arn:aws:ssm:{region}:{account}:parameter/{name}"
        return resource

    iam_actions.extract_resource_arn = knowing


def _from_a_table(event: State) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return bool(records and records[0].get("eventSource") == "aws:dynamodb")


def _read_concurrency_from_parameters() -> None:
    """Take a mapping's MaximumConcurrency for a number: CloudFormation has a parameter's value as text."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    create, update = handlers["create"], handlers["update"]

    def creating(logical_id: str, properties: State, stack_name: str) -> Any:
        return create(logical_id, _with_number(properties), stack_name)

    def updating(physical_id: str, old: State, new: State, stack_name: str) -> Any:
        return update(physical_id, old, _with_number(new), stack_name)

    handlers.update(create=creating, update=updating)


def _with_number(properties: State) -> State:
    scaling = {name: int(value) for name, value in properties.get("ScalingConfig", {}).items()}
    return properties | ({"ScalingConfig": scaling} if scaling else {})
