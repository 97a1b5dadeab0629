"""Read a message about many batches as lines: the message first, then one line a row of a batch."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import APIException, ValidationError

from compliance.api_contract import strict_json
from compliance.api_contract.strict_json import NdjsonParser


class LinedBatches(NdjsonParser):
    """The same message as in JSON, which has room for a few batches only.

    The first line is the message with its batches without their rows; each further line is
    `{"batch": NAME, "row": {...}}`. Rows are given to the batch of their name, in their order.
    """

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        first, *lines = super().parse(stream, media_type, parser_context).splitlines() or [b""]
        message = strict_json.loads(first)
        batches = message.get("batches") if isinstance(message, dict) else None
        if not isinstance(batches, list) or not all(isinstance(one, dict) for one in batches):
            raise ValidationError({"batches": ["the first line names the batches, without rows"]})
        named = {str(one.get("name")) for one in batches}
        if len(named) < len(batches):
            raise ValidationError({"batches": ["two batches have the same name"]})
        found = rows(lines, begins=2)
        if unknown := found.keys() - named:
            raise ValidationError(
                {
                    "batches": [
                        f"the first line does not name the batch {min(unknown)} of a later one"
                    ]
                }
            )
        for one in batches:
            if "rows" in one:
                raise ValidationError({"batches": ["rows are the lines that follow"]})
            one["rows"] = found.get(str(one.get("name")), [])
        return message


def rows(lines: Iterable[bytes], *, begins: int) -> dict[str, list[Any]]:
    """Return the rows of each batch, in the order of its lines; the first is line `begins`."""
    found: dict[str, list[Any]] = {}
    for number, line in enumerate(lines, start=begins):
        if not line.strip():
            continue
        try:
            said = strict_json.loads(line)
        except APIException as error:
            raise ValidationError({"batches": [f"line {number}: {wrong(error)}"]}) from error
        is_row = isinstance(said, dict) and said.keys() == {"batch", "row"}
        if not is_row or not isinstance(said["batch"], str) or not isinstance(said["row"], dict):
            raise ValidationError({"batches": [f"line {number} is not a batch and its row"]})
        found.setdefault(said["batch"], []).append(said["row"])
    return found


def wrong(error: APIException) -> str:
    """Return the first thing that an error of the API names, for a line or a form."""
    detail: Any = error.detail
    while isinstance(detail, (dict, list)):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return str(detail)
