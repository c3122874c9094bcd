"""Which column of a purchase log is what, and in which style its days and amounts are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from customers.core import mapping
from ltv.core.command.cells import Amounts, Days, Unclear, amount_style, date_style

NEEDED = ("customer", "date", "amount")
OPTIONAL = ("quantity", "order", "currency")
# in a header, by the names shops give them; the first that is there
GUESSES = {
    "customer": ("customer_id", "email", "id"),
    "date": ("date",),
    "amount": ("line_amount", "amount"),
    "order": ("order_id",),
    "currency": ("currency",),
}
STYLES = {"date": (date_style, "--date-format"), "amount": (amount_style, "--number-style")}


class BadLog(ValueError):
    """The file cannot be read as a purchase log; one sentence that names row and column."""


@dataclass(frozen=True)
class Wanted:
    """What the user said of the file.

    columns: fact -> title, or #3 for the third. Empty strings are found out. until: rows of later
    days (counted from 1970-01-01) are left out.
    """

    columns: dict[str, str]
    encoding: str = ""
    date_format: str = ""
    number_style: str = ""
    skip_incomplete: bool = False
    until: int | None = None


@dataclass(frozen=True)
class Layout:
    """``places``: fact -> column, counted from 0, where the file has one."""

    header: bool
    titles: tuple[str, ...]
    places: dict[str, int]
    day: Days
    amount: Amounts

    def title(self, fact: str) -> str:
        return self.titles[self.places[fact]]


def layout(rows: Sequence[Sequence[str]], wanted: Wanted, zone: ZoneInfo) -> Layout:
    """How to read a file that begins with these rows.

    Raises:
        BadLog: a column is not there or cannot be told, or a style cannot be.
    """
    if not rows:
        raise BadLog("the file has no rows")
    header = not any(mapping.possible_dates([cell]) for cell in rows[0])
    data = rows[1:] if header else rows
    titles = tuple(rows[0]) if header else tuple(f"#{n}" for n in range(1, len(rows[0]) + 1))
    if not data:
        raise BadLog("the file has a header and no rows")
    guesses = _by_title(titles) if header else _by_content(data)
    places = {
        fact: _place(title, titles) if (title := wanted.columns.get(fact)) else guesses[fact]
        for fact in (*NEEDED, *OPTIONAL)
        if wanted.columns.get(fact) or fact in guesses
    }
    for fact in NEEDED:
        if fact not in places:
            raise BadLog(
                f"no column looks like the {fact}; name it with --{fact}, one of: {', '.join(titles)}"
            )
    samples = {fact: _sample(data, place) for fact, place in places.items()}
    return Layout(
        header=header,
        titles=titles,
        places=places,
        day=Days(_style("date", wanted.date_format, samples, titles[places["date"]]), zone),
        amount=Amounts(_style("amount", wanted.number_style, samples, titles[places["amount"]])),
    )


def _sample(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in rows if place < len(row) and row[place]]


def _style(fact: str, wanted: str, samples: dict[str, list[str]], title: str) -> str:
    """The style of a column, as the user said or as the sample says."""
    if wanted:
        return wanted
    find, option = STYLES[fact]
    try:
        return find(samples[fact])
    except Unclear as error:
        example = repr(samples[fact][0]) if samples[fact] else "empty"
        what = f"could be {error}" if error.styles else f"is no {fact} we know how to read"
        raise BadLog(f"column {title!r}: {example} {what}; say which with {option}") from error


def _by_title(titles: Sequence[str]) -> dict[str, int]:
    found = mapping.guess(titles)
    bare = [title for title in titles if title.casefold() == "id"]
    if bare:
        found["id"] = bare[0]
    return {
        fact: titles.index(found[name])
        for fact, names in GUESSES.items()
        if (name := next((name for name in names if name in found), None))
    }


def _by_content(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Without a header: the column of days, the first column for the customer, the last number."""
    columns = [[row[n] for row in rows if n < len(row)] for n in range(len(rows[0]))]
    days = [n for n, cells in enumerate(columns) if mapping.possible_dates(cells)]
    found = {"date": days[0]} if days else {}
    others = [n for n in range(len(columns)) if n not in days]
    numbers = [n for n in others[1:] if mapping.possible_numbers(columns[n])]
    if others:
        found["customer"] = others[0]
    if numbers:
        found["amount"] = numbers[-1]
    return found


def _place(title: str, titles: Sequence[str]) -> int:
    if title.startswith("#") and title[1:].isdigit() and 1 <= int(title[1:]) <= len(titles):
        return int(title[1:]) - 1
    if titles.count(title) != 1:
        many = "several columns are" if title in titles else "no column is"
        raise BadLog(f"{many} called {title!r}; the columns are: {', '.join(titles)}")
    return titles.index(title)
