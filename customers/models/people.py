"""Customer: one person the shop knows, and the records that were found to be the same person."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from customers.choices import Language
from customers.querysets import CustomerQuerySet


class Customer(models.Model):
    """One person. The normalised e-mail (see ``core.addresses``) is unique: one address, one customer.

    Erased, the person is gone from it and the row stays: purchases need somebody to belong to, and sums to add up.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    external_id = models.CharField(_("external id"), max_length=100, null=True, blank=True, unique=True)
    name = models.CharField(_("name"), max_length=160)
    given_name = models.CharField(_("given name"), max_length=80, blank=True)
    family_name = models.CharField(_("family name"), max_length=80, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    email_normalised = models.CharField(max_length=254, null=True, unique=True, editable=False)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.ENGLISH)
    time_zone = models.CharField(_("time zone"), max_length=40, default="UTC")
    country = models.CharField(_("country"), max_length=2, blank=True)
    channel = models.ForeignKey(
        "customers.AcquisitionChannel",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="customers",
        verbose_name=_("acquisition channel"),
    )
    acquired_at = models.DateTimeField(_("acquired"))
    referred_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="referrals",
        verbose_name=_("referred by"),
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [
            ("merge_customer", "Can merge two customers into one"),
            ("erase_customer", "Can erase the person of a customer"),
        ]
        constraints = [
            models.CheckConstraint(name="customer_has_name", condition=~Q(name="")),
            models.CheckConstraint(
                name="customer_email_has_normal_form",
                condition=Q(email="", email_normalised__isnull=True)
                | (~Q(email="") & Q(email_normalised__isnull=False) & ~Q(email_normalised="")),
            ),
            models.CheckConstraint(name="customer_language_known", condition=Q(language__in=Language.values)),
            models.CheckConstraint(
                name="customer_country_code", condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$")
            ),
            models.CheckConstraint(
                name="customer_not_own_referrer",
                condition=Q(referred_by__isnull=True) | ~Q(referred_by=F("id")),
            ),
            models.CheckConstraint(
                name="customer_external_id_filled", condition=Q(external_id__isnull=True) | ~Q(external_id="")
            ),
            models.CheckConstraint(
                name="customer_erased_is_nobody",
                condition=Q(erased_at__isnull=True)
                | Q(
                    email="",
                    phone="",
                    given_name="",
                    family_name="",
                    external_id__isnull=True,
                    referred_by__isnull=True,
                ),
            ),
        ]
        indexes = [
            # icontains asks for UPPER(column) LIKE: these serve names and addresses, Hangul and Kana included.
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="customer_name_trgm"),
            GinIndex(OpClass(Upper("email"), name="gin_trgm_ops"), name="customer_email_trgm"),
            models.Index(fields=["channel", "acquired_at"], name="customer_channel"),
            models.Index(fields=["-acquired_at", "-id"], name="customer_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class FormerRecord(models.Model):
    """What a customer's record was known by before it was merged into another: imports and links still find it."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="former_records")
    former_id = models.BigIntegerField(unique=True)
    public_id = models.UUIDField(unique=True)
    # Empty where the customer took them over.
    external_id = models.CharField(max_length=100, null=True, unique=True)
    email_normalised = models.CharField(max_length=254, null=True, unique=True)
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("former record")
        verbose_name_plural = _("former records")

    def __str__(self) -> str:
        return f"#{self.former_id}"
