"""The outbox: every mail the embedded mailbox took, as the customer sees it. And who may not be mailed."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.choices import SuppressionReason
from campaigns.models import MailboxMessage, Message, Suppression
from campaigns.services import suppression
from crm.common.errors import InvalidInput
from crm.pages.mail_frame import mail_document, read
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, attempt, form_page, page, render
from customers.choices import Purpose
from customers.core.addresses import NotAnAddress, normalise_email


@page("campaigns.view_mailboxmessage")
def outbox(request: StaffRequest) -> HttpResponse:
    text = "".join(letter for letter in request.GET.get("to", "") if letter.isprintable()).strip()[:254]
    rows = MailboxMessage.objects.defer("raw")
    if text:
        rows = rows.filter(recipients__contains=[text.lower()])
    return render(request, "crm/outbox.html", title=_("Outbox"), pages=by_key(request, rows), text=text)


@page("campaigns.view_mailboxmessage")
def mail(request: StaffRequest, pk: int) -> HttpResponse:
    taken = get_object_or_404(MailboxMessage, pk=pk)
    found = read(bytes(taken.raw))
    of = Message.objects.select_related("campaign", "customer").filter(message_id=taken.message_id or None)
    return render(
        request,
        "crm/mail.html",
        title=taken.subject or _("Mail"),
        mail=taken,
        read=found,
        document=mail_document(found.html) if found.html else "",
        message=of.first() if taken.message_id else None,
    )


class BlockForm(forms.Form):
    address = forms.CharField(label=gettext_lazy("E-mail address"), max_length=254)
    purpose = forms.ChoiceField(
        label=gettext_lazy("For"),
        choices=[("", gettext_lazy("Every purpose")), *Purpose.choices],
        required=False,
    )
    detail = forms.CharField(label=gettext_lazy("Why"), max_length=240)


class LiftForm(forms.Form):
    prefix = "lift"
    address = forms.CharField(label=gettext_lazy("E-mail address"), max_length=254)
    reason = forms.CharField(label=gettext_lazy("Why it may be mailed again"), max_length=240)


@form_page("campaigns.view_suppression")
def suppressions(request: StaffRequest) -> HttpResponse:
    """Blocked addresses are kept as hashes: staff name the address to block it or to allow it again."""
    block, lift = BlockForm(), LiftForm()
    if request.method == "POST" and "lift" in request.POST:
        lift = LiftForm(request.POST)
        done = _may(request, "campaigns.change_suppression") and lift.is_valid() and _lift(lift)
    elif request.method == "POST":
        block = BlockForm(request.POST)
        done = _may(request, "campaigns.add_suppression") and block.is_valid() and _block(block)
    else:
        done = ""
    if done:
        messages.success(request, done)
        return redirect("crm:suppressions")
    rows = by_key(request, Suppression.objects.all())
    status = 422 if block.is_bound or lift.is_bound else 200
    return render(
        request,
        "crm/suppressions.html",
        title=_("Suppressions"),
        status=status,
        pages=rows,
        blocking=block,
        lifting=lift,
        purposes=dict(Purpose.choices),
    )


def _may(request: StaffRequest, permission: str) -> bool:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return True


def _block(form: BlockForm) -> str:
    given = form.cleaned_data
    blocked = attempt(
        form,
        lambda: suppression.suppress(
            address=_address(given["address"]),
            reason=SuppressionReason.BY_STAFF,
            at=timezone.now(),
            purpose=given["purpose"],
            detail=given["detail"],
        ),
    )
    if blocked is None:
        return ""
    return _("The address is blocked.") if blocked else _("The address was blocked already.")


def _lift(form: LiftForm) -> str:
    given = form.cleaned_data
    lifted = attempt(
        form,
        lambda: suppression.lift(
            address=_address(given["address"]), reason=given["reason"], at=timezone.now()
        ),
    )
    return _("The address may be mailed again.") if lifted else ""


def _address(text: str) -> str:
    try:
        return normalise_email(text)
    except NotAnAddress as error:
        raise InvalidInput(_("This is not an e-mail address."), field="address") from error
