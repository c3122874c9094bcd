from datetime import timedelta

import pytest

from customers.models import Consent, Customer, FollowUp, Interaction
from tests.factories import (
    ChannelFactory,
    ConsentFactory,
    CustomerFactory,
    InteractionFactory,
    MembershipFactory,
    PurchaseFactory,
    SegmentFactory,
)

pytestmark = pytest.mark.django_db
CUSTOMERS = "/api/v1/customers/"


def post(api, url, data, **headers):
    return api.post(url, data, format="json", **headers)


def test_a_customer_is_made_known_and_read_back(api, shop):
    friend = CustomerFactory()
    ChannelFactory(code="search")

    made = post(
        api,
        CUSTOMERS,
        {
            "name": "김민지",
            "email": "Minji@Example.com",
            "language": "ko",
            "country": "KR",
            "external_id": "C-77",
            "channel": "search",
            "acquired_at": "2026-01-05T12:00:00+09:00",
            "referred_by": str(friend.public_id),
        },
    )

    assert made.status_code == 201
    read = api.get(f"{CUSTOMERS}{made.json()['public_id']}/").json()
    assert read == made.json()
    assert (read["name"], read["email"], read["external_id"]) == ("김민지", "Minji@Example.com", "C-77")
    assert (read["channel"], read["referred_by"]) == ("search", str(friend.public_id))
    assert read["acquired_at"] == "2026-01-05T03:00:00Z"


def test_only_the_fields_given_are_changed(api):
    customer = CustomerFactory(name="Kim", phone="1", channel=ChannelFactory())

    answer = api.patch(
        f"{CUSTOMERS}{customer.public_id}/", {"name": "Kim Minji", "channel": None}, format="json"
    )

    customer.refresh_from_db()
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["channel"]) == ("Kim Minji", None)
    assert (customer.name, customer.phone, customer.channel) == ("Kim Minji", "1", None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=민지", ["minji"]),
        ("search=EXAMPLE.org", ["kim"]),
        ("search=C-1", ["kim"]),
        ("external_id=C-1", ["kim"]),
        ("external_id=C", []),
        ("email=KIM@example.ORG", ["kim"]),
        ("segment=vip", ["minji"]),
        ("", ["minji", "kim"]),
    ],
)
def test_customers_are_found(query, found, api):
    names = {
        "kim": CustomerFactory(name="Kim", email="kim@example.org", external_id="C-1"),
        "minji": CustomerFactory(name="김민지", email="", external_id=None),
    }
    segment = SegmentFactory(key="vip")
    MembershipFactory(segment=segment, customer=names["minji"])
    stay = MembershipFactory(segment=segment, customer=names["kim"])
    type(stay).objects.filter(pk=stay.pk).update(left_at=stay.entered_at + timedelta(days=1))

    rows = api.get(f"{CUSTOMERS}?{query}").json()["results"]

    assert [row["public_id"] for row in rows] == [str(names[name].public_id) for name in found]


def test_pages_put_together_are_all_customers_newest_first(api):
    made = CustomerFactory.create_batch(7)

    seen, url = [], f"{CUSTOMERS}?page_size=3"
    while url:
        page = api.get(url).json()
        seen += [row["public_id"] for row in page["results"]]
        url = page["next"]

    assert seen == [str(customer.public_id) for customer in reversed(made)]


def test_who_is_there_already_is_named(api):
    first = CustomerFactory(email="kim@example.com")

    answer = post(api, CUSTOMERS, {"name": "Other", "email": "KIM@example.com"})

    assert answer.status_code == 409
    assert answer.json() == {
        "type": "urn:mini-crm:problem:duplicate_email",
        "title": "Another customer has this e-mail address.",
        "status": 409,
        "code": "duplicate_email",
        "field": "email",
        "customer": str(first.public_id),
    }
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    "extra", [{"is_superuser": True}, {"public_id": "x"}, {"ltv": 1e9}, {"consent": True}, {"id": 5}]
)
def test_a_field_that_is_not_offered_is_refused(extra, api):
    customer = CustomerFactory(name="Kim")

    made = post(api, CUSTOMERS, {"name": "Other", **extra})
    changed = api.patch(f"{CUSTOMERS}{customer.public_id}/", {"name": "Other", **extra}, format="json")

    customer.refresh_from_db()
    assert (made.status_code, changed.status_code) == (400, 400)
    assert set(made.json()["errors"]) == set(extra)
    assert (customer.name, Customer.objects.count()) == ("Kim", 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " \u3000"),
        ("name", ["Kim"]),
        ("name", "x" * 161),
        ("email", "a@b.c, evil@x.y"),
        ("language", "xx"),
        ("country", "kr"),
        ("time_zone", "Mars"),
        ("channel", "nowhere"),
        ("referred_by", "abc"),
        ("referred_by", "00000000-0000-0000-0000-000000000000"),
        ("acquired_at", "2026-01-05T12:00:00"),
        ("acquired_at", "2026-02-30T12:00:00Z"),
        ("acquired_at", "0001-01-01T00:00:00+09:00"),
        ("acquired_at", "9999-12-31T23:59:59-09:00"),
        ("acquired_at", 5),
    ],
)
def test_a_malformed_value_is_refused_and_nothing_is_stored(field, value, api):
    answer = post(api, CUSTOMERS, {"name": "Kim", field: value})

    told = answer.json()
    assert answer.status_code == 400
    assert field in (told.get("field"), *told.get("errors", {}))
    assert Customer.objects.count() == 0


