"""Who may do what: the four roles as one table. ``manage.py setup`` makes the groups hold exactly this."""

from django.utils.translation import pgettext_lazy

OWNER, MARKETER, AGENT, VIEWER = "owner", "marketer", "agent", "viewer"
_WORDS = {
    OWNER: pgettext_lazy("role", "owner"),
    MARKETER: pgettext_lazy("role", "marketer"),
    AGENT: pgettext_lazy("role", "agent"),
    VIEWER: pgettext_lazy("role", "viewer"),
}


def in_words(role: str) -> str:
    """The role's name in the reader's language; one that is not ours keeps its own."""
    return str(_WORDS.get(role, role))


def _may(app: str, model: str, *verbs: str) -> frozenset[str]:
    return frozenset(f"{app}.{verb}_{model}" for verb in verbs)


_VIEWED = {
    "customers": (
        "customer purchase refund product purchaseline consent interaction followup segment segmentmembership "
        "acquisitionchannel marketingspend exchangerate importbatch"
    ),
    "ltv": "customerltv ltvrun reportcard",
    "feedback": "survey question invitation response theme action",
    "campaigns": "campaign variant offer coupon message enrolment suppression",
    "common": "jobrun",
}
_SEES = frozenset().union(
    *(_may(app, model, "view") for app, models in _VIEWED.items() for model in models.split())
)
_TALKS = (
    _may("customers", "customer", "add", "change")
    | _may("customers", "interaction", "add")
    | _may("customers", "followup", "add", "change")
    | _may("customers", "consent", "add")
    | _may("feedback", "response", "change")
    | _may("feedback", "theme", "add", "change")
    | _may("feedback", "action", "add", "change")
    | _may("campaigns", "coupon", "change")
)
_MARKETS = (
    _may("customers", "customer", "merge", "erase")
    | _may("customers", "segment", "add", "change", "delete")
    | _may("customers", "acquisitionchannel", "add", "change")
    | _may("customers", "marketingspend", "add", "change")
    | _may("customers", "importbatch", "add", "change")
    | _may("campaigns", "campaign", "add", "change")
    | _may("campaigns", "variant", "add", "change")
    | _may("campaigns", "offer", "add", "change")
    | _may("campaigns", "message", "change")
    | _may("campaigns", "suppression", "add")
    | _may("campaigns", "mailboxmessage", "view")
    | _may("feedback", "survey", "add", "change")
    | _may("common", "jobrun", "add")
)
_OWNS = (
    _may("common", "shop", "view", "change")
    | _may("common", "user", "view", "add", "change")
    | _may("common", "apikey", "view", "add", "change")
    | _may("customers", "exchangerate", "add", "change")
    | _may("customers", "purchase", "add", "change")
    | _may("customers", "refund", "add")
    | _may("customers", "product", "add", "change")
    | _may("campaigns", "suppression", "change")
    | _may("ltv", "reportcard", "change")
    | _may("auth", "group", "view")
    | _may("axes", "accessattempt", "view", "delete")
)

ROLES: dict[str, frozenset[str]] = {
    VIEWER: _SEES,
    AGENT: _SEES | _TALKS,
    MARKETER: _SEES | _TALKS | _MARKETS,
    OWNER: _SEES | _TALKS | _MARKETS | _OWNS,
}
