"""One customer's story, told by every app: tellers register; ``customers.reports.story`` asks them all at once. Pure."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

KINDS = frozenset(
    ["purchase", "refund", "interaction", "mail", "survey", "segment", "consent", "coupon", "system"]
)


@dataclass(frozen=True)
class TimelineItem:
    """One thing that happened. ``key`` is unique and stable, such as ``purchase:12``."""

    at: datetime
    kind: str
    icon: str
    title: str
    detail: str = ""
    author: str = ""
    url: str = ""
    key: str = ""


@dataclass(frozen=True)
class Told:
    """A row of a teller's query: what happened, before it is put into words."""

    what: str
    id: int
    kind: str
    at: datetime
    json: str

    @cached_property
    def facts(self) -> dict[str, Any]:
        return json.loads(self.json)  # type: ignore[no-any-return]

    def item(
        self, *, icon: str, title: str, detail: str = "", author: str | None = "", url: str = ""
    ) -> TimelineItem:
        return TimelineItem(
            at=self.at,
            kind=self.kind,
            icon=icon,
            title=title,
            detail=detail,
            author=author or "",
            url=url,
            key=f"{self.what}:{self.id}",
        )


@dataclass(frozen=True)
class Teller:
    """A part of the story: the query ``app/sql/<name>.sql`` (see ``customers/sql/story.sql``) and its words.

    ``kinds`` are what it may tell, so that a filtered timeline does not ask those who have nothing to say.
    """

    query: str
    kinds: frozenset[str]
    words: Mapping[str, Callable[[Told], TimelineItem]]  # by what happened


_tellers: dict[str, Teller] = {}


def register(
    query: str, *, kinds: Collection[str], words: Mapping[str, Callable[[Told], TimelineItem]]
) -> None:
    """Let ``query`` tell its part; a second registration replaces the first."""
    _tellers[query] = Teller(query, frozenset(kinds), words)


def tellers(kinds: Collection[str] = KINDS) -> list[Teller]:
    """Who tells something of ``kinds``."""
    return [teller for teller in _tellers.values() if not teller.kinds.isdisjoint(kinds)]
