"""Page through tables of millions of rows without counting them."""

from functools import cached_property

from django.core.paginator import Paginator

CAP = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Count up to a cap only: nobody turns to page 201, one filters instead."""

    @cached_property
    def count(self) -> int:
        found = self.object_list
        if isinstance(found, list | tuple):
            return len(found)
        return int(found.order_by()[:CAP].count())  # type: ignore[attr-defined]
