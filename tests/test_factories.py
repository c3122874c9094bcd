"""Every factory makes a row the database takes, alone and twice."""

import pytest

from campaigns.models import Message
from tests import factories

pytestmark = pytest.mark.django_db
ALL = [name for name in factories.__all__ if name.endswith("Factory")]


@pytest.mark.parametrize("name", ALL)
def test_a_factory_makes_two_rows(name: str, shop) -> None:
    made = getattr(factories, name).create_batch(2)

    assert type(made[0])._base_manager.filter(pk__in=[row.pk for row in made]).count() == 2


def test_a_message_of_a_campaign_belongs_to_an_enrolment_of_it(shop) -> None:
    campaign, customer = factories.CampaignFactory(status="running"), factories.CustomerFactory()

    message = factories.MessageFactory(campaign=campaign, customer=customer)

    stored = Message.objects.select_related("enrolment").get(pk=message.pk)
    assert (stored.enrolment.campaign_id, stored.enrolment.customer_id) == (campaign.pk, customer.pk)
    assert (stored.campaign_id, stored.customer_id) == (campaign.pk, customer.pk)


def test_a_coupon_of_a_campaign_gives_the_campaigns_offer(shop) -> None:
    campaign = factories.CampaignFactory(status="running")

    coupon = factories.CouponFactory(campaign=campaign)

    assert coupon.enrolment.campaign == campaign
    assert coupon.offer == campaign.offer
