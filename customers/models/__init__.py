from customers.models.acquisition import AcquisitionChannel, ExchangeRate, MarketingSpend
from customers.models.consent import Consent
from customers.models.contact import FollowUp, Interaction
from customers.models.imports import ImportBatch, ImportRow
from customers.models.people import Customer, FormerRecord
from customers.models.purchases import (
    Product,
    Purchase,
    PurchaseChange,
    PurchaseCorrection,
    PurchaseDelta,
    PurchaseLine,
    Refund,
)
from customers.models.segments import Segment, SegmentMembership

__all__ = [
    "AcquisitionChannel",
    "Consent",
    "Customer",
    "ExchangeRate",
    "FollowUp",
    "FormerRecord",
    "ImportBatch",
    "ImportRow",
    "Interaction",
    "MarketingSpend",
    "Product",
    "Purchase",
    "PurchaseChange",
    "PurchaseCorrection",
    "PurchaseDelta",
    "PurchaseLine",
    "Refund",
    "Segment",
    "SegmentMembership",
]
