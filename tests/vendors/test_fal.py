"""fal's packages for Python and Node at the stand-in for fal's queue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegate.local.upstreams.app import build_app
from imagegate.local.upstreams.serving import serving
from support.bare_server import certificate
from vendors.cases import Client, FourCases, Outcome, Raised
from vendors.conftest import client_of

SCHNELL = {"model": "fal-ai/flux/schnell", "input": {"image_size": {"width": 768, "height": 512}, "num_images": 2}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """Base URLs of stand-ins without and with TLS, and the file with the certificate."""
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder, "127.0.0.1")
    app = build_app(latency_seconds=0.1)
    with serving(app) as url, serving(app, certificate=folder / "server.pem") as secure:
        yield url, secure, folder / "server.pem"


class TestFalForNode(FourCases):
    script = "fal.mjs"
    provider = "fal"
    asked = SCHNELL
    pictures = 2
    size = (768, 512)
    refusal = Raised("ValidationError", 422)
    throttle = Raised("ApiError", 429)


class TestFalForPython(FourCases):
    """It speaks https alone, to a host that the environment names, and repeats what is throttled ten times."""

    script = "fal_queue.py"
    provider = "fal"
    asked = SCHNELL
    pictures = 2
    size = (768, 512)
    refusal = Raised("FalClientHTTPError", 422, "content_policy_violation")
    throttle = Raised("FalClientHTTPError", 429)

    @pytest.fixture
    def stand_ins(self, served: tuple[str, str, Path]) -> str:
        """Where the ledger is read."""
        return served[0]

    @pytest.fixture
    def client(self, served: tuple[str, str, Path]) -> Client:
        """Trusts the certificate."""
        _, secure, file = served
        run = client_of(secure)

        def trusting(script: str, base_path: str, **asked: object) -> Outcome:
            host = f"{secure.removeprefix('https://')}{base_path}"
            return run(script, base_path, {"SSL_CERT_FILE": str(file), "FAL_QUEUE_RUN_HOST": host}, **asked)

        return trusting
