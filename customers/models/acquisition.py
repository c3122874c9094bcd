"""Where customers come from, what that cost, and what a foreign amount is worth."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.choices import ChannelKind

CURRENCY = r"^[A-Z]{3}$"


class AcquisitionChannel(models.Model):
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12, choices=ChannelKind, default=ChannelKind.UNKNOWN)

    class Meta:
        verbose_name = _("acquisition channel")
        verbose_name_plural = _("acquisition channels")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="channel_kind_known", condition=Q(kind__in=ChannelKind.values))
        ]

    def __str__(self) -> str:
        return self.name


class MarketingSpend(models.Model):
    """Sales and marketing spend of one channel in one month: the numerator of CAC."""

    channel = models.ForeignKey(
        AcquisitionChannel,
        on_delete=models.PROTECT,
        related_name="spend",
        verbose_name=_("acquisition channel"),
    )
    month = models.DateField(_("month"), help_text=_("The first day of the month."))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=3)
    currency = models.CharField(_("currency"), max_length=3)
    base_amount = models.DecimalField(
        _("in base currency"), max_digits=18, decimal_places=3, null=True, blank=True
    )

    class Meta:
        verbose_name = _("marketing spend")
        verbose_name_plural = _("marketing spend")
        ordering = ["-month"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "month", "currency"], name="spend_once_a_month"),
            models.CheckConstraint(name="spend_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(name="spend_month_first_day", condition=Q(month__day=1)),
            models.CheckConstraint(name="spend_currency_code", condition=Q(currency__regex=CURRENCY)),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.month:%Y-%m}"


class ExchangeRate(models.Model):
    """Base-currency value of one unit of ``currency`` on a day; a purchase takes the latest on or before its day."""

    currency = models.CharField(_("currency"), max_length=3)
    day = models.DateField(_("day"))
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=9)

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ["-day", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "day"], name="rate_once_a_day"),
            models.CheckConstraint(name="rate_positive", condition=Q(rate__gt=0)),
            models.CheckConstraint(name="rate_currency_code", condition=Q(currency__regex=CURRENCY)),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.day}: {self.rate.normalize()}"
