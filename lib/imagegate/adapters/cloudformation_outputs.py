"""What a deployed stack says of itself."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from imagegate.domain.errors import MisconfiguredError


def outputs(client: Any, stack: str) -> Mapping[str, str]:
    """The Outputs of a stack by name. Raises MisconfiguredError when there is no such stack."""
    try:
        [found] = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
        raise MisconfiguredError(
            f"There is no stack '{stack}' in this account and region. Deploy it, or name another --stage."
        ) from error
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
