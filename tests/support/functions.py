"""The Lambda functions of functions/, loaded as Lambda does, on a deployment of the test's."""

import importlib.util
from pathlib import Path
from typing import Any
from unittest.mock import patch

from imagegate.deployment import Deployment

FUNCTIONS = Path(__file__).parents[2] / "functions"


def load(name: str, deployment: Any) -> Any:
    """A fresh module of functions/ that takes this for the deployment it is a function of."""
    spec = importlib.util.spec_from_file_location(f"function_{name}", FUNCTIONS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with patch.object(Deployment, "from_environment", lambda: deployment):
        spec.loader.exec_module(module)
    return module
