"""A deployed stack as the command line sees it: a table in moto, and a CloudFormation that knows its name.

moto's own CloudFormation loads every service it has, and a package that nothing else here needs.
"""

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

_OWNER_INDEX = {
    "IndexName": "owner",
    "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state", "model"]},
}


def operations_table() -> str:
    """Make a table with the keys and the owner index of template.yaml's; returns its name."""
    attributes: Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "owner", "id")]
    indexes: Any = [_OWNER_INDEX]
    boto3.client("dynamodb").create_table(
        TableName="operations",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=attributes,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=indexes,
    )
    return "operations"


@dataclass
class Formation:
    """CloudFormation, as far as it tells the Outputs of stacks."""

    stacks: dict[str, dict[str, str]] = field(default_factory=dict)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if StackName not in self.stacks:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.stacks[StackName].items()]
        return {"Stacks": [{"StackName": StackName, "Outputs": outputs}]}
