"""Who may sign for the embedded AWS: MiniStack 1.5.33 takes root requests without checking their signature, whatever
12-digit key they name, and derives the keys of functions from their names, which everybody can do.
"""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.iam_evaluator import AuthError, CredentialResolutionError
from ministack.core.responses import _account_from_sts_session
from ministack.core.sigv4 import (
    HeaderSignature,
    header_signature_failure,
    parse_header_signature,
    parse_query_signature,
    presigned_request_is_expired,
    request_time_failure,
)
from ministack.services import lambda_svc, sts

from imagegate.local.root_credentials import RootCredentials

ALGORITHM = "AWS4-HMAC-SHA256"
Query = Mapping[str, list[str]]


def install(root: RootCredentials) -> None:
    """Make `root` the only root key, and the functions' keys secrets that depend on it; call it once."""
    os.environ["AWS_ACCESS_KEY_ID"] = root.access_key_id
    os.environ["AWS_SECRET_ACCESS_KEY"] = root.secret_access_key
    # Unsigned requests come from the front door only (`ministack_guard`), for functions that any client may call.
    iam_evaluator.is_root_access_key = sts.is_root_access_key = lambda key: key in ("", root.access_key_id)

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        return _register_role(root, config)

    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = execution_credentials


def _register_role(root: RootCredentials, config: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables that let a function sign with its role, and make their key known.

    The key is the same after a restart: URLs that were presigned with it stay valid.
    """
    function, role = config["FunctionArn"], config["Role"].rsplit("/", 1)[-1]
    account, name = function.split(":")[4], config["FunctionName"][:64]
    key = access_key_of(config)
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "UserId": f"{role}:{name}",
        "SecretAccessKey": root.derive(f"secret of {function} as {role}").hex(),
        "SessionToken": root.derive(f"token of {function} as {role}").hex(),
    }
    sts.register_session(key, session)
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def access_key_of(config: Mapping[str, Any]) -> str:
    """The access key of a function, by Lambda's description of it. It is no secret."""
    function, role = config["FunctionArn"], config["Role"].rsplit("/", 1)[-1]
    return f"ASIA{hashlib.sha256(f'{function}:{role}'.encode()).hexdigest()[:16].upper()}"


def is_presigned(query: Query) -> bool:
    """Whether the query holds a signature of S3's, in the one form that boto3 writes."""
    scope = query.get("X-Amz-Credential", [""])[0].split("/")
    return query.get("X-Amz-Algorithm") == [ALGORITHM] and len(scope) == 5 and scope[3] == "s3"


def signature_failure(
    method: str, raw_path: str, query: Query, headers: Mapping[str, str], body: bytes
) -> AuthError | None:
    """Return what is wrong with a request's signature; None when a known key has made it.

    Signature Version 4 only, in the Authorization header or, for S3, in the query. Older and rarer forms are refused.
    """
    signature = _parse(query, headers)
    if isinstance(signature, tuple):
        return AuthError(*signature)
    if not signature.access_key_id:
        return AuthError("UnrecognizedClientException", "The signature names no access key.")
    presigned = "authorization" not in headers
    token = query.get("X-Amz-Security-Token", [""])[0] if presigned else headers.get("x-amz-security-token", "")
    credential = iam_evaluator.resolve_credential(
        signature.access_key_id, _account_from_sts_session(signature.access_key_id), token
    )
    if isinstance(credential, CredentialResolutionError):
        return AuthError(credential.code, credential.message)
    failure = _out_of_time(signature, query, presigned) or header_signature_failure(
        signature, credential.secret_access_key, method, raw_path, query, headers, body, presigned=presigned
    )
    failure = failure or _other_body(headers.get("x-amz-content-sha256", ""), body)
    return AuthError(*failure) if failure else None


def _parse(query: Query, headers: Mapping[str, str]) -> HeaderSignature | tuple[str, str]:
    if headers.get("authorization", "").startswith(f"{ALGORITHM} "):
        return parse_header_signature(headers)
    if "authorization" not in headers and is_presigned(query) and _is_plain(query):
        return parse_query_signature(query)
    return (
        "MissingAuthenticationToken",
        "The embedded AWS takes signed requests only. 'imagegate env --local' prints the key to sign with.",
    )


def _is_plain(query: Query) -> bool:
    """Whether no parameter of the signature is there twice, or in another spelling for another reader to prefer."""
    names = [name for name in query if name.lower().startswith("x-amz-")]
    return len({name.lower() for name in names}) == len(names) and all(len(query[name]) == 1 for name in names)


def _out_of_time(signature: HeaderSignature, query: Query, presigned: bool) -> tuple[str, str] | None:
    if not presigned:
        failure: tuple[str, str] | None = request_time_failure(signature)
        return failure
    try:
        expired = presigned_request_is_expired(signature.amz_date, query.get("X-Amz-Expires", ["0"])[0])
    except ValueError:
        expired = True
    return ("AccessDenied", "Request has expired") if expired else None


def _other_body(announced: str, body: bytes) -> tuple[str, str] | None:
    """Compare the digest that was signed, if one was, with the body that came."""
    if len(announced) == 64 and announced != hashlib.sha256(body).hexdigest():
        return "XAmzContentSHA256Mismatch", "The body is not the one that was signed."
    return None
