"""Campaigns from draft to end: making, changing, launching, pausing, stopping."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import reports
from campaigns.choices import CampaignKind, CampaignStatus, MessageStatus, Trigger
from campaigns.core import merge
from campaigns.models import Campaign, Offer, Variant
from campaigns.services import mails, suppression
from campaigns.services.enrolment import enrol, why_not
from campaigns.services.transport import MailServer, NoMailServer, ServerAway, target
from crm.common.errors import DomainError, InvalidInput
from crm.common.models import Shop, User
from crm.common.wake import wake
from customers.choices import Language, Purpose, SegmentStatus
from customers.core.addresses import NotAnAddress, normalise_email
from customers.models import Customer, Segment
from feedback.choices import SurveyStatus
from feedback.models import Survey
from ltv.models import CurrentRun

Variants = Mapping[str, tuple[str, str]]  # language -> (subject, body)
TASK = "campaigns.deliver_due"


class NotADraft(DomainError):
    code = "campaign_not_draft"
    message = _("The campaign was launched; its texts, audience and offer are fixed.")


class AlreadyLaunched(DomainError):
    code = "campaign_already_launched"
    message = _("The campaign was launched already.")


class NobodyToContact(DomainError):
    """No customer in the audience may be mailed."""

    code = "nobody_to_contact"
    message = _("Nobody in the audience may be mailed: no address, no consent, blocked, or held out.")


class NotReady(DomainError):
    """Something a campaign needs is missing; the message says what."""

    code = "campaign_not_ready"
    message = _("The campaign is not complete.")


class WrongState(DomainError):
    code = "campaign_wrong_state"
    message = _("The campaign is not in a state that allows this.")


class MailServerAway(DomainError):
    code = "mail_server_away"
    status = 503
    message = _("The mail server cannot be reached.")


@transaction.atomic
def create_campaign(
    *,
    name: str,
    kind: CampaignKind | str,
    segment: Segment,
    variants: Variants,
    at: datetime,
    control_share: Decimal = Decimal("0.1"),
    offer: Offer | None = None,
    survey: Survey | None = None,
    trigger: Trigger | str = Trigger.ONCE,
    purpose: Purpose | str = Purpose.MARKETING,
    by: User | None = None,
) -> Campaign:
    """Make a draft with its texts; ``at`` is when samples of the texts are tried.

    Raises:
        InvalidInput: an empty or known name, an unknown choice, a share beyond 0 to 0.5, a text that does not work.
    """
    campaign = Campaign(
        name=name.strip(),
        kind=kind,
        segment=segment,
        control_share=control_share,
        offer=offer,
        survey=survey,
        trigger=trigger,
        purpose=purpose,
        salt=secrets.token_hex(8),
        created_by=by,
    )
    _check(campaign)
    campaign.save()
    _set_variants(campaign, variants, at)
    return campaign


@transaction.atomic
def change_campaign(
    *, campaign: Campaign, changes: Mapping[str, Any], at: datetime, variants: Variants | None = None
) -> Campaign:
    """Change a draft: any of create_campaign's facts, and its texts when ``variants`` is given.

    Raises:
        NotADraft: it was launched.
        InvalidInput: as for create_campaign.
    """
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.status != CampaignStatus.DRAFT:
        raise NotADraft
    allowed = ("name", "kind", "segment", "control_share", "offer", "survey", "trigger", "purpose")
    for field, value in changes.items():
        if field not in allowed:
            raise InvalidInput(_("This cannot be changed."), field=field)
        setattr(locked, field, value)
    _check(locked)
    locked.save()
    texts = {v.language: (v.subject, v.body) for v in locked.variants.all()} if variants is None else variants
    _set_variants(locked, texts, at)
    return locked


def _check(campaign: Campaign) -> None:
    for field, known in (("kind", CampaignKind), ("trigger", Trigger), ("purpose", Purpose)):
        if getattr(campaign, field) not in known.values:
            raise InvalidInput(_("Unknown choice."), field=field)
    if not campaign.name or len(campaign.name) > 120:
        raise InvalidInput(_("A name of 1 to 120 characters is needed."), field="name")
    if Campaign.objects.filter(name=campaign.name).exclude(pk=campaign.pk).exists():
        raise InvalidInput(_("Another campaign has this name."), field="name")
    share = campaign.control_share
    if not (isinstance(share, Decimal) and share.is_finite() and 0 <= share <= Decimal("0.5")):
        raise InvalidInput(_("The held-out share is between 0 and 0.5."), field="control_share")


def _set_variants(campaign: Campaign, variants: Variants, at: datetime) -> None:
    """Replace the texts; the first one is for who speaks none of the campaign's languages."""
    if not variants:
        raise InvalidInput(_("At least one text is needed."), field="variants")
    for language, (subject, body) in variants.items():
        check_text(campaign=campaign, language=language, subject=subject, body=body, at=at)
    campaign.variants.all().delete()
    Variant.objects.bulk_create(
        Variant(campaign=campaign, language=language, subject=subject.strip(), body=body)
        for language, (subject, body) in variants.items()
    )


