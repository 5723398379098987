"""`imagegate openapi`: the OpenAPI document, as docs/openapi.json keeps it."""

import json
import sys
from typing import cast


def openapi() -> None:
    """Print the OpenAPI document of the HTTP API."""
    from imagegate.web.app import create_app
    from imagegate.web.services import Services

    # The routes are described without anything behind them being called.
    document = create_app(cast(Services, None)).openapi()
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
