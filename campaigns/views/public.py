"""The unsubscribe link. GET shows a page with a button; POST acts, also for mail programs (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.core.wording import wording
from campaigns.models import Message
from campaigns.services import mails
from campaigns.services import unsubscribe as unsubscribing
from crm.common import tokens
from crm.common.models import Shop
from crm.common.public import public_page


@csrf_exempt  # the signed token is the proof; a mail program's one-click POST has neither cookie nor form
@public_page(per_minute=None)  # a big mail provider's POSTs all come from a few addresses: none is refused
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Say no to a campaign's purpose. A token never expires; a forged one is a 404 before any query."""
    try:
        message_id = tokens.read(mails.UNSUBSCRIBE, token)[0]
    except tokens.BadToken:
        return _notice(request, "unknown", status=404)
    message = _message(message_id)
    if message is None:  # an erased customer has nothing left to refuse
        return _notice(request, "gone")
    if request.method == "POST":
        unsubscribing.unsubscribe(message=message, at=timezone.now(), source="unsubscribe link")
        return _notice(request, "gone", message.customer.language)
    return _ask(request, message)


def _message(message_id: int) -> Message | None:
    if not 0 < message_id < 2**63:
        return None
    return Message.objects.select_related("campaign", "customer").filter(pk=message_id).first()


def _ask(request: HttpRequest, message: Message) -> HttpResponse:
    language, shop = message.customer.language, Shop.current().name
    words = wording(language)
    text = words.goodbye[message.campaign.purpose].format(shop=shop)
    context = {"language": language, "shop_name": shop, "heading": words.unsubscribe, "text": text}
    return render(request, "campaigns/public/unsubscribe.html", context)


def _notice(request: HttpRequest, kind: str, language: str = "", *, status: int = 200) -> HttpResponse:
    language = language or str(getattr(request, "LANGUAGE_CODE", "en"))
    words = wording(language)
    heading, text = getattr(words, f"{kind}_title"), getattr(words, f"{kind}_text")
    context = {"language": language, "heading": heading, "text": text}
    return render(request, "public/notice.html", context, status=status)