def check_text(*, campaign: Campaign, language: str, subject: str, body: str, at: datetime) -> None:
    """Try a text as the campaign would use it.

    Raises:
        InvalidInput: its ``field`` is "subject" or "body" with the language, such as "ko.subject".
    """
    if language not in Language.values:
        raise InvalidInput(_("Unknown language."), field=f"{language}.language")
    composer = mails.Composer(Shop.current(), [campaign])
    try:
        words = mails.parse(campaign, subject, body)
        merge.check(words, [composer.sample(customer, campaign, at=at) for customer in _samples(language)])
    except merge.BadText as error:
        raise InvalidInput(str(error), field=f"{language}.{error.part}") from error


def _samples(language: str, country: str = "") -> list[Customer]:
    """Somebody with a full name, and somebody of whom only one is known."""
    return [
        Customer(name="Ada Kim-Sato", given_name="Ada", language=language, country=country),
        Customer(name="Sol", language=language, country=country),
    ]


def preflight(campaign: Campaign) -> reports.Waterfall:
    """Who would be mailed if the campaign were launched now, and why the others would not."""
    return reports.waterfall(campaign, hash_params=suppression.hash_params(), why_not=why_not())


@transaction.atomic
def launch(*, campaign: Campaign, by: User | None, at: datetime) -> Campaign:
    """Freeze the audience and start sending; all of it or nothing.

    Raises:
        AlreadyLaunched: somebody was quicker, or it was long ago.
        NotReady: no postal address, no text, an archived segment, a survey that is not open.
        NoMailServer: SMTP_URL is unset.
        NobodyToContact: not one message would be sent.
    """
    run = CurrentRun.objects.values_list("run_id", flat=True).first()
    won = Campaign.objects.filter(pk=campaign.pk, status=CampaignStatus.DRAFT).update(
        status=CampaignStatus.RUNNING, launched_at=at, launched_by=by, ltv_run_id=run
    )
    if not won:
        raise AlreadyLaunched
    campaign = Campaign.objects.select_related("segment", "offer", "survey").get(pk=campaign.pk)
    _check_ready(campaign, at)
    made = {} if reports.waiting_for_forecast([campaign]) else enrol(campaign=campaign, at=at)
    if not made.get(MessageStatus.PENDING) and campaign.trigger == Trigger.ONCE:
        raise NobodyToContact
    wake(TASK)
    campaign.refresh_from_db()
    return campaign


