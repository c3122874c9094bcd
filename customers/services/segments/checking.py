"""Is this a rule? The refusals of segments, and the rule in words."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError, InvalidInput
from crm.common.models import Shop
from customers.core import rules
from customers.core.rule_words import Words
from customers.core.traits import catalogue


class BadSegmentRule(InvalidInput):
    """The rule cannot be understood; ``detail["path"]`` says where."""

    code = "bad_segment_rule"
    message = _("The rule is not valid.")


class DuplicateSegment(DomainError):
    """Another segment has this key or name."""

    code = "duplicate_segment"
    message = _("Another segment has this key or name.")


class SegmentArchived(DomainError):
    """An archived segment is not changed any more."""

    code = "segment_archived"
    message = _("This segment is archived.")


class PreviewTooSlow(DomainError):
    """Counting took longer than a person waits; the segment itself can still be kept."""

    code = "preview_too_slow"
    message = _("Counting takes too long. Save the segment: its members are found in the background.")


class UnknownCustomer(DomainError):
    """There is no such customer."""

    code = "unknown_customer"
    status = 404
    message = _("There is no such customer.")


def check_rule(rule: object) -> rules.Node:
    """The rule as nodes, against everything the apps know of a customer.

    Raises:
        BadSegmentRule: the rule cannot be understood.
    """
    try:
        return rules.parse(rule, catalogue())
    except rules.BadRule as error:
        raise BadSegmentRule(str(error), field="rule", path=error.path, reason=error.reason) from error


def words() -> Words:
    """What explains rules in the reader's language and the shop's currency."""
    return Words(gettext, Shop.current().base_currency)


def explain(rule: object) -> str:
    """The rule as a sentence: "Chance of no purchase in 90 days is at least 50% and country is KR".

    Raises:
        BadSegmentRule: the rule cannot be understood.
    """
    return words().rule(check_rule(rule))
