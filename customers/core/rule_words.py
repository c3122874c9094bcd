"""Segment rules in words. Pure: the caller passes the translation and the name of the currency."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from customers.core.rules import All, Condition, Node, Not
from customers.core.texts import gettext_noop
from customers.core.traits import Trait

_TEMPLATES = {
    "=": gettext_noop("{label} is {value}"),
    "!=": gettext_noop("{label} is not {value}"),
    "<": gettext_noop("{label} is below {value}"),
    "<=": gettext_noop("{label} is at most {value}"),
    ">": gettext_noop("{label} is above {value}"),
    ">=": gettext_noop("{label} is at least {value}"),
    "between": gettext_noop("{label} is between {value} and {value2}"),
    "in": gettext_noop("{label} is one of {value}"),
    "contains": gettext_noop("{label} contains “{value}”"),
    "within_last_days": gettext_noop("{label} was within the last {value} days"),
    "more_than_days_ago": gettext_noop("{label} was more than {value} days ago"),
    "within_next_days": gettext_noop("{label} is within the next {value} days"),
    "is_known": gettext_noop("{label} is known"),
    "is_unknown": gettext_noop("{label} is not known"),
}
OPERATOR_LABELS = {
    "=": gettext_noop("is"),
    "!=": gettext_noop("is not"),
    "<": gettext_noop("is below"),
    "<=": gettext_noop("is at most"),
    ">": gettext_noop("is above"),
    ">=": gettext_noop("is at least"),
    "between": gettext_noop("is between"),
    "in": gettext_noop("is one of"),
    "contains": gettext_noop("contains"),
    "within_last_days": gettext_noop("was within the last (days)"),
    "more_than_days_ago": gettext_noop("was more than (days) ago"),
    "within_next_days": gettext_noop("is within the next (days)"),
    "is_known": gettext_noop("is known"),
    "is_unknown": gettext_noop("is not known"),
}
_YES, _NO = gettext_noop("{label}: yes"), gettext_noop("{label}: no")
_NEGATED, _EVERYONE = gettext_noop("not ({rule})"), gettext_noop("every customer")
_AND, _OR = gettext_noop("{first} and {second}"), gettext_noop("{first} or {second}")
_DAYS = gettext_noop("{value} days")
_SHARE = gettext_noop("{value}%")
_YES_ALONE, _NO_ALONE, _UNKNOWN = gettext_noop("yes"), gettext_noop("no"), gettext_noop("not known")
_LONGEST_LIST = 5
_LEAST = Decimal("0.001")  # of a share that is shown


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Words:
    """``translate`` gives a template in the reader's language; ``currency`` follows amounts of money."""

    translate: Callable[[str], str] = _same
    currency: str = ""

    def rule(self, node: Node) -> str:
        """The whole rule as one sentence without a full stop."""
        text = self._node(node, inside=False)
        return text[:1].upper() + text[1:]

    def condition(self, condition: Condition) -> str:
        """One condition: "Days since last purchase is at least 30 days"."""
        label, values = str(condition.trait.label), condition.values
        if condition.trait.type == "bool" and condition.op == "=":
            return self.translate(_YES if values[0] else _NO).format(label=label)
        filled = {"label": label}
        if condition.op == "in":
            filled["value"] = self._several([self.value(condition.trait, value) for value in values])
        elif condition.op.endswith(("_days", "_ago")):
            filled["value"] = str(values[0])
        else:
            names = ("value", "value2")
            filled |= {
                name: self.value(condition.trait, value) for name, value in zip(names, values, strict=False)
            }
        return self.translate(_TEMPLATES[condition.op]).format(**filled)

    def value(self, trait: Trait, value: object) -> str:
        """What a rule asks for: "50%", "30 days", "Korean"."""
        if value is None or value == []:
            return self.translate(_UNKNOWN)
        if isinstance(value, list):
            return self._several([str(one) for one in value])
        if isinstance(value, bool):
            return self.translate(_YES_ALONE if value else _NO_ALONE)
        if isinstance(value, int | float | Decimal):
            return self._number(trait, Decimal(str(value)))
        if isinstance(value, date):
            return value.isoformat()
        return str(dict(trait.choices).get(str(value), value))

    def known(self, trait: Trait, value: object) -> str:
        """A customer's own value: a share to one decimal, but never as a certainty that it is not."""
        if trait.type != "share" or not isinstance(value, int | float | Decimal):
            return self.value(trait, value)
        share = Decimal(str(value))
        rounded = round(share, 3)
        if rounded <= 0 < share:
            return f"< {self._number(trait, _LEAST)}"
        return (
            f"> {self._number(trait, 1 - _LEAST)}" if rounded >= 1 > share else self._number(trait, rounded)
        )

    def _number(self, trait: Trait, value: Decimal) -> str:
        if trait.type == "share":
            return self.translate(_SHARE).format(value=_plain(value * 100))
        if trait.type == "days":
            return self.translate(_DAYS).format(value=_plain(value))
        if trait.type == "money":
            return f"{_plain(value)} {self.currency}".strip()
        return _plain(value)

    def _several(self, values: list[str]) -> str:
        shown = ", ".join(values[:_LONGEST_LIST])
        return shown if len(values) <= _LONGEST_LIST else f"{shown}, … ({len(values)})"

    def _node(self, node: Node, *, inside: bool) -> str:
        if isinstance(node, Condition):
            return self.condition(node)
        if isinstance(node, Not):
            return self.translate(_NEGATED).format(rule=_uncapitalised(self._node(node.part, inside=False)))
        if not node.parts:
            return self.translate(_EVERYONE)
        together, *others = (self._node(part, inside=len(node.parts) > 1) for part in node.parts)
        template = self.translate(_AND if isinstance(node, All) else _OR)
        for other in others:
            together = template.format(first=together, second=_uncapitalised(other))
        return f"({_uncapitalised(together)})" if inside and others else together


def _plain(value: Decimal) -> str:
    """Up to two decimals, thousands separated, no trailing zeros."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def _uncapitalised(text: str) -> str:
    """The text in mid-sentence; an abbreviation (LTV, NPS) keeps its capitals."""
    return text if text[1:2].isupper() or text[1:2] == "-" else text[:1].lower() + text[1:]
