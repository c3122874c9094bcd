"""The command: its options, its messages, its exit codes."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from customers.core.mapping import DATE_FORMATS, NUMBER_STYLES
from ltv.core.command import pictures, report, valuing
from ltv.core.command.layout import BadLog, Wanted
from ltv.core.command.reading import Purchases, read
from ltv.core.command.valuing import Asked, NobodyBought, Valuation
from ltv.core.days import day_number

BAD = 2
LONGEST = 36_500
DESCRIPTION = """\
What the customers in a purchase log are worth: how often they will buy, how much they will spend, how sure that is,
and how well the same forecast would have done in the past. One row of the log is a purchase (or a line of one):
customer, date, amount. A negative amount is a refund. Columns are found by their usual names.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Value a file; 0 when done, 2 when something is wrong with the file or the options."""
    asked = _parser().parse_args(arguments)
    progress = Progress()
    try:
        if asked.plot:
            pictures.require()
        log, found = _value(asked, progress)
        progress.clear()
        for line in report.lines(found, log, asked.currency or log.currency):
            print(line)
        sys.stdout.flush()
        _write(asked, log, found)
    except (BadLog, NobodyBought) as error:
        return _refuse(progress, f"{asked.file}: {error}")
    except pictures.NoPicture as error:
        return _refuse(progress, str(error))
    except BrokenPipeError:  # the reader of the table has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return _refuse(progress, f"{error.filename or asked.file}: {error.strerror}")
    return 0


def _refuse(progress: Progress, why: str) -> int:
    progress.clear()
    print(f"ltv.core: {why}", file=sys.stderr)
    return BAD


def _value(asked: argparse.Namespace, progress: Progress) -> tuple[Purchases, Valuation]:
    wanted = Wanted(
        columns={fact: getattr(asked, fact) for fact in COLUMNS},
        encoding=asked.encoding,
        date_format=asked.date_format,
        number_style=asked.number_style,
        skip_incomplete=asked.skip_incomplete,
        until=asked.until,
    )
    log = read(
        asked.file, wanted, asked.time_zone, lambda share: progress.show(f"reading {100 * share:.0f}%")
    )
    if not len(log.log.days):
        raise NobodyBought
    until = asked.until if asked.until is not None else int(log.log.last_day.astype(np.int64))
    terms = Asked(asked.horizon, asked.margin, asked.discount)
    return log, valuing.value(log.log, until, terms, progress.show)


def _write(asked: argparse.Namespace, log: Purchases, found: Valuation) -> None:
    if asked.out:
        with asked.out.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(report.customers(found, log.names))
        print(f"\nEvery customer is in {asked.out}.")
    if asked.plot:
        pictures.draw(asked.plot, found.checked, found.best, asked.currency or log.currency)
        print(f"\nThe picture of the latest check is in {asked.plot}.")


class Progress:
    """One line on stderr that is written over, where stderr is a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self._shown:
            print(f"\r\033[K{text} ...", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


COLUMNS = {
    "customer": "who bought: a number, a name or an address",
    "date": "when: a day, or a time",
    "amount": "for how much; negative for a refund",
    "order": "which order it belongs to; a refund that names its order is taken off that one",
    "quantity": "by which the amount is multiplied, where it is that of a single piece",
}


class Parser(argparse.ArgumentParser):
    """Refuses in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD, f"ltv.core: {message} (--help says more)\n")


def _parser() -> Parser:
    parser = Parser(prog="python -m ltv.core", description=DESCRIPTION)
    parser.add_argument(
        "file", type=Path, help="CSV, or columns set apart by semicolons, tabs, bars or spaces"
    )
    columns = parser.add_argument_group("columns of the file, by title or as #3 for the third")
    for name, meaning in COLUMNS.items():
        columns.add_argument(f"--{name}", default="", metavar="COLUMN", help=meaning)
    writing = parser.add_argument_group("how the file is written, where it does not say so itself")
    writing.add_argument(
        "--date-format", default="", choices=DATE_FORMATS, metavar="FORMAT", help=_one_of(DATE_FORMATS)
    )
    writing.add_argument(
        "--number-style", default="", choices=NUMBER_STYLES, metavar="STYLE", help=_one_of(NUMBER_STYLES)
    )
    writing.add_argument("--encoding", default="", help="such as cp949, cp932, cp1252 (default: UTF-8)")
    writing.add_argument(
        "--time-zone", type=_zone, default=ZoneInfo("UTC"), metavar="ZONE",
        help="where days begin, for times with an offset, such as Asia/Seoul (default: UTC)",
    )  # fmt: skip
    writing.add_argument(
        "--skip-incomplete", action="store_true", help="leave out rows without customer, date or amount"
    )
    terms = parser.add_argument_group("what to work out")
    terms.add_argument(
        "--until", type=_day, metavar="YYYY-MM-DD", help="the last day to count (default: of the log)"
    )
    terms.add_argument(
        "--horizon", type=_positive, default=365, metavar="DAYS", help="how far ahead (default: 365)"
    )
    terms.add_argument("--margin", type=_share, default=1.0, help="share of revenue, .3 is 30%% (default: 1)")
    terms.add_argument("--discount", type=_rate, default=0.1, help="a year, .1 is 10%% (default: .1)")
    terms.add_argument("--currency", default="", metavar="LABEL", help="written behind amounts")
    results = parser.add_argument_group("what to write beside the table")
    results.add_argument("--out", type=Path, metavar="FILE.csv", help="a row for every customer")
    results.add_argument(
        "--plot", type=_picture, metavar="FILE.png|svg", help="forecast and past, needs matplotlib"
    )
    return parser


def _one_of(names: Iterable[str]) -> str:
    return "one of: " + "  ".join(names)


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"there is no time zone {text!r}") from error


def _day(text: str) -> int:
    try:
        return day_number(date.fromisoformat(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day written as YYYY-MM-DD") from error


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days between 1 and {LONGEST}")
    return int(text)


def _share(text: str) -> float:
    return _between(text, 0.0, 1.0)


def _rate(text: str) -> float:
    return _between(text, 0.0, 10.0)


def _between(text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
    return number


def _picture(text: str) -> Path:
    if Path(text).suffix.lower() not in pictures.FORMATS:
        raise argparse.ArgumentTypeError(f"{text!r} is neither .png nor .svg")
    return Path(text)
