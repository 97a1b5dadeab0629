"""Read posted JSON strictly: one accepted form, everything else a clear refusal."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON without duplicate keys, NaN, NUL, lone surrogates or numbers that lose digits."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        raise ParseError("not yet read")
