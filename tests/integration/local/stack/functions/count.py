"""Counts the changes of the table's items in the item `count`."""

import os
from typing import Any

import boto3

table = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> None:
    changes = [r for r in event["Records"] if r["dynamodb"]["Keys"]["pk"]["S"] not in ("count", "routes#secrets")]
    if changes:
        table.update_item(
            TableName=os.environ["TABLE"],
            Key={"pk": {"S": "count"}},
            UpdateExpression="ADD changes :n",
            ExpressionAttributeValues={":n": {"N": str(len(changes))}},
        )
