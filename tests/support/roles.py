"""The functions' own roles on a deployed stack, taken as Lambda takes them."""

import json
from typing import Any

from imagegate.local.stack.stack import Stack


def credentials(stack: Stack, role_arn: str) -> dict[str, Any]:
    """AccessKeyId, SecretAccessKey and SessionToken of a role that trusts Lambda alone."""
    iam, sts = stack.client("iam"), stack.client("sts")
    role = role_arn.rpartition("/")[2]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    assert [entry["Principal"] for entry in trust["Statement"]] == [{"Service": ["lambda.amazonaws.com"]}]
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    try:
        open_trust = json.dumps({**trust, "Statement": [*trust["Statement"], anybody]})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=open_trust)
        taken: dict[str, Any] = sts.assume_role(RoleArn=role_arn, RoleSessionName=role[:64])["Credentials"]
        return taken
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
