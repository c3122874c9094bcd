"""A table cut into ranges of its ids, so that much of it is never asked for at once."""

from collections.abc import Iterator
from math import ceil

from django.db.models import Max, Min, Model

from crm.common import sql

EVERYONE = 2**63 - 1


def ranges(model: type[Model], size: int, *, most: int = 10**6) -> list[tuple[int, int]]:
    """Ranges of about ``size`` rows each, at most ``most``; see ``edges``. One where there is nobody."""
    ids = model._base_manager.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = ids["first"] or 0, ids["last"] or 0
    return list(edges(first, last, min(ceil(sql.about(model._meta.db_table) / size), most)))


def edges(first: int, last: int, count: int) -> Iterator[tuple[int, int]]:
    """``count`` ranges low <= id < high, of equal width between ``first`` and ``last``.

    The first one begins at 0 and the last one never ends, so that nobody who comes or goes meanwhile is outside.
    """
    count = max(1, min(count, last - first + 1))
    between = [first + (last - first + 1) * number // count for number in range(1, count)]
    return zip([0, *between], [*between, EVERYONE], strict=True)
