"""Customers over HTTP, below /api/v1/."""

from django.urls import path

from customers.api.contact import Consents, Interactions, Timeline, Withdrawals
from customers.api.people import Erase, Merge, OneCustomer, People
from customers.api.purchases import Purchases, Refunds
from customers.api.segments import Members, Segments

urlpatterns = [
    path("customers/", People.as_view(), name="api-customers"),
    path("customers/<uuid:public_id>/", OneCustomer.as_view(), name="api-customer"),
    path("customers/<uuid:public_id>/merge/", Merge.as_view(), name="api-merge"),
    path("customers/<uuid:public_id>/erase/", Erase.as_view(), name="api-erase"),
    path("customers/<uuid:public_id>/interactions/", Interactions.as_view(), name="api-interactions"),
    path("customers/<uuid:public_id>/consents/", Consents.as_view(), name="api-consents"),
    path("customers/<uuid:public_id>/consents/withdraw/", Withdrawals.as_view(), name="api-withdraw"),
    path("customers/<uuid:public_id>/timeline/", Timeline.as_view(), name="api-timeline"),
    path("purchases/", Purchases.as_view(), name="api-purchases"),
    path("refunds/", Refunds.as_view(), name="api-refunds"),
    path("segments/", Segments.as_view(), name="api-segments"),
    path("segments/<slug:key>/members/", Members.as_view(), name="api-members"),
]
