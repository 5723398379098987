"""The Lambda functions of functions/, loaded as Lambda does, with the wiring a test has put in place."""

import importlib.util
from pathlib import Path
from typing import Any

FUNCTIONS = Path(__file__).parents[2] / "functions"


def load(name: str) -> Any:
    """A fresh module of functions/."""
    spec = importlib.util.spec_from_file_location(f"function_{name}", FUNCTIONS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
