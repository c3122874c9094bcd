"""Segment rules: a JSON tree, checked against the catalogue of traits, compiled to SQL, explained in words. Pure.

    {"all": [rule, ...]}   {"any": [rule, ...]}   {"not": rule}   {"trait", "op", "value", "value2"}

``{"all": []}`` alone is every customer; inside a rule an empty list is refused, being somebody's mistake.
Logic is two-valued: a condition on an unknown value is false, whatever it asks (also ``!=``), unless it asks
``is_unknown``; and ``not`` of it is therefore true. A rule contributes values only, always as bound parameters:
every identifier and expression comes from a registered trait.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from unicodedata import category

from customers.core.traits import Catalogue, Trait

MAX_DEPTH = 8
MAX_CONDITIONS = 50
MAX_VALUES = 100
MAX_TEXT = 200
MAX_DAYS = 36_500
MAX_NUMBER = Decimal(10) ** 15

Value = int | Decimal | date | str | bool
Params = dict[str, Any]


class BadRule(ValueError):
    """The rule cannot be understood; ``path`` says where, such as ``all.1.value``."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}" if path else reason)


@dataclass(frozen=True)
class Condition:
    trait: Trait
    op: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class All:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    part: "Node"


Node = Condition | All | AnyOf | Not


@dataclass(frozen=True)
class Compiled:
    """A boolean SQL expression that is never NULL, its parameters, and the sources to join."""

    sql: str
    params: Params
    sources: frozenset[str]


# -- operators ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operator:
    """``sql`` of {x} against {a} and {b}; ``takes`` is none, one, two or several values, or a number of days."""

    sql: str
    takes: str
    types: frozenset[str]


_NUMBERS = frozenset({"number", "money", "share", "days"})
_ORDERED = _NUMBERS | {"date"}
_WORDS = frozenset({"text", "choice"})
_EVERY = _ORDERED | _WORDS | {"bool"}
_DATES = frozenset({"date"})

OPERATORS: dict[str, Operator] = {
    "=": Operator("{x} = {a}", "one", _EVERY),
    "!=": Operator("{x} <> {a}", "one", _ORDERED | _WORDS),
    "<": Operator("{x} < {a}", "one", _ORDERED),
    "<=": Operator("{x} <= {a}", "one", _ORDERED),
    ">": Operator("{x} > {a}", "one", _ORDERED),
    ">=": Operator("{x} >= {a}", "one", _ORDERED),
    "between": Operator("{x} BETWEEN {a} AND {b}", "two", _ORDERED),
    "in": Operator("{x} = ANY({a})", "several", _WORDS),
    "contains": Operator("strpos(lower({x}), lower({a})) > 0", "one", frozenset({"text"})),
    "within_last_days": Operator("{x} BETWEEN {today} - {a} AND {today}", "days", _DATES),
    "more_than_days_ago": Operator("{x} < {today} - {a}", "days", _DATES),
    "within_next_days": Operator("{x} BETWEEN {today} AND {today} + {a}", "days", _DATES),
    "is_known": Operator("{x} IS NOT NULL", "none", _EVERY),
    "is_unknown": Operator("{x} IS NULL", "none", _EVERY),
}
_OF_MANY = frozenset({"=", "in", "contains", "is_known", "is_unknown"})


def operators_for(trait: Trait) -> list[str]:
    """The operators a condition on ``trait`` may use, in the order to offer them."""
    fitting = (name for name, operator in OPERATORS.items() if trait.type in operator.types)
    return [name for name in fitting if not trait.many or name in _OF_MANY]


# -- JSON to nodes -----------------------------------------------------------------------------------------


def parse(rule: object, catalogue: Catalogue) -> Node:
    """The rule as nodes.

    Raises:
        BadRule: unknown trait or operator, a value that does not fit, too deep, too many conditions.
    """
    if rule == {"all": []}:
        return All(())
    node = _node(rule, catalogue, "", 1)
    if len(list(conditions(node))) > MAX_CONDITIONS:
        raise BadRule("", f"more than {MAX_CONDITIONS} conditions")
    return node


