"""Purchases, their lines, and refunds: the facts every figure comes from."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.choices import Correction
from customers.models.acquisition import CURRENCY
from customers.querysets import PurchaseQuerySet


class Product(models.Model):
    sku = models.CharField(_("SKU"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=200)
    category = models.CharField(_("category"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Purchase(models.Model):
    """One paid order, in its own currency and in base currency at its day's rate.

    Without a rate ``base_amount`` is NULL: such a purchase is listed for staff and counted nowhere. When the rate comes
    it and ``base_cost`` are worked out of ``amount`` and ``cost``.
    ``refunded`` is the sum of its refunds, kept by a trigger, so that it can never exceed the amount.
    """

    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="purchases")
    source = models.CharField(_("source"), max_length=40)
    external_id = models.CharField(_("order id"), max_length=100)
    purchased_at = models.DateTimeField(_("purchased"))
    purchased_on = models.DateField(
        _("business day"), help_text=_("The shop's calendar day: the unit models count.")
    )
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=3)
    currency = models.CharField(_("currency"), max_length=3)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=3, null=True, blank=True)
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=9, null=True, blank=True)
    base_amount = models.DecimalField(
        _("amount in base currency"), max_digits=18, decimal_places=3, null=True, blank=True
    )
    base_cost = models.DecimalField(
        _("cost in base currency"),
        max_digits=18,
        decimal_places=3,
        null=True,
        blank=True,
        help_text=_("Empty: the shop's margin rate stands in."),
    )
    refunded = models.DecimalField(_("refunded"), max_digits=18, decimal_places=3, default=0, editable=False)
    base_refunded = models.DecimalField(max_digits=18, decimal_places=3, default=0, editable=False)
    sales_channel = models.CharField(_("sales channel"), max_length=40, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = PurchaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="purchase_once_per_source"),
            models.CheckConstraint(name="purchase_amount_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="purchase_refund_within_amount", condition=Q(refunded__gte=0, refunded__lte=F("amount"))
            ),
            models.CheckConstraint(name="purchase_currency_code", condition=Q(currency__regex=CURRENCY)),
            models.CheckConstraint(
                name="purchase_rate_gives_base",
                condition=Q(rate__isnull=True, base_amount__isnull=True)
                | Q(rate__isnull=False, base_amount__isnull=False, rate__gt=0, base_amount__gte=0),
            ),
            models.CheckConstraint(
                name="purchase_cost_not_negative", condition=Q(base_cost__isnull=True) | Q(base_cost__gte=0)
            ),
            models.CheckConstraint(
                name="purchase_own_cost_not_negative", condition=Q(cost__isnull=True) | Q(cost__gte=0)
            ),
            models.CheckConstraint(
                name="purchase_rate_gives_base_cost",
                condition=Q(cost__isnull=True) | Q(rate__isnull=True) | Q(base_cost__isnull=False),
            ),
            models.CheckConstraint(
                name="purchase_has_order_id", condition=~Q(external_id="") & ~Q(source="")
            ),
            models.CheckConstraint(
                name="purchase_year_plausible",
                condition=Q(purchased_on__year__gte=1970, purchased_on__year__lte=2100),
            ),
        ]
        indexes = [
            # The night reads only this index: one ordered pass gives every customer's days and sums.
            models.Index(
                fields=["customer", "purchased_on"],
                name="purchase_rfm",
                include=["base_amount", "base_refunded", "base_cost"],
            ),
            models.Index(fields=["-purchased_at", "-id"], name="purchase_newest"),
            models.Index(
                fields=["currency"], name="purchase_without_rate", condition=Q(base_amount__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} ({self.amount.normalize():f} {self.currency})"


class PurchaseLine(models.Model):
    purchase = models.ForeignKey(Purchase, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(_("position"))
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="lines", verbose_name=_("product")
    )
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3)
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=3)

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        constraints = [
            models.UniqueConstraint(fields=["purchase", "position"], name="line_position_once"),
            models.CheckConstraint(name="line_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="line_amount_not_negative", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.product} × {self.quantity.normalize():f}"


class Refund(models.Model):
    """Money given back for a purchase, in the purchase's currency. Never edited; the trigger keeps the sum."""

    purchase = models.ForeignKey(
        Purchase, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("purchase")
    )
    external_id = models.CharField(_("refund id"), max_length=100)
    refunded_at = models.DateTimeField(_("refunded"))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=3)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.UniqueConstraint(fields=["purchase", "external_id"], name="refund_once"),
            models.CheckConstraint(name="refund_amount_positive", condition=Q(amount__gt=0)),
        ]


class PurchaseChange(models.Model):
    """A customer whose purchases changed since the last night: appended by a trigger, taken by the night.

    Append-only on purpose: with a unique customer a mark could be lost between two transactions.
    """

    customer_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["customer_id"], name="purchase_change_customer")]


class PurchaseDelta(models.Model):
    """What a write to purchases added to a business day: appended by a trigger, folded into its day by the night.

    Revenue net of refunds, base currency; purchases without an exchange rate do not count.
    """

    day = models.DateField()
    revenue = models.DecimalField(max_digits=20, decimal_places=3)
    purchases = models.IntegerField()


class PurchaseCorrection(models.Model):
    """That a purchase is not what it was when it was recorded: appended by a trigger, never changed or deleted.

    So that whoever works out a past night once more can say why it comes out otherwise. Ids only, no person.
    """

    purchase_id = models.BigIntegerField()
    customer_id = models.BigIntegerField()
    former_customer_id = models.BigIntegerField()  # another one where two records became one
    kind = models.CharField(max_length=6, choices=Correction)
    recorded_at = models.DateTimeField(auto_now_add=True)  # by PostgreSQL's clock

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="purchase_correction_kind_known", condition=Q(kind__in=Correction.values)
            ),
            models.CheckConstraint(
                name="purchase_correction_moved_has_two",
                condition=Q(kind=Correction.MOVED) | Q(customer_id=F("former_customer_id")),
            ),
        ]
        indexes = [
            models.Index(fields=["purchase_id"], name="purchase_correction_purchase"),
            models.Index(fields=["former_customer_id"], name="purchase_correction_former"),
        ]
