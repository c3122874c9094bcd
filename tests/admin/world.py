"""A shop with ``n`` of everything a page can show, around one customer; and where every page is."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.urls import reverse

from campaigns.choices import CampaignStatus, MessageStatus
from campaigns.models import MailboxMessage
from crm.common.api_access import issue_key
from crm.common.choices import JobState
from crm.common.models import JobRun, User
from customers.choices import InteractionKind
from customers.models import Customer, Segment
from feedback.choices import QuestionKind
from ltv.services.backtesting import JOB as CHECK
from ltv.services.night import JOB
from tests.factories import (
    ActionFactory,
    AnswerFactory,
    CampaignFactory,
    ChannelFactory,
    ConsentFactory,
    CouponFactory,
    CustomerFactory,
    CustomerLtvFactory,
    EnrolmentFactory,
    ExchangeRateFactory,
    FollowUpFactory,
    ImportBatchFactory,
    InteractionFactory,
    InvitationFactory,
    LtvRunFactory,
    MembershipFactory,
    MessageFactory,
    OfferFactory,
    ProductFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    QuestionFactory,
    RefundFactory,
    ReportCardFactory,
    ReproductionFactory,
    ResponseFactory,
    SegmentFactory,
    SpendFactory,
    SuppressionFactory,
    SurveyFactory,
    ThemeFactory,
    UserFactory,
    VariantFactory,
    publish,
)

NIGHT = datetime(2026, 3, 1, 17, 15, tzinfo=UTC)
MAIL = (
    b"From: Shop <hello@shop.example>\r\nTo: a@b.example\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p><script>alert(1)</script>"
)
DECILES = [
    {"decile": d, "customers": 3, "clv": str(200 - 20 * d), "revenue": str(300 - 20 * d)}
    for d in range(1, 11)
]
FIGURES = {
    "active": 7,
    "at_risk": 2,
    "margin_at_risk": "99.000",
    "deciles": DECILES,
    "months": [{"month": f"2026-0{m}", "revenue": "1200.50", "purchases": 9} for m in (1, 2, 3)],
}


@dataclass(frozen=True)
class World:
    """The ids the pages are opened with."""

    ids: dict[str, int]

    def url(self, name: str) -> str:
        """The address of a page of ours, its ids filled in from this world."""
        return (
            reverse(f"crm:{name}", kwargs=ARGUMENTS[name](self.ids))
            if name in ARGUMENTS
            else reverse(f"crm:{name}")
        )


def build(n: int, *, staff: User, name: str = "Kim Minsu") -> World:
    """``n`` rows of everything, each page's subject being the last one made."""
    if not LtvRunFactory._meta.model.objects.exists():
        publish(LtvRunFactory(figures=FIGURES, customers=n, buyers=n, clv=Decimal(500), currency="USD"))
    one = CustomerFactory(name=name, channel=ChannelFactory())
    CustomerLtvFactory(customer=one)
    ids = {"customer": one.pk}
    for _place in range(n):
        ids |= _facts(one, staff, name) | _feedback(one, name) | _campaign(one, name)
        ids |= _running(staff, one)
    risky = Segment.objects.filter(key="at-risk").first() or SegmentFactory(key="at-risk", name="At risk")
    for _place in range(n):
        other = CustomerFactory(name=name, channel=one.channel)
        CustomerLtvFactory(customer=other, p_no_purchase=0.6)
        MembershipFactory(segment=risky, customer=other, entered_at=NIGHT + timedelta(minutes=1))
        ConsentFactory(customer=other)
        FollowUpFactory(customer=other, assigned_to=staff, due_on=date(2026, 1, 1))
    ids["segment"] = risky.pk
    return World(ids)


def _facts(one: object, staff: User, name: str) -> dict[str, int]:
    line = PurchaseLineFactory(purchase=PurchaseFactory(customer=one), product=ProductFactory(name=name))
    RefundFactory(purchase=line.purchase)
    PurchaseFactory(customer=one, currency="EUR")
    ConsentFactory(customer=one, superseded_at=NIGHT)
    InteractionFactory(customer=one, staff=staff, kind=InteractionKind.CALL, note=name)
    step = FollowUpFactory(customer=one, assigned_to=staff, due_on=date(2026, 1, 1), text=name)
    MembershipFactory(
        customer=one, segment=SegmentFactory(rule={"all": [{"trait": "ltv.orders", "op": ">=", "value": 1}]})
    )
    SpendFactory(channel=ChannelFactory())
    ExchangeRateFactory(day=date(2020, 1, 1) + timedelta(days=step.pk))
    return {"step": step.pk}