@pytest.mark.parametrize(
    "query", ["serach=kim", "search=k", "email=nobody", "segment=none", "search=a%00b", "search=%ed%a0%80kim"]
)
def test_a_filter_that_cannot_be_applied_is_refused_not_ignored(query, api):
    CustomerFactory()

    answer = api.get(f"{CUSTOMERS}?{query}")

    assert answer.status_code == (200 if "%ed" in query else 400)
    assert answer.json().get("results", []) == []


def test_an_interaction_is_logged_in_the_keys_name(api, staff):
    customer = CustomerFactory()

    answer = post(
        api,
        f"{CUSTOMERS}{customer.public_id}/interactions/",
        {
            "kind": "call",
            "note": "Asked about delivery.",
            "occurred_at": "2026-03-02T09:00:00Z",
            "next_step": "Call back",
            "next_step_due": "2026-03-09",
        },
    )

    assert (answer.status_code, answer.json()["staff"]) == (201, "staff")
    assert Interaction.objects.get().customer == customer
    assert FollowUp.objects.get().assigned_to == staff


def test_interactions_are_one_customers(api):
    mine = InteractionFactory()
    InteractionFactory()

    rows = api.get(f"{CUSTOMERS}{mine.customer.public_id}/interactions/").json()["results"]

    assert [row["id"] for row in rows] == [mine.pk]


def test_consent_is_given_and_taken_back(api, staff):
    customer = CustomerFactory()
    url = f"{CUSTOMERS}{customer.public_id}/consents/"

    given = post(
        api,
        url,
        {
            "purpose": "marketing",
            "source": "checkout",
            "wording": "Send me offers.",
            "stated_at": "2026-03-02T09:00:00Z",
        },
    )
    assert (given.status_code, given.json()["status"]) == (201, "granted")
    taken = post(api, f"{url}withdraw/", {"purpose": "marketing", "source": "till"})

    assert (taken.status_code, taken.json()["status"]) == (200, "withdrawn")
    assert [row["status"] for row in api.get(url).json()["results"]] == ["withdrawn", "granted"]
    assert Consent.objects.get(superseded_at=None).recorded_by == staff


def test_the_story_is_told_newest_first_and_by_kind(api, shop):
    customer = CustomerFactory()
    PurchaseFactory(customer=customer, external_id="A-1")
    ConsentFactory(customer=customer)
    url = f"{CUSTOMERS}{customer.public_id}/timeline/"

    assert [item["kind"] for item in api.get(url).json()] == ["purchase", "consent"]
    assert [item["detail"] for item in api.get(f"{url}?kind=purchase").json()] == ["Order A-1"]
    assert [item["kind"] for item in api.get(f"{url}?before=2026-02-01T00:00:00Z").json()] == ["consent"]
    assert api.get(f"{url}?kind=gossip").status_code == 400


def test_segments_and_their_members(api):
    stay = MembershipFactory(segment=SegmentFactory(key="vip", member_count=1))
    MembershipFactory(segment=stay.segment, left_at=stay.entered_at)

    [segment] = api.get("/api/v1/segments/").json()["results"]
    [member] = api.get("/api/v1/segments/vip/members/").json()["results"]

    assert (segment["key"], segment["member_count"], segment["rule"]) == ("vip", 1, {"all": []})
    assert member["customer"] == str(stay.customer.public_id)
    assert api.get("/api/v1/segments/none/members/").status_code == 404


def test_two_records_become_one_and_the_old_public_id_leads_there(api):
    keep, other = CustomerFactory(), CustomerFactory()
    PurchaseFactory(customer=other)

    answer = post(api, f"{CUSTOMERS}{keep.public_id}/merge/", {"other": str(other.public_id)})
    again = post(api, f"{CUSTOMERS}{keep.public_id}/merge/", {"other": str(other.public_id)})

    assert (answer.status_code, answer.json()["public_id"]) == (200, str(keep.public_id))
    assert (again.status_code, again.json()["code"]) == (409, "merge_refused")
    assert api.get(f"{CUSTOMERS}{other.public_id}/").json()["public_id"] == str(keep.public_id)
    assert keep.purchases.count() == 1


def test_an_erased_customer_is_not_found_any_more(api):
    customer = CustomerFactory(name="Kim Minji", email="kim@mail.example")

    answer = post(api, f"{CUSTOMERS}{customer.public_id}/erase/", {})

    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["email"]) == (f"#{customer.pk}", "")
    assert api.get(f"{CUSTOMERS}{customer.public_id}/").status_code == 404
    assert api.get(CUSTOMERS, {"search": "kim"}).json()["results"] == []
