"""The strict parser under the name that exchange has for it; the rules are the contract's."""

from compliance.api_contract.strict_json import (
    MOST_BYTES_JSON,
    MOST_BYTES_NDJSON,
    NdjsonParser,
    StrictJSONParser,
    TooLarge,
    loads,
)

__all__ = [
    "MOST_BYTES_JSON", "MOST_BYTES_NDJSON", "NdjsonParser", "StrictJSONParser", "TooLarge", "loads",
]  # fmt: skip
