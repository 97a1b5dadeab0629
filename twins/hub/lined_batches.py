"""Read a message about many batches as lines: the message first, then one line a row of a batch."""

from typing import Any

from rest_framework.exceptions import ValidationError

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
        rows: dict[str, list[Any]] = {str(one.get("name")): [] for one in batches}
        if len(rows) < len(batches):
            raise ValidationError({"batches": ["two batches have the same name"]})
        for number, line in enumerate(lines, start=2):
            if not line.strip():
                continue
            said = strict_json.loads(line)
            if not isinstance(said, dict) or said.keys() != {"batch", "row"}:
                raise ValidationError({"batches": [f"line {number} is not a batch and its row"]})
            if said["batch"] not in rows:
                raise ValidationError(
                    {"batches": [f"line {number} is of a batch that the first line does not name"]}
                )
            rows[said["batch"]].append(said["row"])
        for one in batches:
            if "rows" in one:
                raise ValidationError({"batches": ["rows are the lines that follow"]})
            one["rows"] = rows[str(one.get("name"))]
        return message