def _check_ready(campaign: Campaign, at: datetime) -> None:
    shop = Shop.current()
    if not shop.postal_address.strip():
        raise NotReady(_("The shop's postal address is missing: the law wants it in every mail."))
    try:
        normalise_email(shop.sender_email)
    except NotAnAddress as error:
        raise NotReady(_("The shop's sender e-mail is not an address.")) from error
    if campaign.segment.status != SegmentStatus.ACTIVE:
        raise NotReady(_("The audience's segment is archived."))
    if campaign.survey is not None and campaign.survey.status != SurveyStatus.OPEN:
        raise NotReady(_("The survey is not open."))
    variants = list(campaign.variants.all())
    if not variants:
        raise NotReady(_("The campaign has no text."))
    for variant in variants:  # the offer or survey may have been taken away since
        check_text(
            campaign=campaign, language=variant.language, subject=variant.subject, body=variant.body, at=at
        )
    target()


def pause(*, campaign: Campaign, reason: str = "") -> Campaign:
    """Stop taking messages; those being handed to the mail server this moment still go.

    Raises:
        WrongState: not running.
    """
    changes = {"status": CampaignStatus.PAUSED, "paused_reason": reason[:240]}
    return _move(campaign, (CampaignStatus.RUNNING,), **changes)


def resume(*, campaign: Campaign, at: datetime) -> Campaign:
    """Go on; errors from before ``at`` no longer pause the campaign.

    Raises:
        WrongState: not paused.
    """
    changes = {"status": CampaignStatus.RUNNING, "paused_reason": "", "resumed_at": at}
    with transaction.atomic():
        moved = _move(campaign, (CampaignStatus.PAUSED,), **changes)
        wake(TASK)
    return moved


@transaction.atomic
def stop(*, campaign: Campaign, at: datetime) -> Campaign:
    """End a campaign for good: what waits is not sent, and coupons nobody got are cancelled.

    Raises:
        WrongState: neither running nor paused.
    """
    changes = {"status": CampaignStatus.STOPPED, "finished_at": at}
    moved = _move(campaign, (CampaignStatus.RUNNING, CampaignStatus.PAUSED), **changes)
    suppression.take_out_of_queue(campaign_id=campaign.pk, reason="campaign_stopped")
    return moved


def _move(campaign: Campaign, states: tuple[CampaignStatus, ...], **changes: object) -> Campaign:
    if not Campaign.objects.filter(pk=campaign.pk, status__in=states).update(**changes):
        raise WrongState
    campaign.refresh_from_db()
    return campaign


def preview(*, campaign: Campaign, language: str, at: datetime, country: str = "") -> mails.Rendered:
    """What a sample customer of that language and country would get.

    Raises:
        NotReady: no text.
    """
    variant = _variant(campaign, language)
    composer = mails.Composer(Shop.current(), [campaign])
    customer = _samples(language, country)[0]
    values = composer.sample(customer, campaign, at=at)
    return composer.render(campaign, variant, values, country=country)


def _variant(campaign: Campaign, language: str) -> Variant:
    variants = list(campaign.variants.all())
    if not variants:
        raise NotReady(_("The campaign has no text."))
    return next((variant for variant in variants if variant.language == language), variants[0])


def send_test(*, campaign: Campaign, to: str, at: datetime, language: str = "en", country: str = "") -> None:
    """Send a sample of the mail to one address of staff; nothing of it is kept or counted.

    Raises:
        InvalidInput: ``to`` is not one address.
        NotReady, NoMailServer, MailServerAway: there is no text, no server, or it did not take the mail.
    """
    try:
        address = normalise_email(to)
    except NotAnAddress as error:
        raise InvalidInput(_("This is not an e-mail address."), field="to") from error
    composer, customer = mails.Composer(Shop.current(), [campaign]), _samples(language, country)[0]
    mail = composer.test_mail(campaign, _variant(campaign, language), address, customer, at=at)
    server = MailServer()
    try:
        server.open()
        outcome = server.send(
            sender=composer.shop.sender_email, recipient=address, data=mail.data, may_start=lambda: True
        )
    except ServerAway as error:
        raise MailServerAway(str(error)) from error
    finally:
        server.close()
    if outcome.verdict.value != "accepted":
        raise MailServerAway(outcome.reply)


__all__ = ["AlreadyLaunched", "NoMailServer", "NobodyToContact", "NotADraft", "NotReady", "WrongState"]