def _feedback(one: object, name: str) -> dict[str, int]:
    survey, theme = SurveyFactory(), ThemeFactory()
    question = QuestionFactory(survey=survey)
    QuestionFactory(survey=survey, kind=QuestionKind.TEXT)
    said = ResponseFactory(invitation=InvitationFactory(survey=survey, customer=one), comment=name)
    AnswerFactory(response=said, question=question)
    said.themes.add(theme)
    action = ActionFactory(theme=theme)
    return {"survey": survey.pk, "response": said.pk, "theme": theme.pk, "action": action.pk}


def _campaign(one: object, name: str) -> dict[str, int]:
    running = CampaignFactory(status=CampaignStatus.RUNNING, offer=OfferFactory())
    VariantFactory(campaign=running)
    enrolment = EnrolmentFactory(campaign=running, customer=one)
    message = MessageFactory(enrolment=enrolment, status=MessageStatus.UNKNOWN)
    CouponFactory(enrolment=enrolment)
    draft = CampaignFactory()
    VariantFactory(campaign=draft, body="Dear {{ name }}, {{ coupon_code }}")
    mail = MailboxMessage.objects.create(
        received_at=NIGHT,
        envelope_from="hello@shop.example",
        recipients=["a@b.example"],
        subject=name,
        raw=MAIL,
    )
    SuppressionFactory()
    return {"campaign": running.pk, "draft": draft.pk, "message": message.pk, "mail": mail.pk}


def _running(staff: User, one: Customer) -> dict[str, int]:
    made = JobRun.objects.count()
    run = JobRun.objects.create(
        job=JOB,
        business_date=date(2026, 3, 1) - timedelta(days=made),
        state=JobState.DONE,
        requested_at=NIGHT,
        started_at=NIGHT,
        finished_at=NIGHT,
        requested_by=staff,
    )
    stage = run.stages.create(
        place=0,
        name="summaries",
        state="done",
        done=3,
        started_at=NIGHT,
        finished_at=NIGHT + timedelta(seconds=1.5),
    )
    stage.parts.create(
        number=1, low=0, high=9, state="done", worker="a:1", started_at=NIGHT, finished_at=NIGHT
    )
    check = JobRun.objects.create(
        job=CHECK, business_date=NIGHT.date() - timedelta(days=made), requested_at=NIGHT, requested_by=staff
    )
    card = ReportCardFactory(light="red", run=check)
    again = ReproductionFactory(run=LtvRunFactory(job=run), of=one)
    key, _text = issue_key(user=UserFactory(), name="till")
    ImportBatchFactory()
    return {"run": run.pk, "check": check.pk, "card": card.pk, "again": again.job_id, "key": key.pk}


def _one(kwarg: str, of: str):
    return lambda ids: {kwarg: ids[of]}


ARGUMENTS = {
    "follow_up_close": _one("pk", "step"),
    "customer": _one("pk", "customer"),
    "customer_edit": _one("pk", "customer"),
    "customer_merge": _one("pk", "customer"),
    "customer_erase": _one("pk", "customer"),
    "customer_value": _one("pk", "customer"),
    "customer_log": _one("pk", "customer"),
    "customer_step": lambda ids: {"pk": ids["customer"], "step": ids["step"]},
    "consent": lambda ids: {"pk": ids["customer"], "purpose": "survey"},
    "why": lambda ids: {"pk": ids["customer"], "segment": ids["segment"]},
    "segment": _one("pk", "segment"),
    "segment_edit": _one("pk", "segment"),
    "segment_archive": _one("pk", "segment"),
    "night": _one("pk", "run"),
    "night_progress": _one("pk", "run"),
    "night_retry": _one("pk", "run"),
    "night_again": _one("pk", "run"),
    "night_again_progress": _one("pk", "again"),
    "check_progress": _one("pk", "check"),
    "allow_forecast": _one("pk", "card"),
    "campaign": _one("pk", "campaign"),
    "campaign_states": _one("pk", "campaign"),
    "campaign_edit": _one("pk", "draft"),
    "campaign_preview": _one("pk", "draft"),
    "campaign_launch": _one("pk", "draft"),
    "campaign_pause": _one("pk", "campaign"),
    "campaign_resume": _one("pk", "campaign"),
    "campaign_stop": _one("pk", "campaign"),
    "campaign_test": _one("pk", "campaign"),
    "message_resend": _one("pk", "message"),
    "mail": _one("pk", "mail"),
    "survey": _one("pk", "survey"),
    "survey_move": _one("pk", "survey"),
    "case": _one("pk", "response"),
    "case_move": _one("pk", "response"),
    "case_tag": _one("pk", "response"),
    "theme": _one("pk", "theme"),
    "action_move": _one("pk", "action"),
    "api_key_revoke": _one("pk", "key"),
}

