"""The upstream credentials of the embedded stack."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from imagegate.deployment import Deployment
from imagegate.local.stack.settings import DEFAULT_STAGE, StackSettings, StandIns
from imagegate.settings import of_stage, upstream_secrets_path


def provide_secrets(settings: StackSettings, outputs: Mapping[str, str], client: Callable[[str], Any]) -> None:
    """Set the credentials that the functions need for the stand-ins, and note which credentials are set.

    `outputs`: the stack's; `client`: makes an AWS client by the name of its service.
    """
    stage = settings.parameters.get("Stage", DEFAULT_STAGE)
    set_secrets(client("ssm"), upstream_secrets_path(stage), settings.stand_ins)
    deployment = Deployment(of_stage(stage, outputs, local=True), client)
    deployment.pushed_routes.note_secret_names(deployment.secrets.names())


def set_secrets(ssm: Any, path: str, stand_ins: StandIns | None) -> None:
    """Give the functions credentials for the stand-ins; one that is set already stays as it is.

    Without stand-ins, remove those for stand-ins that are set from another start: no real upstream takes them.
    """
    if stand_ins is None:
        _remove_those_for_stand_ins(ssm, path)
        return
    for name, value in stand_ins.secrets.items():
        with contextlib.suppress(ssm.exceptions.ParameterAlreadyExists):
            ssm.put_parameter(Name=f"{path}/{name}", Value=value, Type="SecureString")


def _remove_those_for_stand_ins(ssm: Any, path: str) -> None:
    from imagegate.local.upstreams.app import STAND_IN_SECRETS

    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    values = {parameter["Name"]: parameter["Value"] for page in pages for parameter in page["Parameters"]}
    for name, value in values.items():
        if STAND_IN_SECRETS.get(name.rpartition("/")[2]) == value:
            ssm.delete_parameter(Name=name)
