"""Pictures by their id."""

from imagegate.dialects.operations.requests import parse_picture_id, unknown_picture
from imagegate.domain.operation.operation import Operation
from imagegate.domain.operation.picture import Picture
from imagegate.web.mcp.caller import Caller


def find_picture(image_id: str, caller: Caller) -> tuple[Operation, Picture]:
    """A picture of the caller, with its operation. Raises UnknownImage, UnknownOperation or Gone."""
    operation_id, slot = parse_picture_id(image_id)
    operation = caller.read(operation_id)
    picture = next((picture for picture in operation.pictures if picture.slot == slot), None)
    if picture is None:
        raise unknown_picture(image_id)
    return operation, picture
