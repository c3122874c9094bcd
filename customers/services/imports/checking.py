"""The check: stage the file, judge every row, write nothing but the verdicts."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from crm.common import money, sql
from crm.common.models import Shop
from customers.core import mapping as maps
from customers.core.addresses import NotAnAddress, normalise_email
from customers.core.mapping import FIELDS, BadMapping, Mapping
from customers.core.reading import BadFile
from customers.models import ImportBatch, ImportRow
from customers.services.imports import files
from customers.services.imports.reasons import explain_mapping

_MAIL = FIELDS.index("email")
_EMPTY = [""] * len(FIELDS)
_NO_MONEY = frozenset({"XXX", "XTS"})  # the codes for "no currency" and "testing"

Staged = tuple[object, ...]


def check_file(batch: ImportBatch, at: datetime) -> dict[str, int]:
    """Replace the batch's staged rows by those of its file with their verdicts, and count them.

    Runs inside the caller's patient transaction; the temporary tables vanish with it.

    Raises:
        UnreadableFile: the file or its mapping cannot be used; nothing was staged.
    """
    mapping = maps.from_json(batch.mapping)
    shop = Shop.current()
    ImportRow.objects.filter(batch=batch).delete()
    sql.execute("customers/import_raw")
    with files.opened(batch, mapping.encoding) as text:
        staged = sql.copy_rows("customers/import_copy", stage(files.rows(text, mapping.separator), mapping))
    if not staged:
        raise files.unreadable(BadFile("nothing"))
    digits = json.dumps({c: money.minor_digits(c) for c in money.currencies() - _NO_MONEY})
    number, grouping, point = maps.NUMBER_STYLES[mapping.number_style]
    date_pattern, date_written = maps.DATE_FORMATS[mapping.date_format]
    cells = {
        "number": number, "grouping": grouping, "point": point, "digits": digits, "zone": shop.time_zone,
        "date_pattern": date_pattern, "date_whole": date_pattern + maps.TIME, "date_written": date_written,
        "today": at.astimezone(shop.zone).date(),  # also of a shop whose calendar is held in the past
    }  # fmt: skip
    sql.execute("customers/import_cells", cells)
    sql.execute("customers/import_facts", {"digits": digits})
    sql.execute("customers/import_world", {"source": batch.source, "base": shop.base_currency})
    sql.execute("customers/import_keep", {"batch": batch.pk})
    return sql.rows("customers/import_counts")[0]


def stage(rows: Iterable[tuple[int, list[str]]], mapping: Mapping) -> Iterator[Staged]:
    """The rows to COPY: number, problem found here, normalised address, then FIELDS.

    Raises:
        UnreadableFile: the mapping does not fit, or there are too many rows.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise files.unreadable(BadFile("empty"))
    try:
        plan = maps.bind(mapping, first[1])
    except BadMapping as error:
        raise files.UnreadableFile(explain_mapping(error), field=error.field) from error
    reader = maps.Reader(mapping, plan)
    if not mapping.header:
        yield _staged(*first, plan.width, reader)
    for count, (row, cells) in enumerate(rows, start=2):
        if count > files.MAX_ROWS:
            raise files.unreadable(BadFile("too_many_rows", row, str(files.MAX_ROWS)))
        yield _staged(row, cells, plan.width, reader)


def _staged(row: int, cells: list[str], width: int, reader: maps.Reader) -> Staged:
    if len(cells) != width:
        return (row, f"columns||{len(cells)} / {width}", "", *_EMPTY)
    texts = reader.texts(cells)
    if not texts[_MAIL]:
        return (row, "", "", *texts)
    address = _address(texts[_MAIL])
    problem = "" if address else f"not_an_address|email|{texts[_MAIL][:100]}"
    return (row, problem, address, *texts)


@lru_cache(maxsize=100_000)
def _address(text: str) -> str:
    try:
        return normalise_email(text)
    except NotAnAddress:
        return ""
