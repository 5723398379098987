"""Puts and gets a thing (one item, one object), starts the note workflow, tells versions, or echoes."""

import json
import os
from typing import Any

import boto3
from shelf import VERSION as LAYER_VERSION

VERSION = "1"
TABLE, BUCKET = os.environ["TABLE"], os.environ["BUCKET"]

table, bucket, workflow = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("stepfunctions")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    method, (_, first, *rest) = event["requestContext"]["http"]["method"], event["rawPath"].split("/")
    answer = _ROUTES.get((method, first), _echo)(event, *rest)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}


def _put(event: dict[str, Any], name: str) -> Any:
    table.put_item(TableName=TABLE, Item={"pk": {"S": name}, "text": {"S": event.get("body", "")}})
    bucket.put_object(Bucket=BUCKET, Key=name, Body=event.get("body", ""))
    return name


def _get(event: dict[str, Any], name: str) -> Any:
    item = table.get_item(TableName=TABLE, Key={"pk": {"S": name}}).get("Item")
    text = item and item.get("text", {}).get("S")
    return {"item": text, "object": bucket.get_object(Bucket=BUCKET, Key=name)["Body"].read().decode()}


def _note(event: dict[str, Any], name: str) -> Any:
    workflow.start_execution(
        stateMachineArn=os.environ["MACHINE"], name=name, input=json.dumps({"id": name, "seconds": 0})
    )
    return name


def _versions(event: dict[str, Any]) -> Any:
    return {"code": VERSION, "layer": LAYER_VERSION, "greeting": os.environ["GREETING"]}


def _echo(event: dict[str, Any], *rest: str) -> Any:
    return event


_ROUTES: dict[tuple[str, str], Any] = {
    ("PUT", "things"): _put,
    ("GET", "things"): _get,
    ("PUT", "notes"): _note,
    ("GET", "versions"): _versions,
}
