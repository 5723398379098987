"""The vendor's SDK and protobuf, which live in .venvs/yandex. Opt-in: `make test-yandex-sdk`."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "yandex_sdk: needs the packages of `make test-yandex-sdk`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave them out unless `-m` names them: most checkouts do not have the packages."""
    if "yandex_sdk" not in config.getoption("markexpr"):
        left_out = [item for item in items if item.get_closest_marker("yandex_sdk")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
