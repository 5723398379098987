"""Whose operations a request may see."""

from starlette.requests import Request

EVERYBODY = "everybody"


def owner_of(request: Request) -> str:
    """The owner of what this request makes. Until keys exist (issue #8) there is one owner."""
    return EVERYBODY
