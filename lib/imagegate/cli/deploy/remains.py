"""What AWS keeps of a removed deployment, and the commands that remove it."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from imagegate.cli.deploy.account import Clients

_PARAMETERS_PER_CALL = 10
_SAM_STACK = "aws-sam-cli-managed-default"


@dataclass(frozen=True, slots=True)
class Remains:
    """A resource that AWS keeps."""

    what: str
    commands: tuple[str, ...]
    """The commands that remove it."""


class Leftovers:
    """Finds what is kept of a stack. Make it before the deletion: afterwards the names are no longer known."""

    def __init__(self, clients: Clients, stage: str, region: str, resources: Iterable[Mapping[str, Any]]) -> None:
        """`resources`: the stack's, as CloudFormation lists them."""
        self._clients = clients
        self._stage = stage
        self._region = region
        self._names = [
            (resource["ResourceType"], resource["PhysicalResourceId"])
            for resource in resources
            if resource.get("PhysicalResourceId")
        ]

    def find(self) -> list[Remains]:
        """The resources that exist at this moment."""
        return [*self._tables(), *self._buckets(), *self._log_groups(), *self._secrets(), *self._artifacts()]

    def _tables(self) -> Iterator[Remains]:
        for name in self._of("AWS::DynamoDB::Table"):
            found = _or_none(lambda name=name: self._clients("dynamodb").describe_table(TableName=name))
            if found:
                protected = found["Table"].get("DeletionProtectionEnabled", False)
                unprotect = self._aws(
                    "dynamodb", "update-table", "--no-deletion-protection-enabled", "--table-name", name
                )
                delete = self._aws("dynamodb", "delete-table", "--table-name", name)
                yield Remains(f"table {name}: operations and API keys", (*([unprotect] if protected else []), delete))

    def _buckets(self) -> Iterator[Remains]:
        for name in self._of("AWS::S3::Bucket"):
            if _or_none(lambda name=name: self._clients("s3").head_bucket(Bucket=name)):
                yield Remains(f"bucket {name}: pictures", (self._aws("s3", "rb", "--force", f"s3://{name}"),))

    def _log_groups(self) -> Iterator[Remains]:
        for name in self._of("AWS::Logs::LogGroup"):
            groups = self._clients("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            if any(group["logGroupName"] == name for group in groups):
                yield Remains(f"log group {name}", (self._aws("logs", "delete-log-group", "--log-group-name", name),))

    def _secrets(self) -> Iterator[Remains]:
        pages = self._clients("ssm").get_paginator("get_parameters_by_path")
        found = pages.paginate(Path=f"/imagegate/{self._stage}", Recursive=True)
        names = sorted(entry["Name"] for page in found for entry in page["Parameters"])
        for start in range(0, len(names), _PARAMETERS_PER_CALL):
            some = names[start : start + _PARAMETERS_PER_CALL]
            command = self._aws("ssm", "delete-parameters", "--names", *some)
            yield Remains(
                f"SSM parameters, used again by the next deployment of {self._stage}: {', '.join(some)}", (command,)
            )

    def _artifacts(self) -> Iterator[Remains]:
        stacks = _or_none(lambda: self._clients("cloudformation").describe_stacks(StackName=_SAM_STACK))
        outputs = stacks["Stacks"][0].get("Outputs", ()) if stacks else ()
        for bucket in (output["OutputValue"] for output in outputs if output["OutputKey"] == "SourceBucket"):
            prefix = f"s3://{bucket}/imagegate-{self._stage}/"
            yield Remains(f"built packages {prefix}", (self._aws("s3", "rm", "--recursive", prefix),))

    def _of(self, kind: str) -> list[str]:
        return [name for other, name in self._names if other == kind]

    def _aws(self, *text: str) -> str:
        return shlex.join(("aws", *text, "--region", self._region))


def _or_none(call: Any) -> Any:
    """The answer; `None` when the resource does not exist."""
    try:
        return call()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404) and _absent(error.response["Error"]):
            return None
        raise


def _absent(error: Mapping[str, Any]) -> bool:
    absent = error["Code"] in ("ResourceNotFoundException", "404", "NoSuchBucket")
    return absent or "does not exist" in error.get("Message", "")
