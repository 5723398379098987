"""A picture that is larger than a request may be, on the embedded stack."""

from pathlib import Path

import pytest
import requests

from imagegate.local.stack.stack import Stack
from support.large_photo import edit_with_cli, edit_with_openai

pytestmark = pytest.mark.slow


def form_for(stack: Stack) -> tuple[str, dict[str, str], str]:
    form = requests.post(f"{stack.base_url}/v1/uploads", json={"content_type": "image/png"}).json()
    return form["url"], form["fields"], form["id"]


def test_a_photo_of_20_megabytes_is_edited_with_the_openai_package(stack: Stack) -> None:
    assert edit_with_openai(stack.base_url, "x") == "PNG"


def test_a_photo_of_20_megabytes_is_edited_with_the_command_line(stack: Stack, tmp_path: Path) -> None:
    assert edit_with_cli(stack.base_url, "", tmp_path) == "PNG"


def test_a_form_takes_what_it_was_signed_for_and_nothing_else(stack: Stack) -> None:
    url, fields, _ = form_for(stack)
    small = {"file": b"\x89PNG\r\n\x1a\n"}
    unsigned = {name: value for name, value in fields.items() if not name.startswith("x-amz-")}
    wrong = [
        {**fields, "key": "images/a"},
        {**fields, "Content-Type": "text/html"},
        {**fields, "x-amz-signature": "0" * 64},
        {name: value for name, value in fields.items() if name != "policy"},
        unsigned,
        {"key": "uploads/a"},
    ]
    for altered in wrong:
        assert requests.post(url, data=altered, files=small).status_code in (400, 403), altered
    too_large = requests.post(url, data=fields, files={"file": bytes(33 * 1024 * 1024)})
    assert too_large.status_code == 400
    assert requests.post(f"{stack.aws_endpoint}/_ministack/reset", data=fields, files=small).status_code == 403
    queue = f"{stack.aws_endpoint}/"
    answer = requests.post(queue, data=fields, files=small, headers={"X-Amz-Target": "AmazonSQS.ListQueues"})
    assert answer.status_code in (400, 403, 404, 405)
    assert requests.post(url, data=fields, files=small).status_code == 204


def test_a_page_of_the_gateway_may_send_a_form_and_no_other(stack: Stack) -> None:
    url, fields, _ = form_for(stack)
    small = {"file": b"\x89PNG\r\n\x1a\n"}
    asks = {"Access-Control-Request-Method": "POST"}
    for own in (stack.base_url, stack.base_url.replace("127.0.0.1", "localhost")):
        preflight = requests.options(url, headers={"Origin": own, **asks})
        assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, own)
        assert "Access-Control-Allow-Headers" not in preflight.headers
        sent = requests.post(url, data=fields, files=small, headers={"Origin": own})
        assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (204, own)
        for method in ("GET", "PUT", "DELETE"):
            other = {"Origin": own, "Access-Control-Request-Method": method}
            assert requests.options(url, headers=other).status_code == 403
        assert requests.post(url, headers={"Origin": own}, data="{}").status_code == 403
        assert requests.get(url, headers={"Origin": own}).status_code == 403
        target = {"Origin": own, "X-Amz-Target": "AmazonSSM.GetParametersByPath"}
        assert requests.post(f"{stack.aws_endpoint}/", headers=target, data="{}").status_code in (400, 403)
    for foreign in ("https://evil.example", "null", "http://localhost:3000"):
        preflight = requests.options(url, headers={"Origin": foreign, **asks})
        assert preflight.status_code == 403
        assert not [name for name in preflight.headers if name.lower().startswith("access-control-")]
        assert requests.post(url, data=fields, files=small, headers={"Origin": foreign}).status_code == 403
