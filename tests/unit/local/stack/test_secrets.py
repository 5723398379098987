"""Credentials for stand-ins are set with them, and are gone without them; the user's own stay."""

import boto3
from starlette.applications import Starlette

from imagegate.local.stack.secrets import set_secrets
from imagegate.local.stack.settings import StandIns
from imagegate.local.upstreams.app import STAND_IN_SECRETS

PATH = "/imagegate/local/upstreams"


def test_a_live_start_keeps_the_users_own_credentials_only(mocked_aws: None) -> None:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=f"{PATH}/OPENAI_API_KEY", Value="sk-mine", Type="SecureString")
    set_secrets(ssm, PATH, StandIns(Starlette(), STAND_IN_SECRETS))
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=PATH)
    assert sum(len(page["Parameters"]) for page in pages) == len(STAND_IN_SECRETS)
    set_secrets(ssm, PATH, None)
    [left] = ssm.get_parameters_by_path(Path=PATH, WithDecryption=True)["Parameters"]
    assert (left["Name"], left["Value"]) == (f"{PATH}/OPENAI_API_KEY", "sk-mine")
