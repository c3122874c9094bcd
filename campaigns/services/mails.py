"""From messages to finished mails: the facts of a whole batch in a constant number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from babel.dates import format_date
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property

from campaigns.core import codes, headers, merge, mime
from campaigns.core.rendering import Layout, Rendered, compile_layout, render
from campaigns.core.wording import wording
from campaigns.models import Campaign, Message, Variant
from crm.common import tokens
from crm.common.models import Shop
from customers.choices import Purpose
from customers.models import Customer
from feedback.choices import QuestionKind
from feedback.models import Question
from feedback.services import invitations

UNSUBSCRIBE = "unsubscribe"  # the purpose of the tokens in links
KOREA = "KR"


@dataclass(frozen=True)
class Mail:
    """What goes over the wire, and what a person reads of it."""

    recipient: str
    subject: str
    text: str
    html: str
    data: bytes


def load(ids: Sequence[int]) -> list[Message]:
    """The messages with everything their mails need, in the order of ``ids``; one query."""
    rows = Message.objects.select_related(
        "campaign__offer", "campaign__survey", "variant", "customer", "invitation", "enrolment__coupon"
    )
    found = rows.in_bulk(ids)
    return [found[key] for key in ids if key in found]


class Composer:
    """Makes the mails of one batch. Texts are parsed and layouts compiled once a variant and language."""

    def __init__(self, shop: Shop, campaigns: Sequence[Campaign]) -> None:
        self.shop = shop
        self._surveys = {campaign.survey_id for campaign in campaigns if campaign.survey_id}
        self._sender = mime.sender(headers.clean(shop.sender_name), shop.sender_email)
        self._words: dict[int, merge.Words] = {}
        self._layouts: dict[tuple[int, str], Layout] = {}

    @cached_property
    def _questions(self) -> dict[int, Question]:
        """The 0-to-10 question of each survey of the batch that has one."""
        asked = Question.objects.filter(survey_id__in=self._surveys, kind=QuestionKind.NPS)
        return {question.survey_id: question for question in asked} if self._surveys else {}

    def words(self, campaign: Campaign, variant: Variant) -> merge.Words:
        if variant.pk not in self._words:
            self._words[variant.pk] = parse(campaign, variant.subject, variant.body)
        return self._words[variant.pk]

    def layout(self, campaign: Campaign, language: str) -> Layout:
        key = (campaign.pk, language)
        if key not in self._layouts:
            self._layouts[key] = self._compile(campaign, language)
        return self._layouts[key]

    def _compile(self, campaign: Campaign, language: str) -> Layout:
        words, question = wording(language), self._questions.get(campaign.survey_id or 0)
        context = {
            "language": language,
            "shop": self.shop,
            "wording": words,
            "why": words.why[campaign.purpose].format(shop=self.shop.name),
            "survey": campaign.survey_id,
            "question": question.text_in(language) if question else "",
            "scores": range(11),
        }
        page = render_to_string("campaigns/mail/layout.html", context)
        return compile_layout(page, render_to_string("campaigns/mail/footer.txt", context))

    def compose(self, message: Message, *, at: datetime) -> Mail:
        """The finished mail of one message.

        Raises:
            BadText, LiquidError: its text cannot be rendered for this customer.
        """
        customer, campaign = message.customer, message.campaign
        assert message.variant is not None
        values = self.values(customer, campaign, unsubscribe=unsubscribe_url(message.pk))
        coupon = getattr(message.enrolment, "coupon", None)
        if coupon is not None and campaign.offer is not None:
            values |= self._offer(campaign, coupon.code, coupon.expires_at, customer.language)
        if message.invitation is not None:
            values["survey_url"] = invitations.answer_url(message.invitation)
        rendered = self.render(campaign, message.variant, values, country=customer.country)
        return self._mail(rendered, message.address, message.message_id or "", values, at=at)

    def values(self, customer: Customer, campaign: Campaign, *, unsubscribe: str) -> dict[str, str]:
        """The merge fields every mail has, each on one line."""
        given = {
            "name": headers.clean(customer.name),
            "given_name": headers.clean(customer.given_name or customer.name),
            "shop_name": self.shop.name,
            "language": customer.language,
        }
        return given | {"unsubscribe_url": unsubscribe}

    def _offer(self, campaign: Campaign, code: str, expires: datetime, language: str) -> dict[str, str]:
        day = format_date(expires.astimezone(self.shop.zone), format="long", locale=language)
        name = campaign.offer.name if campaign.offer else ""
        return {"coupon_code": codes.display(code), "coupon_expires": day, "offer_name": name}

    def sample(self, customer: Customer, campaign: Campaign, *, at: datetime) -> dict[str, str]:
        """Values for a preview: nothing in them works or is counted."""
        values = self.values(customer, campaign, unsubscribe=unsubscribe_url(0))
        if campaign.offer is not None:
            expires = at + timedelta(days=campaign.offer.valid_days)
            values |= self._offer(campaign, "SAMPLE0000000000", expires, customer.language)
        if campaign.survey_id:
            values["survey_url"] = settings.SITE_URL + reverse("survey", args=["sample"])
        return values

    def render(
        self, campaign: Campaign, variant: Variant, values: dict[str, str], *, country: str
    ) -> Rendered:
        """Subject, text and HTML for one customer's values."""
        korean_ad = country == KOREA and campaign.purpose == Purpose.MARKETING
        layout = self.layout(campaign, values["language"])
        return render(self.words(campaign, variant), layout, values, korean_ad=korean_ad)

    def _mail(
        self, rendered: Rendered, recipient: str, message_id: str, values: dict[str, str], *, at: datetime
    ) -> Mail:
        unsubscribe = f"mailto:{self.shop.sender_email}?subject={quote('unsubscribe ' + message_id)}"
        data = mime.build(
            sender=self._sender,
            recipient=recipient,
            subject=rendered.subject,
            message_id=message_id,
            at=at,
            text=rendered.text,
            html=rendered.html,
            # RFC 8058: both headers, and the link alone says who and what
            extra={
                "List-Unsubscribe": f"<{values['unsubscribe_url']}>, <{unsubscribe}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )
        return Mail(recipient, rendered.subject, rendered.text, rendered.html, data)

    def test_mail(
        self, campaign: Campaign, variant: Variant, to: str, customer: Customer, *, at: datetime
    ) -> Mail:
        """The mail a member of staff gets to look at, marked as a test."""
        values = self.sample(customer, campaign, at=at)
        rendered = self.render(campaign, variant, values, country=customer.country)
        marked = Rendered(f"[Test] {rendered.subject}", rendered.text, rendered.html)
        domain = self.shop.sender_email.rpartition("@")[2]
        stamp = f"<test.c{campaign.pk}.{at.timestamp():.6f}@{domain}>"
        return self._mail(marked, to, stamp, values, at=at)


def parse(campaign: Campaign, subject: str, body: str) -> merge.Words:
    """Parse a text with the merge fields the campaign can fill."""
    allowed = merge.fields(offer=bool(campaign.offer_id), survey=bool(campaign.survey_id))
    return merge.parse(subject, body, allowed)


def unsubscribe_url(message_id: int) -> str:
    """The signed link in a mail; message 0 is nobody's, for tests and previews."""
    return settings.SITE_URL + reverse("unsubscribe", args=[tokens.sign(UNSUBSCRIBE, message_id)])
