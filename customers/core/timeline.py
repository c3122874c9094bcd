"""One customer's story, told by every app: providers register, ``items`` merges them. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

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


# (customer_id, before, limit) -> newest first, in one query a kind
Provider = Callable[[int, datetime | None, int], list[TimelineItem]]

_SAME_INSTANT = 20  # how many items of one instant a page may be longer by

_providers: dict[str, tuple[Provider, frozenset[str]]] = {}


def register(name: str, provider: Provider, *, kinds: Collection[str] = KINDS) -> None:
    """Let ``provider`` tell its part; a second registration under ``name`` replaces the first.

    ``kinds`` are what it may tell, so that a filtered timeline does not ask those who have nothing to say.
    """
    _providers[name] = (provider, frozenset(kinds))


def registered() -> dict[str, frozenset[str]]:
    """Who tells which kinds."""
    return {name: kinds for name, (_provider, kinds) in _providers.items()}


def items(
    customer_id: int,
    *,
    before: datetime | None = None,
    limit: int = 50,
    kinds: Collection[str] | None = None,
) -> list[TimelineItem]:
    """The newest ``limit`` items before an instant, newest first; ties in the order of their keys.

    Items at one instant stay on one page even above ``limit``, because the next page starts strictly before it.
    """
    wanted = KINDS if kinds is None else frozenset(kinds)
    told = [
        item
        for provider, offered in _providers.values()
        if offered & wanted
        for item in provider(customer_id, before, limit + _SAME_INSTANT)
        if item.kind in wanted
    ]
    told.sort(key=_newest_first)
    page = told[:limit]
    return page + [item for item in told[limit:] if item.at == page[-1].at]


def _newest_first(item: TimelineItem) -> tuple[float, str]:
    return -item.at.timestamp(), item.key
