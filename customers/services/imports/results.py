"""What came of each row: for the screen, for the command, and as the uploaded file with two columns more."""

import csv
import io
from collections.abc import Iterator

from django.utils.translation import gettext as _

from customers.choices import Verdict
from customers.core import mapping as maps
from customers.models import ImportBatch, ImportRow
from customers.services.imports import files
from customers.services.imports.reasons import explain

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def errors(batch: ImportBatch, limit: int) -> list[tuple[int, str]]:
    """Row and reason of the first rows in error."""
    found = ImportRow.objects.filter(batch=batch, verdict=Verdict.ERROR).order_by("line")
    return [(line, explain(reason)) for line, reason in found.values_list("line", "reason")[:limit]]


def guarded(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe before it; a plain number stays."""
    if cell.startswith(_FORMULA) and not _is_number(cell):
        return "'" + cell
    return cell


def _is_number(cell: str) -> bool:
    return bool(cell[1:]) and cell[0] in "+-" and all(part.isdigit() for part in cell[1:].split(".", 1))


def results_csv(batch: ImportBatch) -> Iterator[str]:
    """The uploaded file, every cell quoted and guarded, with a verdict and a reason behind each row.

    Raises:
        UnreadableFile: the file is gone; it is kept for a month.
    """
    mapping = maps.from_json(batch.mapping)
    verdicts = _verdicts(batch)
    with files.opened(batch, mapping.encoding) as text:
        rows = files.rows(text, mapping.separator)
        yield "\ufeff"  # spreadsheets know UTF-8 by its mark
        if mapping.header and (first := next(rows, None)):
            yield _line([*first[1], _("verdict"), _("reason")])
        staged = next(verdicts, None)
        for row, cells in rows:
            while staged and staged[0] < row:
                staged = next(verdicts, None)
            found = staged if staged and staged[0] == row else (row, "", "")
            yield _line([*cells, found[1], explain(found[2])])


def _verdicts(batch: ImportBatch) -> Iterator[tuple[int, str, str]]:
    rows = ImportRow.objects.filter(batch=batch).order_by("line")
    return iter(rows.values_list("line", "verdict", "reason").iterator(chunk_size=5_000))


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([guarded(cell) for cell in cells])
    return out.getvalue()
