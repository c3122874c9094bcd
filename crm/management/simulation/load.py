"""Writes the simulated shop: customers, purchases and where they came from. Set at a time, in one transaction.

The one place outside services that writes rows: a past of two years cannot be told through services that record
the present. Whatever a service can tell in the past tense (surveys, answers, campaigns, coupons), it does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
from django.contrib.auth.hashers import make_password

from crm.common import sql
from crm.common.models import Shop, User
from crm.management.simulation import catalogue, load_story, story
from crm.management.simulation.people import Person, people
from crm.management.simulation.purchases import Order, daily_rates, orders
from customers.choices import ConsentStatus
from customers.models import (
    AcquisitionChannel,
    Consent,
    Customer,
    ExchangeRate,
    MarketingSpend,
    Product,
    Purchase,
    PurchaseLine,
    Refund,
)
from customers.services import rates

SOURCE = "shop"
DAYS = 730
BATCH = 4000


@dataclass
class World:
    """What the parts of the load hand to each other."""

    seed: int
    now: datetime
    shop: Shop
    staff: list[User]
    persons: list[Person]
    customers: list[Customer] = field(default_factory=list)
    products: dict[str, Product] = field(default_factory=dict)
    rates: dict[tuple[str, date], Decimal] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    recorded: int = 0

    @property
    def today(self) -> date:
        return self.shop.business_date(self.now)

    def chance(self, part: int) -> np.random.Generator:
        """A stream of its own for every part, so that a change in one leaves the others as they were."""
        return np.random.default_rng([self.seed, part])


def load(*, seed: int, now: datetime, count: int = 3000) -> World:
    """Write the whole shop; the caller gives one transaction and runs the night afterwards."""
    with sql.patient(seconds=600):
        shop = _shop()
        today = shop.business_date(now)
        drawn = people(np.random.default_rng([seed, 1]), today=today, count=count, days=DAYS)
        world = World(seed=seed, now=now, shop=shop, staff=_staff(), persons=drawn)
        world.customers = _customers(world)
        _consents(world)
        _products(world)
        _rates(world)
        yesterday = today - timedelta(days=1)
        made = orders(world.chance(3), drawn, last=yesterday, zone=shop.zone, rates=world.rates)
        record(world, made)
        _spend(world)
        load_story.tell(world, record)
    return world


def _shop() -> Shop:
    Shop.objects.update_or_create(
        only_row=True,
        defaults={
            "name": story.SHOP_NAME,
            "base_currency": "USD",
            "time_zone": "Asia/Seoul",
            "sender_name": "Haru & Co.",
            "sender_email": "hello@haru.example.com",
            "postal_address": "Haru & Co., 1 Example-ro, Jongno-gu, Seoul 00000 (simulated)",
            "phone": "+82 2-000-0000",
            "margin_rate": Decimal("0.5"),
            "is_demo": True,
        },
    )
    return Shop.current()


def name_cdnow_shop(as_of: date) -> None:
    """The shop whose real purchases the public CDNOW log holds; its calendar stands where the log ends."""
    Shop.objects.update_or_create(
        only_row=True,
        defaults={
            "name": "CDNOW (public log, 1997-98)",
            "base_currency": "USD",
            "time_zone": "America/New_York",
            "is_demo": False,
            "frozen_on": as_of,
        },
    )


def _staff() -> list[User]:
    """Three colleagues nobody can sign in as."""
    made = [
        User(
            username=username,
            first_name=given,
            last_name=f"{family} (simulated)",
            email=f"{username}@haru.example.com",
            is_staff=True,
            language=language,
            time_zone=zone,
            password=make_password(None),
        )
        for username, given, family, language, zone in story.STAFF
    ]
    User.objects.bulk_create(made, ignore_conflicts=True)
    return [User.objects.get(username=user.username) for user in made]


def _midday(day: date) -> datetime:
    return datetime.combine(day, time(3), tzinfo=UTC)  # noon in Seoul


def _customers(world: World) -> list[Customer]:
    """Customers in the order of persons; whoever was referred is written after whoever referred them."""
    channels = {
        one.code: AcquisitionChannel.objects.get_or_create(
            code=one.code, defaults={"name": one.name, "kind": one.kind}
        )[0]
        for one in catalogue.CHANNELS
    }
    made: dict[int, Customer] = {}
    waiting = world.persons
    while waiting:
        ready = [one for one in waiting if one.referrer is None or one.referrer in made]
        rows = [_customer(one, channels[one.channel.code], made.get(one.referrer or -1)) for one in ready]
        Customer.objects.bulk_create(rows, batch_size=BATCH)
        made |= dict(zip((one.number for one in ready), rows, strict=True))
        waiting = [one for one in waiting if one.number not in made]
    return [made[person.number] for person in world.persons]


def _customer(person: Person, channel: AcquisitionChannel, referrer: Customer | None) -> Customer:
    return Customer(
        external_id=f"C{person.number + 1:05d}",
        name=person.name,
        given_name=person.given_name,
        family_name=person.family_name,
        email=person.email,
        email_normalised=person.email or None,  # small ASCII letters: normal as they are
        phone=person.phone,
        language=person.market.language,
        time_zone=person.market.time_zone,
        country=person.market.country,
        channel=channel,
        acquired_at=_midday(person.came_on) - timedelta(hours=3),
        referred_by=referrer,
    )


def _consents(world: World) -> None:
    rows: list[Consent] = []
    for person in world.persons:
        wording = story.CONSENT_WORDING
        for said in person.statements:
            granted = _midday(person.came_on + timedelta(days=said.after))
            left = granted + timedelta(days=said.withdrawn) if said.withdrawn else None
            left = left if left is not None and left < world.now else None
            granted = min(granted, world.now)
            shared = {"customer": world.customers[person.number], "purpose": said.purpose}
            rows.append(
                Consent(
                    **shared,
                    status=ConsentStatus.GRANTED,
                    source=said.source,
                    wording=wording[said.purpose][person.market.language],
                    stated_at=granted,
                    recorded_at=granted,
                    superseded_at=left,
                )
            )
            if left is not None:
                withdrawn = ConsentStatus.WITHDRAWN
                rows.append(
                    Consent(
                        **shared, status=withdrawn, source="Account page", stated_at=left, recorded_at=left
                    )
                )
    Consent.objects.bulk_create(rows, batch_size=BATCH)


def _products(world: World) -> None:
    made = Product.objects.bulk_create(
        [Product(sku=item.sku, name=item.name, category=item.category) for item in catalogue.ITEMS]
    )
    world.products = {product.sku: product for product in made}


def _rates(world: World) -> None:
    first = world.today - timedelta(days=DAYS + 1)
    world.rates = daily_rates(world.chance(2), first=first, last=world.today)
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(currency=currency, day=day, rate=rate)
            for (currency, day), rate in world.rates.items()
        ],
        batch_size=BATCH,
    )


def record(world: World, made: Iterable[Order]) -> list[Purchase]:
    """Write orders with their lines and refunds; base amounts come from the rates as they always do."""
    made = list(made)
    purchases = Purchase.objects.bulk_create(
        [_purchase(world, order, world.recorded + place) for place, order in enumerate(made, start=1)],
        batch_size=BATCH,
    )
    world.recorded += len(made)
    world.orders += made
    lines = [
        PurchaseLine(
            purchase=purchase,
            position=position,
            product=world.products[line.sku],
            quantity=line.quantity,
            amount=line.amount,
        )
        for purchase, order in zip(purchases, made, strict=True)
        for position, line in enumerate(order.lines, start=1)
    ]
    PurchaseLine.objects.bulk_create(lines, batch_size=BATCH)
    rates.apply_missing_rates()
    refunds = [
        Refund(
            purchase=purchase,
            external_id=f"{purchase.external_id}-R1",
            refunded_at=order.refund.at,
            amount=order.refund.amount,
            reason=order.refund.reason,
        )
        for purchase, order in zip(purchases, made, strict=True)
        if order.refund
    ]
    Refund.objects.bulk_create(refunds, batch_size=BATCH)
    return purchases


def _purchase(world: World, order: Order, number: int) -> Purchase:
    return Purchase(
        customer=world.customers[order.number],
        source=SOURCE,
        external_id=f"SO-{number:06d}",
        purchased_at=order.at,
        purchased_on=order.day,
        amount=order.amount,
        currency=order.currency,
        base_cost=order.cost,
        sales_channel=order.sales_channel,
    )


def _spend(world: World) -> None:
    """What each channel cost a month: its price per new customer, give or take a little."""
    chance, yesterday = world.chance(4), world.today - timedelta(days=1)
    channels = {channel.code: channel for channel in AcquisitionChannel.objects.all()}
    won: dict[tuple[str, date], int] = {}
    for person in world.persons:
        key = person.channel.code, person.came_on.replace(day=1)
        won[key] = won.get(key, 0) + 1
    rows = []
    for one in catalogue.CHANNELS:
        for month in sorted(month for code, month in won if code == one.code and one.cost):
            dollars = Decimal(str(round(one.cost * won[one.code, month] * chance.uniform(0.85, 1.15), 2)))
            rate = world.rates.get((one.currency, min(month, yesterday)), Decimal(1))
            step = catalogue.STEPS[one.currency]
            amount = (dollars / rate / step).quantize(Decimal(1)) * step
            rows.append(
                MarketingSpend(channel=channels[one.code], month=month, amount=amount, currency=one.currency)
            )
    MarketingSpend.objects.bulk_create(rows)
    rates.apply_missing_rates()
