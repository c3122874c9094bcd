from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from campaigns.choices import CouponStatus
from tests.factories import (
    AnswerFactory,
    CampaignFactory,
    CouponFactory,
    CustomerFactory,
    CustomerLtvFactory,
    MessageFactory,
    ResponseFactory,
    SurveyFactory,
)

pytestmark = pytest.mark.django_db


def test_a_customers_value_says_in_which_money_and_of_which_day(api, shop):
    figures = CustomerLtvFactory(clv=Decimal("92.5"), p_no_purchase=0.2)

    answer = api.get(f"/api/v1/customers/{figures.customer.public_id}/ltv/").json()

    assert answer["customer"] == str(figures.customer.public_id)
    assert (answer["as_of"], answer["currency"], answer["clv"]) == ("2026-03-01", "USD", "92.5")
    assert (answer["p_no_purchase"], answer["orders"], answer["next_purchase_on"]) == (0.2, 3, "2026-03-20")


def test_a_customer_who_came_today_has_no_value_yet(api, shop):
    CustomerLtvFactory()

    answer = api.get(f"/api/v1/customers/{CustomerFactory().public_id}/ltv/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_values_are_listed_and_filtered(api, shop):
    rich = CustomerLtvFactory(clv=Decimal(900), p_no_purchase=0.8)
    safe = CustomerLtvFactory(clv=Decimal(100), p_no_purchase=0.1)
    never = CustomerLtvFactory(
        orders=0, frequency=0, revenue=0, margin=0, clv=0, p_no_purchase=None, p_alive=None
    )

    def listed(query):
        return [row["customer"] for row in api.get(f"/api/v1/ltv/?{query}").json()["results"]]

    everybody = [str(one.customer.public_id) for one in (never, safe, rich)]
    assert listed("") == everybody
    assert listed("min_clv=100") == everybody[1:]
    assert listed("min_p_no_purchase=0.5") == everybody[2:]
    assert api.get("/api/v1/ltv/?min_p_no_purchase=2").status_code == 400


def test_before_the_first_night_nobody_has_a_value(api):
    assert api.get("/api/v1/ltv/").json()["results"] == []


def test_a_campaigns_states_add_up_to_its_audience(api):
    campaign = CampaignFactory(status="running", audience_size=3)
    for status in ("sent", "pending", "suppressed"):
        MessageFactory(campaign=campaign, status=status)

    answer = api.get(f"/api/v1/campaigns/{campaign.pk}/states/").json()

    assert answer["messages"]["sent"] == 1
    assert sum(answer["messages"].values()) == answer["audience_size"] == 3


def test_campaigns_are_listed_by_status(api):
    CampaignFactory(name="Draft")
    CampaignFactory(name="Live", status="running")

    rows = api.get("/api/v1/campaigns/?status=running").json()["results"]

    assert [row["name"] for row in rows] == ["Live"]
    assert api.get("/api/v1/campaigns/?status=gone").status_code == 400
    assert api.get(f"/api/v1/campaigns/{10**30}/states/").status_code == 404


@pytest.fixture
def coupon():
    return CouponFactory(expires_at=timezone.now() + timedelta(days=1))


def redeem(api, code, order="A-1"):
    return api.post("/api/v1/coupons/redeem/", {"code": code, "order_ref": order}, format="json")


def test_a_coupon_is_redeemed_once_and_repeating_is_harmless(api, coupon):
    first, again = redeem(api, coupon.code), redeem(api, coupon.code.lower())

    coupon.refresh_from_db()
    assert first.status_code == 200
    assert first.json() == again.json()
    assert (first.json()["value"], first.json()["kind"]) == ("15", "percent")
    assert (coupon.status, coupon.order_ref) == (CouponStatus.REDEEMED, "A-1")


def test_every_code_that_cannot_be_used_gets_the_same_answer(api, coupon):
    used = CouponFactory(status=CouponStatus.REDEEMED, order_ref="B-1")
    over = CouponFactory(expires_at=timezone.now() - timedelta(seconds=1))
    reserved = CouponFactory(status=CouponStatus.RESERVED)

    answers = [
        redeem(api, code) for code in (used.code, over.code, reserved.code, "NOSUCHCODE", "; DROP TABLE")
    ]

    assert {answer.status_code for answer in answers} == {409}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "coupon_refused"


def test_answers_are_listed_with_their_questions(api):
    answer = AnswerFactory()
    ResponseFactory(score=9)

    [row] = api.get(f"/api/v1/responses/?max_score=6&survey={answer.response.survey_id}").json()["results"]

    assert (row["score"], row["customer"]) == (3, str(answer.response.customer.public_id))
    assert row["answers"] == [
        {"question": "How likely are you to recommend us?", "kind": "nps", "number": 3, "text": ""}
    ]
    assert api.get(f"/api/v1/responses/?survey={2**63}").status_code == 400


def test_surveys_are_listed(api):
    survey = SurveyFactory(name="After delivery")

    [row] = api.get("/api/v1/surveys/").json()["results"]

    assert (row["id"], row["name"], row["status"]) == (survey.pk, "After delivery", "open")