# Every page, and the roles that may open it. A page without a line here fails the build.
EVERYBODY = ("owner", "marketer", "agent", "viewer")
MARKETING, TALKING, OWNING = ("owner", "marketer"), ("owner", "marketer", "agent"), ("owner",)
PAGES = {
    "customers": EVERYBODY,
    "customer": EVERYBODY,
    "customer_new": TALKING,
    "customer_edit": TALKING,
    "customer_merge": MARKETING,
    "customer_value": EVERYBODY,
    "why": EVERYBODY,
    "segments": EVERYBODY,
    "segment": EVERYBODY,
    "segment_new": MARKETING,
    "segment_edit": MARKETING,
    "value": EVERYBODY,
    "report_card": EVERYBODY,
    "check_progress": EVERYBODY,
    "nights": EVERYBODY,
    "night": EVERYBODY,
    "night_progress": EVERYBODY,
    "night_again_progress": EVERYBODY,
    "campaigns": EVERYBODY,
    "campaign": EVERYBODY,
    "campaign_states": EVERYBODY,
    "campaign_new": MARKETING,
    "campaign_edit": MARKETING,
    "campaign_preview": EVERYBODY,
    "offers": EVERYBODY,
    "outbox": MARKETING,
    "mail": MARKETING,
    "suppressions": EVERYBODY,
    "surveys": EVERYBODY,
    "survey": EVERYBODY,
    "survey_new": MARKETING,
    "cases": EVERYBODY,
    "case": EVERYBODY,
    "themes": EVERYBODY,
    "theme": EVERYBODY,
    "records": EVERYBODY,
    "settings": OWNING,
    "rates": EVERYBODY,
    "api_keys": OWNING,
    "preferences": EVERYBODY,
}
# Every button: who may press it. Forms that are their own page's button are above.
BUTTONS = {
    "follow_up_close": TALKING,
    "customer_log": TALKING,
    "customer_step": TALKING,
    "customer_erase": MARKETING,
    "consent": TALKING,
    "segment_preview": EVERYBODY,
    "segment_archive": MARKETING,
    "recalculate": MARKETING,
    "night_retry": MARKETING,
    "night_again": MARKETING,
    "check_forecast": MARKETING,
    "allow_forecast": OWNING,
    "campaign_launch": MARKETING,
    "campaign_pause": MARKETING,
    "campaign_resume": MARKETING,
    "campaign_stop": MARKETING,
    "campaign_test": MARKETING,
    "message_resend": MARKETING,
    "coupon_redeem": TALKING,
    "survey_move": MARKETING,
    "case_move": TALKING,
    "case_tag": TALKING,
    "action_move": TALKING,
    "api_key_revoke": OWNING,
    "language": EVERYBODY,
}
# Lists and forms of the admin itself, for settings and for looking up.
ADMIN_LISTS = {
    "customers_purchase": EVERYBODY,
    "customers_refund": EVERYBODY,
    "customers_consent": EVERYBODY,
    "customers_interaction": EVERYBODY,
    "customers_product": EVERYBODY,
    "customers_acquisitionchannel": EVERYBODY,
    "customers_marketingspend": EVERYBODY,
    "campaigns_offer": EVERYBODY,
    "campaigns_message": EVERYBODY,
    "ltv_ltvrun": EVERYBODY,
    "common_user": OWNING,
    "auth_group": OWNING,
    "axes_accessattempt": OWNING,
}
