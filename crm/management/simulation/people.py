"""Who the customers are. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from crm.management.simulation import names
from crm.management.simulation.catalogue import CHANNELS, MARKETS, Channel, Market

NEVER_BUYS = 0.04
NO_ADDRESS = 0.03
_NAMES = {
    "ko": (names.KOREAN_FAMILY, names.KOREAN_GIVEN),
    "ja": (names.JAPANESE_FAMILY, names.JAPANESE_GIVEN),
    "en": (names.ENGLISH_FAMILY, names.ENGLISH_GIVEN),
}


@dataclass(frozen=True)
class Statement:
    """What a person said about being contacted, so many days after they came; ``withdrawn`` days later, if at all."""

    purpose: str
    source: str
    after: int
    withdrawn: int | None


@dataclass(frozen=True)
class Person:
    number: int
    name: str
    given_name: str
    family_name: str
    email: str
    phone: str
    market: Market
    channel: Channel
    came_on: date
    buys: bool
    referrer: int | None  # index of an earlier person
    statements: tuple[Statement, ...] = field(default=())


def people(rng: np.random.Generator, *, today: date, count: int, days: int) -> list[Person]:
    """``count`` persons who came within the last ``days``, the earliest first."""
    came = np.sort(np.floor(days * rng.random(count) ** 0.85).astype(int))[::-1] + 1
    markets = _drawn(rng, MARKETS, [market.share for market in MARKETS], count)
    channels = _drawn(rng, CHANNELS, [channel.share for channel in CHANNELS], count)
    used: set[str] = set()
    return [
        _person(
            rng, number, today - timedelta(days=int(came[number])), markets[number], channels[number], used
        )
        for number in range(count)
    ]


def _drawn(rng: np.random.Generator, things: Sequence, shares: list[float], count: int) -> list:
    weights = np.array(shares) / sum(shares)
    return [things[index] for index in rng.choice(len(things), size=count, p=weights)]


def _person(
    rng: np.random.Generator, number: int, came_on: date, market: Market, channel: Channel, used: set[str]
) -> Person:
    family, given = (table[rng.integers(len(table))] for table in _NAMES[market.language])
    referrer = int(rng.integers(number)) if channel.kind == "referral" and number > 20 else None
    return Person(
        number=number,
        name=_written(market.language, family[0], given[0]),
        given_name=given[0],
        family_name=family[0],
        email="" if rng.random() < NO_ADDRESS else _address(rng, family[1], given[1], used),
        phone=market.phone.format(int(rng.integers(100))) if rng.random() < 0.6 else "",
        market=market,
        channel=channel,
        came_on=came_on,
        buys=bool(rng.random() >= NEVER_BUYS),
        referrer=referrer,
        statements=_statements(rng),
    )


def _written(language: str, family: str, given: str) -> str:
    if language == "en":
        return f"{given} {family}"
    return f"{family} {given}" if language == "ja" else f"{family}{given}"


def _address(rng: np.random.Generator, family: str, given: str, used: set[str]) -> str:
    """An address nobody has: the name, then a number where the name is taken."""
    domain = names.DOMAINS[rng.integers(len(names.DOMAINS))]
    local = f"{given}.{family}" if rng.random() < 0.6 else f"{family}{given}"
    address, suffix = f"{local}@{domain}", int(rng.integers(70, 100))
    while address in used:
        suffix += 1
        address = f"{local}{suffix}@{domain}"
    used.add(address)
    return address


def _statements(rng: np.random.Generator) -> tuple[Statement, ...]:
    """Three of four say yes to offers, half to surveys; some take it back."""
    said = []
    for purpose, share, leaving in (("marketing", 0.75, 0.08), ("survey", 0.62, 0.03)):
        if rng.random() < share:
            source = ("Checkout form", "Account page", "Newsletter form", "Store counter")[
                rng.choice(4, p=[0.6, 0.15, 0.15, 0.1])
            ]
            withdrawn = int(rng.integers(20, 400)) if rng.random() < leaving else None
            said.append(Statement(purpose, source, int(rng.integers(3)), withdrawn))
    return tuple(said)
