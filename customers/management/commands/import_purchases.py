"""``manage.py import_purchases FILE``: the same import as on the screen, for files already on this machine."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from time import monotonic

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.common.errors import DomainError
from customers.choices import ImportState
from customers.core import mapping as maps
from customers.core.mapping import BadMapping, Mapping
from customers.models import ImportBatch
from customers.services import imports

_SHOWN = 20
# How each thing that a mapping may lack is given on the command line.
_REMEDIES = {
    "date": "--map date=COLUMN",
    "customer_id": "--map customer_id=COLUMN, or --map email=COLUMN",
    "amount": "--map amount=COLUMN",
    "currency": "--map currency=COLUMN, or --constant currency=USD when every row is in it",
    "order_id": "--map order_id=COLUMN, or --make-order-ids for a file of whole orders without ids",
    "sku": "--map sku=COLUMN, or all columns but the product's by --map, without --guess",
}
_LINES_HAVE_IDS = (
    "--map order_id=COLUMN, without --make-order-ids: rows with product codes are parts of an order"
)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise ArgumentTypeError(f"{text!r} is not of the form field=value")
    return name, value


class Command(BaseCommand):
    help = "Import purchases (and their customers and products) from a CSV file or a CDNOW log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", default="", help="the shop system the order ids belong to")
        parser.add_argument("--preset", choices=sorted(maps.PRESETS), default="")
        parser.add_argument(
            "--map", dest="columns", type=_pair, action="append", default=[], metavar="FIELD=COLUMN",
            help=f"a column by its header, or as #3 by its place; fields: {', '.join(maps.FIELDS)}",
        )  # fmt: skip
        parser.add_argument(
            "--constant", type=_pair, action="append", default=[], metavar="FIELD=VALUE",
            help=f"what holds for every row; fields: {', '.join(maps.CONSTANTS)}",
        )  # fmt: skip
        parser.add_argument(
            "--guess", action="store_true",
            help="map columns by their names where --map does not; so without --map and --preset anyway",
        )  # fmt: skip
        parser.add_argument("--date-format", choices=sorted(maps.DATE_FORMATS), default=maps.ISO)
        parser.add_argument("--number-style", choices=sorted(maps.NUMBER_STYLES), default=maps.PLAIN)
        parser.add_argument("--encoding", default="", help="needed only where the bytes leave it open")
        parser.add_argument("--separator", default="")
        parser.add_argument("--no-header", action="store_true")
        parser.add_argument("--make-order-ids", action="store_true", help="for a file without order ids")
        parser.add_argument(
            "--check-only", action="store_true",
            help="import nothing; the check itself is kept and shown on the page Imports",
        )  # fmt: skip
        parser.add_argument(
            "--background", action="store_true", help="leave the work to the worker instead of doing it here"
        )

    def handle(self, *, file: Path, preset: str, source: str, **options: object) -> None:
        if not file.is_file():
            raise CommandError(f"{file} is not a file")
        try:
            self._import(file, preset, source or preset or "import", options)
        except DomainError as error:
            raise CommandError(str(error.text)) from error
        except BadMapping as error:
            known = maps.CONSTANTS if error.value == "constants" else maps.FIELDS
            raise CommandError(f"there is no field {error.field!r}; there are: {', '.join(known)}") from error

    def _import(self, file: Path, preset: str, source: str, options: dict[str, object]) -> None:
        guess = not preset and bool(options["guess"] or not options["columns"])
        batch = imports.upload(
            file_name=file.name, data=file, source=source, at=timezone.now(), preset=preset,
            mapping=None if preset or guess else _whole(_mapping(options, {}), None),
        )  # fmt: skip
        if guess:
            known = imports.peek(batch, str(options["encoding"]))
            if known.question:
                raise CommandError(f"{known.question} Name it by --encoding.")
            imports.choose_mapping(batch=batch, mapping=_whole(_mapping(options, known.guesses), batch))
        if options["background"]:
            self.stdout.write(f"import {batch.pk} waits for the worker")
            return
        started = monotonic()
        imports.check(batch=batch, at=timezone.now())
        self._report_check(batch, monotonic() - started)
        if options["check_only"]:
            return
        started = monotonic()
        imports.confirm(batch=batch)
        imports.apply(batch=batch, clock=timezone.now)
        self._report_done(batch, monotonic() - started)

    def _report_check(self, batch: ImportBatch, seconds: float) -> None:
        if batch.state == ImportState.FAILED:
            raise CommandError(batch.error)
        self.stdout.write(
            f"import {batch.pk}: {batch.rows:,} rows checked in {seconds:.1f} s: {batch.to_create:,} to create, "
            f"{batch.to_update:,} to update, {batch.same:,} same, {batch.errors:,} in error; "
            f"{batch.new_customers:,} new customers"
        )
        for row, reason in imports.errors(batch, limit=_SHOWN):
            self.stdout.write(f"  row {row}: {reason}")
        if batch.errors > _SHOWN:
            self.stdout.write(f"  and {batch.errors - _SHOWN:,} more")

    def _report_done(self, batch: ImportBatch, seconds: float) -> None:
        if batch.state != ImportState.APPLIED:
            raise CommandError("a worker is at it; look at the import's page")
        written = batch.to_create + batch.to_update
        self.stdout.write(
            f"applied in {seconds:.1f} s: {batch.to_create:,} rows created, {batch.to_update:,} updated, "
            f"{batch.same:,} left as they were, {batch.errors:,} in error"
            + (f" ({written / seconds:,.0f} rows a second)" if written else "")
        )


def _mapping(options: dict[str, object], guesses: dict[str, str]) -> Mapping:
    return maps.from_json(
        {
            "columns": {**guesses, **dict(options["columns"])},  # type: ignore[call-overload]
            "constants": dict(options["constant"]),  # type: ignore[call-overload]
            "date_format": options["date_format"],
            "number_style": options["number_style"],
            "encoding": options["encoding"],
            "separator": str(options["separator"]).replace("\\t", "\t"),
            "header": not options["no_header"],
            "make_order_ids": options["make_order_ids"],
        }
    )


def _whole(mapping: Mapping, batch: ImportBatch | None) -> Mapping:
    """The mapping, unless it lacks something: then everything it lacks is named at once, with the options that help."""
    lacking = maps.missing(mapping)
    if not lacking:
        return mapping
    remedies = _REMEDIES | ({"order_id": _LINES_HAVE_IDS} if mapping.make_order_ids else {})
    lines = [
        f"no column {'found by its name' if batch else 'given'} for: {', '.join(lacking)}",
        *(f"  {name}: {remedies[name]}" for name in lacking),
        "COLUMN is a header of the file, or #3 for its third column.",
    ]
    if batch:
        lines.append(
            "With --map also give --guess, so that the other columns are still found by their names."
        )
        lines.append(f"Nothing was imported; import {batch.pk} waits on the page Imports for its columns.")
    else:
        lines.append("--guess finds columns by their usual names.")
    raise CommandError("\n".join(lines))
