"""Store JSON in a controlled table as the exact canonical text that is hashed."""

import re
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from compliance.trail.tlog import canonical

# An escape, and not the same characters typed after a backslash, which is escaped itself.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

if TYPE_CHECKING:
    _Text = models.TextField[Any, Any]
else:
    _Text = models.TextField


class CanonicalJSONField(_Text):
    """JSON of profile JCS-GMP/1 in a text column: no floats (decimals are strings), keys sorted.

    PostgreSQL's jsonb drops duplicate keys and orders keys its own way, so it is never hashed here.
    """

    if TYPE_CHECKING:  # what the type checker's plugin reads of a field
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        return None if value is None else canonical.loads(value.encode())

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        try:
            text = canonical.dumps(value).decode()
        except canonical.NotCanonical as error:
            raise ValidationError(str(error)) from error
        if _NUL.search(text):
            raise ValidationError("a text has a NUL, which no other column could hold")
        return text

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""