def conditions(node: Node) -> Iterator[Condition]:
    """Every condition of the rule, from left to right."""
    if isinstance(node, Condition):
        yield node
    else:
        for part in (node.part,) if isinstance(node, Not) else node.parts:
            yield from conditions(part)


def forecasts(rule: object, catalogue: Catalogue) -> list[Trait]:
    """What the rule asks that is only expected, each once; nothing of a rule that cannot be understood."""
    try:
        asked = [condition.trait for condition in conditions(parse(rule, catalogue))]
    except BadRule:
        return []
    return list({trait.name: trait for trait in asked if trait.forecast}.values())


def _node(rule: object, catalogue: Catalogue, path: str, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise BadRule(path, f"nested more than {MAX_DEPTH} deep")
    if not isinstance(rule, dict):
        raise BadRule(path, "a rule is an object with all, any, not or trait")
    if set(rule) == {"not"}:
        return Not(_node(rule["not"], catalogue, _join(path, "not"), depth + 1))
    if set(rule) in ({"all"}, {"any"}):
        (key,) = rule
        return _group(key, rule[key], catalogue, _join(path, key), depth)
    return _condition(rule, catalogue, path)


def _group(key: str, parts: object, catalogue: Catalogue, path: str, depth: int) -> Node:
    if not isinstance(parts, list) or not parts:
        raise BadRule(path, "needs a list with at least one condition")
    if len(parts) > MAX_CONDITIONS:
        raise BadRule(path, f"more than {MAX_CONDITIONS} conditions")
    nodes = tuple(
        _node(part, catalogue, _join(path, str(place)), depth + 1) for place, part in enumerate(parts)
    )
    return All(nodes) if key == "all" else AnyOf(nodes)


def _condition(rule: dict[str, object], catalogue: Catalogue, path: str) -> Condition:
    unknown = set(rule) - {"trait", "op", "value", "value2"}
    if unknown or "trait" not in rule:
        raise BadRule(path, "a condition has trait, op and value")
    trait = catalogue.traits.get(rule["trait"]) if isinstance(rule["trait"], str) else None
    if trait is None:
        raise BadRule(_join(path, "trait"), f"nothing known is called {rule['trait']!r:.80}")
    op = rule.get("op")
    if not isinstance(op, str) or op not in operators_for(trait):
        raise BadRule(_join(path, "op"), f"{trait.name} cannot be asked {op!r:.40}")
    return Condition(trait, op, _values(trait, op, rule, path))


def _values(trait: Trait, op: str, rule: dict[str, object], path: str) -> tuple[Value, ...]:
    takes = OPERATORS[op].takes
    wanted = {"none": set(), "two": {"value", "value2"}}.get(takes, {"value"})
    if set(rule) & {"value", "value2"} != wanted:
        raise BadRule(_join(path, "value"), f"{op} needs {len(wanted)} value(s)")
    place = _join(path, "value")
    if takes == "several":
        return _several(trait, rule["value"], place)
    if takes == "days":
        return (_checked(_days, rule["value"], trait, place),)
    found = tuple(
        _checked(_READERS[trait.type], rule[key], trait, _join(path, key)) for key in sorted(wanted)
    )
    if takes == "two" and found[0] > found[1]:  # type: ignore[operator]
        raise BadRule(place, "the first value is above the second")
    return found


def _several(trait: Trait, values: object, path: str) -> tuple[Value, ...]:
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_VALUES:
        raise BadRule(path, f"needs a list of 1 to {MAX_VALUES} values")
    return tuple(
        _checked(_READERS[trait.type], value, trait, _join(path, str(place)))
        for place, value in enumerate(values)
    )


def _checked(read: Callable[[object, Trait], Value], value: object, trait: Trait, path: str) -> Value:
    try:
        return read(value, trait)
    except ValueError as error:
        raise BadRule(path, str(error)) from error


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step


# -- values ------------------------------------------------------------------------------------------------


def _number(value: object, trait: Trait) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        raise ValueError("needs a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("needs a number") from error
    if not number.is_finite() or abs(number) >= MAX_NUMBER:
        raise ValueError("needs a number below 10^15")
    return int(number) if number == number.to_integral_value() else number


def _share(value: object, trait: Trait) -> Value:
    share = _number(value, trait)
    if not 0 <= share <= 1:  # type: ignore[operator]
        raise ValueError("needs a share from 0 to 1")
    return share


def _days(value: object, trait: Trait) -> Value:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_DAYS:
        raise ValueError(f"needs a whole number of days from 0 to {MAX_DAYS}")
    return value


def _date(value: object, trait: Trait) -> Value:
    if not isinstance(value, str) or len(value) != len("2026-03-02"):
        raise ValueError("needs a date such as 2026-03-02")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("needs a date such as 2026-03-02") from error


def _text(value: object, trait: Trait) -> Value:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise ValueError(f"needs a text of 1 to {MAX_TEXT} characters")
    if any(
        category(letter) in ("Cc", "Cs") for letter in value
    ):  # PostgreSQL stores no NUL, UTF-8 no surrogate
        raise ValueError("needs a text without control characters")
    return value


def _choice(value: object, trait: Trait) -> Value:
    if not isinstance(value, str) or value not in dict(trait.choices):
        raise ValueError(f"needs one of {', '.join(key for key, _label in trait.choices)}")
    return value


def _bool(value: object, trait: Trait) -> Value:
    if not isinstance(value, bool):
        raise ValueError("needs true or false")
    return value


_READERS: dict[str, Callable[[object, Trait], Value]] = {
    "number": _number,
    "money": _number,
    "days": _number,
    "share": _share,
    "date": _date,
    "text": _text,
    "choice": _choice,
    "bool": _bool,
}


# -- nodes to SQL ------------------------------------------------------------------------------------------


def to_sql(node: Node, catalogue: Catalogue, prefix: str = "p") -> Compiled:
    """The rule as SQL over ``customers_customer c``; ``prefix`` keeps the parameters of several rules apart."""
    params: Params = {}
    text = _sql(node, catalogue, params, prefix)
    sources = frozenset(condition.trait.source for condition in conditions(node) if condition.trait.source)
    return Compiled(text, params, sources)


def _sql(node: Node, catalogue: Catalogue, params: Params, prefix: str) -> str:
    if isinstance(node, Condition):
        return _condition_sql(node, catalogue, params, prefix)
    if isinstance(node, Not):
        return f"(NOT {_sql(node.part, catalogue, params, prefix)})"
    if not node.parts:
        return "(true)"
    word = " AND " if isinstance(node, All) else " OR "
    return f"({word.join(_sql(part, catalogue, params, prefix) for part in node.parts)})"


def _condition_sql(condition: Condition, catalogue: Catalogue, params: Params, prefix: str) -> str:
    trait, op = condition.trait, condition.op
    if trait.many and op in ("is_known", "is_unknown"):
        return f"({'NOT ' if op == 'is_unknown' else ''}EXISTS (SELECT 1 {trait.many}))"
    bound: list[Any] = [list(condition.values)] if OPERATORS[op].takes == "several" else [*condition.values]
    names = []
    for value in bound:
        names.append(f"%({prefix}{len(params)})s")
        params[f"{prefix}{len(params)}"] = value
    holders = dict(zip("ab", names, strict=False))
    text = OPERATORS[op].sql.format(x=catalogue.expression(trait), today="%(today)s::date", **holders)
    if trait.many:
        return f"(EXISTS (SELECT 1 {trait.many} AND ({text})))"
    return f"({text})" if OPERATORS[op].takes == "none" else f"(({text}) IS TRUE)"


def known_sql(trait: Trait, catalogue: Catalogue) -> str:
    """SQL of what is known of a customer: a value, or an array of some values of a trait with many."""
    text = catalogue.expression(trait)
    return f"ARRAY(SELECT DISTINCT {text} {trait.many} ORDER BY 1 LIMIT 20)" if trait.many else text
