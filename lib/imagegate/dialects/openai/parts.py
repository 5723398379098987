"""Parts that the answers of OpenAI's Images API and the events of its streams have in common."""

from imagegate.dialects.response import RenderedPicture, ignored_fields
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.partial import Partial
from imagegate.domain.operation.picture import Picture


def format_of(picture: Picture | Partial) -> str:
    """The format of the picture as OpenAI names it."""
    return picture.content_type.removeprefix("image/").removesuffix("+xml")


def ignored_fields_of(operation: Operation) -> dict[str, list[str]]:
    """The fields of the request that were not honoured, if there are any."""
    names = sorted(ignored_fields(operation))
    return {"not_honoured": names} if names else {}


def revised_of(rendered: RenderedPicture) -> dict[str, str]:
    """The prompt that the picture was made from, where it is not the caller's."""
    revised = rendered.picture.revised_prompt
    return {} if revised is None else {"revised_prompt": revised}


def identifier_of(operation: Operation) -> dict[str, str]:
    """OpenAI echoes the `safety_identifier`, or the `user` that it replaces."""
    identifier = operation.reply.get("safety_identifier")
    return {} if identifier is None else {"safety_identifier": identifier}
