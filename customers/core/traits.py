"""What a rule may ask about a customer: a registry that every app adds to at start-up. Pure.

A trait's SQL is written by a programmer and never comes from a rule. It reads ``c`` (the customer) and, as
``{alias}``, the source it names. Two bound parameters may be used: ``%(today)s``, the business day of the
evaluation, and ``%(zone)s``, the shop's time zone. A literal percent sign is doubled.

A source adds at most one row per customer, so that joining it never multiplies customers: a row with a unique
customer, or a subquery grouped by customer. A fact of which there are many per customer is a trait with ``many``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from re import fullmatch

TYPES = ("number", "money", "share", "days", "date", "text", "choice", "bool")
Choices = tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Source:
    """Where traits are read: ``join`` is SQL text after ``customers_customer c``, with ``{alias}`` for its name.

    ``{belongs}`` stands for the condition that a row is this customer's. ``needs`` names the sources that its traits read as well.
    """

    alias: str
    join: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trait:
    """One thing known, or not known (NULL), of a customer.

    ``many``, when set, is ``FROM ... WHERE ...`` naming a customer's rows by ``c.id``; ``sql`` is then the value
    of one such row and a condition holds when it holds for any of them. ``suggest`` lists values to offer in a
    form for a text; ``choices`` are the only values a choice may have. ``forecast`` says that it is expected of the
    customer, not known.
    """

    name: str
    label: object  # str, or a lazy translation
    type: str
    unit: str
    sql: str
    source: str = ""
    choices: Choices = ()
    description: object = ""
    many: str = ""
    suggest: Callable[[], Iterable[tuple[str, str]]] | None = field(default=None, compare=False)
    forecast: bool = False


@dataclass
class Catalogue:
    """Traits by name and sources by alias."""

    traits: dict[str, Trait] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    def add_source(self, source: Source) -> None:
        """Register ``source``; the same one again is harmless, another one under its alias a ValueError."""
        if self.sources.setdefault(source.alias, source) != source:
            raise ValueError(f"two sources are called {source.alias}")

    def add_trait(self, trait: Trait) -> None:
        """Register ``trait``; the same one again is harmless, another one under its name a ValueError."""
        if trait.type not in TYPES:
            raise ValueError(f"{trait.name}: no type {trait.type}")
        if trait.source and trait.source not in self.sources:
            raise ValueError(f"{trait.name}: no source {trait.source}")
        if self.traits.setdefault(trait.name, trait) != trait:
            raise ValueError(f"two traits are called {trait.name}")

    def with_needs(self, aliases: Iterable[str]) -> list[str]:
        """The aliases and what they need, each once, needed ones first."""
        ordered: dict[str, None] = {}
        for alias in aliases:
            ordered.update(dict.fromkeys([*self.with_needs(self.sources[alias].needs), alias]))
        return list(ordered)

    def joins(
        self, aliases: Iterable[str], overrides: dict[str, str] | None = None, *, ranged: bool = False
    ) -> str:
        """The SQL text joining these sources; ``overrides`` replaces the text of single ones for one evaluation.

        ``ranged``: only of customers with ``%(low)s`` <= id < ``%(high)s``, so that nothing else is read.
        """
        texts = {alias: self.sources[alias].join for alias in self.with_needs(aliases)} | {
            alias: text for alias, text in (overrides or {}).items() if alias in self.with_needs(aliases)
        }
        belongs = "{0}.customer_id = c.id"
        if ranged:  # PostgreSQL concludes equality from one table to the other, and no range
            belongs += " AND {0}.customer_id >= %(low)s AND {0}.customer_id < %(high)s"
        named = ((text, alias, belongs.format(alias)) for alias, text in texts.items())
        return "\n".join(text.format(alias=alias, belongs=theirs) for text, alias, theirs in named)

    def expression(self, trait: Trait) -> str:
        """The trait's SQL with its sources' names filled in, in brackets unless it is a mere column."""
        aliases = self.with_needs([trait.source]) if trait.source else []
        text = trait.sql.format(**{alias: alias for alias in aliases})
        return text if fullmatch(r"[\w.]+", text) else f"({text})"


_catalogue = Catalogue()


def register_source(source: Source) -> None:
    """Add a source to the one catalogue of this process."""
    _catalogue.add_source(source)


def register_trait(trait: Trait) -> None:
    """Add a trait to the one catalogue of this process; its source must be there."""
    _catalogue.add_trait(trait)


def catalogue() -> Catalogue:
    """Every trait and source the apps registered."""
    return _catalogue
