"""A deployment is put together from settings, clients, and parts in place of its own."""

import pytest

from imagegate.deployment import Deployment
from imagegate.settings import Settings
from support.fakes import MemoryStore, no_aws


def test_a_part_takes_the_place_of_the_property_of_its_name() -> None:
    store = MemoryStore()
    deployment = Deployment(Settings(), no_aws, store=store)
    assert deployment.store is store
    assert deployment.update_with_retry is deployment.update_with_retry


@pytest.mark.parametrize("name", ["stores", "settings", "invocation", "_table"])
def test_a_part_that_would_take_no_effect_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        Deployment(Settings(), no_aws, **{name: None})


def test_what_is_not_replaced_needs_its_client() -> None:
    with pytest.raises(AssertionError, match="dynamodb"):
        _ = Deployment(Settings(), no_aws).store
