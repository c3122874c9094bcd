"""Segments: kept, evaluated in one pass, remembered; asked how many, who and why."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers import events
from customers.choices import SegmentStatus
from customers.core.builtin import BUILT_IN
from customers.models import Customer, Segment, SegmentMembership
from customers.services import segments
from tests.factories import ConsentFactory, CustomerFactory, CustomerLtvFactory, SegmentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
KOREA = {"all": [{"trait": "customers.country", "op": "=", "value": "KR"}]}
JAPAN = {"all": [{"trait": "customers.country", "op": "=", "value": "JP"}]}
FRESH = {"all": [{"trait": "customers.days_since_acquired", "op": "<=", "value": 1}]}
GONE = {"all": [{"trait": "weather.rain", "op": "=", "value": True}]}
EVERYONE: dict[str, list[object]] = {"all": []}
TODAY = date(2026, 3, 2)


def members(segment: Segment) -> set[int]:
    return set(Customer.objects.in_segment(segment.pk).values_list("pk", flat=True))


def history() -> list[tuple[int, int, datetime, datetime | None]]:
    rows = SegmentMembership.objects.order_by("customer_id", "entered_at", "segment_id")
    return list(rows.values_list("segment_id", "customer_id", "entered_at", "left_at"))


@pytest.fixture
def heard():
    """What segments_changed said, in order."""
    said: list[tuple[dict[int, int], dict[int, int]]] = []

    def listen(sender, at, entered, left, **_more):
        said.append((entered, left))

    events.segments_changed.connect(listen)
    yield said
    events.segments_changed.disconnect(listen)


# -- keeping -----------------------------------------------------------------------------------------------


def test_a_new_segment_has_its_members_at_once(now, staff):
    korean = CustomerFactory(country="KR")
    CustomerFactory(country="JP")

    segment = segments.create_segment(key="korea", name="Korea", rule=KOREA, at=now, by=staff)

    assert members(segment) == {korean.pk}
    assert (segment.member_count, segment.evaluated_at, segment.created_by) == (1, now, staff)


def test_without_a_moment_the_members_of_a_new_segment_come_with_the_next_refresh(now):
    korean = CustomerFactory(country="KR")
    segment = segments.create_segment(key="korea", name="Korea", rule=KOREA)
    assert members(segment) == set() and segment.evaluated_at is None

    segments.refresh(at=now, today=TODAY)

    assert members(segment) == {korean.pk}


def test_a_segment_with_a_bad_rule_is_refused_with_the_place(now):
    with pytest.raises(segments.BadSegmentRule) as refusal:
        segments.create_segment(key="rain", name="Rain", rule=GONE, at=now)

    assert refusal.value.detail["path"] == "all.0.trait"
    assert not Segment.objects.exists()


@pytest.mark.parametrize(("key", "name"), [("korea", "Another"), ("another", "Korea")])
def test_a_key_and_a_name_are_given_once(key, name, now):
    segments.create_segment(key="korea", name="Korea", rule=KOREA, at=now)

    with pytest.raises(segments.DuplicateSegment):
        segments.create_segment(key=key, name=name, rule=JAPAN, at=now)

    assert list(Segment.objects.values_list("key", "name", "rule")) == [("korea", "Korea", KOREA)]


def test_changing_the_rule_moves_members_at_once_and_counts_versions(now):
    korean, japanese = CustomerFactory(country="KR"), CustomerFactory(country="JP")
    segment = segments.create_segment(key="home", name="Home", rule=KOREA, at=now)
    later = now + timedelta(hours=1)

    segments.change_rule(segment=segment, rule=JAPAN, at=later)

    assert history() == [
        (segment.pk, korean.pk, now, later),
        (segment.pk, japanese.pk, later, None),
    ]
    versions = SegmentMembership.objects.order_by("pk").values_list("rule_version", flat=True)
    assert (segment.rule_version, list(versions)) == (2, [1, 2])


def test_the_same_rule_again_is_not_a_new_version(now):
    segment = segments.create_segment(key="home", name="Home", rule=KOREA, at=now)

    segments.change_rule(segment=segment, rule=KOREA, at=now)

    assert segment.rule_version == 1


def test_a_bad_rule_does_not_replace_a_good_one(now):
    CustomerFactory(country="KR")
    segment = segments.create_segment(key="home", name="Home", rule=KOREA, at=now)

    with pytest.raises(segments.BadSegmentRule):
        segments.change_rule(segment=segment, rule=GONE, at=now)

    segment.refresh_from_db()
    assert (segment.rule, segment.rule_version, segment.member_count) == (KOREA, 1, 1)


def test_archiving_lets_everyone_leave_and_keeps_the_history(now, heard):
    korean = CustomerFactory(country="KR")
    segment = segments.create_segment(key="home", name="Home", rule=KOREA, at=now)
    later = now + timedelta(days=1)

    assert segments.archive(segment=segment, at=later) == 1
    assert segments.archive(segment=segment, at=later + timedelta(days=1)) == 0

    assert history() == [(segment.pk, korean.pk, now, later)]
    assert (segment.status, segment.member_count) == (SegmentStatus.ARCHIVED, 0)
    assert heard == [({segment.pk: 1}, {}), ({}, {segment.pk: 1})]


def test_an_archived_segment_is_neither_changed_nor_evaluated(now):
    CustomerFactory(country="JP")
    segment = segments.create_segment(key="home", name="Home", rule=KOREA, at=now)
    segments.archive(segment=segment, at=now)

    with pytest.raises(segments.SegmentArchived):
        segments.change_rule(segment=segment, rule=JAPAN, at=now)
    segments.refresh(at=now, today=TODAY)

    segment.refresh_from_db()
    assert (segment.rule, members(segment)) == (KOREA, set())


# -- the segments every shop starts with ---------------------------------------------------------------------


def test_the_built_in_segments_are_created_once_and_left_as_staff_changed_them(now):
    assert segments.create_builtin(at=now) == len(BUILT_IN)
    Segment.objects.filter(key="loyal").update(name="Regulars", rule=KOREA)

    assert segments.create_builtin(at=now) == 0

    assert Segment.objects.count() == len(BUILT_IN)
    loyal = Segment.objects.get(key="loyal")
    assert (loyal.name, loyal.rule) == ("Regulars", KOREA)


@pytest.mark.parametrize(
    ("key", "figures", "outside"),
    [
        ("new", {"age_days": 29}, {"age_days": 30}),
        ("going-quiet", {"frequency": 0, "recency_days": 45}, {"frequency": 0, "recency_days": 44}),
        ("loyal", {"frequency": 5, "p_alive": 0.8}, {"frequency": 5, "p_alive": 0.79}),
        ("champions", {"clv_decile": 1}, {"clv_decile": 2}),
        ("win-back", {"frequency": 1, "p_no_purchase": 0.7}, {"frequency": 0, "p_no_purchase": 0.9}),
        ("never-bought", {"orders": 0, "frequency": 0}, {"orders": 1, "frequency": 0}),
    ],
)
def test_a_built_in_segment_takes_who_it_describes_and_nobody_beside(key, figures, outside, now):
    inside = CustomerLtvFactory(**figures).customer
    CustomerLtvFactory(**outside)
    CustomerFactory()

    segments.create_builtin(at=now)

    assert members(Segment.objects.get(key=key)) == {inside.pk}


def test_at_risk_are_those_who_spent_above_the_average_and_may_stay_away(now):
    big = CustomerLtvFactory(revenue=300, p_no_purchase=0.5).customer
    CustomerLtvFactory(revenue=100, p_no_purchase=0.9)
    CustomerLtvFactory(revenue=300, p_no_purchase=0.49)

    segments.create_builtin(at=now)

    assert members(Segment.objects.get(key="at-risk")) == {big.pk}


def test_no_marketing_consent_means_never_given_or_taken_back(now):
    never, agreed = CustomerFactory(), ConsentFactory().customer
    withdrew = ConsentFactory(status="withdrawn").customer

    segments.create_builtin(at=now)

    silent = members(Segment.objects.get(key="no-marketing-consent"))
    assert silent == {never.pk, withdrew.pk} and agreed.pk not in silent


# -- nights ------------------------------------------------------------------------------------------------


def test_three_nights_leave_the_history_of_who_entered_and_who_left(now, heard):
    segment = SegmentFactory(rule=FRESH)
    monday, tuesday, wednesday = (now + timedelta(days=n) for n in range(3))
    ann = CustomerFactory(acquired_at=monday)

    first = segments.refresh(at=monday, today=TODAY)
    ben = CustomerFactory(acquired_at=tuesday)
    second = segments.refresh(at=tuesday, today=TODAY + timedelta(days=1))
    third = segments.refresh(at=wednesday, today=TODAY + timedelta(days=2))

    assert (first.entered, first.left) == ({segment.pk: 1}, {})
    assert (second.entered, second.left) == ({segment.pk: 1}, {})
    assert (third.entered, third.left) == ({}, {segment.pk: 1})
    assert history() == [
        (segment.pk, ann.pk, monday, wednesday),
        (segment.pk, ben.pk, tuesday, None),
    ]
    segment.refresh_from_db()
    assert (segment.member_count, segment.evaluated_at) == (1, wednesday)
    assert heard == [({segment.pk: 1}, {}), ({segment.pk: 1}, {}), ({}, {segment.pk: 1})]


def test_who_comes_back_has_two_stays_and_only_one_is_open(now):
    segment = SegmentFactory(rule=KOREA)
    customer = CustomerFactory(country="KR")
    for night, country in enumerate(["KR", "JP", "KR"]):
        Customer.objects.filter(pk=customer.pk).update(country=country)
        segments.refresh(at=now + timedelta(days=night), today=TODAY)

    assert history() == [
        (segment.pk, customer.pk, now, now + timedelta(days=1)),
        (segment.pk, customer.pk, now + timedelta(days=2), None),
    ]


def test_refreshing_twice_changes_nothing_the_second_time(now, heard):
    SegmentFactory(rule=KOREA)
    SegmentFactory(rule=EVERYONE)
    CustomerFactory.create_batch(3, country="KR")
    segments.refresh(at=now, today=TODAY)
    before = history()

    again = segments.refresh(at=now + timedelta(hours=1), today=TODAY)

    assert (again.entered, again.left, again.failed) == ({}, {}, {})
    assert history() == before
    assert len(heard) == 1


def test_a_broken_rule_keeps_its_members_and_does_not_stop_the_others(now):
    korean = CustomerFactory(country="KR")
    broken = segments.create_segment(key="broken", name="Broken", rule=KOREA, at=now)
    sound = SegmentFactory(rule=KOREA)
    Segment.objects.filter(pk=broken.pk).update(rule=GONE)

    changed = segments.refresh(at=now + timedelta(days=1), today=TODAY)

    assert changed.failed == {broken.pk: "all.0.trait: nothing known is called 'weather.rain'"}
    assert changed.entered == {sound.pk: 1}
    assert members(broken) == members(sound) == {korean.pk}
    broken.refresh_from_db()
    assert broken.evaluated_at == now


def test_a_clock_that_runs_backwards_does_not_break_the_night(now):
    segment = SegmentFactory(rule=KOREA)
    customer = CustomerFactory(country="KR")
    segments.refresh(at=now, today=TODAY)
    Customer.objects.filter(pk=customer.pk).update(country="JP")

    segments.refresh(at=now - timedelta(hours=1), today=TODAY)

    assert history() == [(segment.pk, customer.pk, now, now)]


def test_more_than_sixty_segments_are_evaluated_in_passes_of_sixty(now):
    rules = [KOREA, JAPAN, EVERYONE]
    made = [SegmentFactory(rule=rules[n % 3]) for n in range(64)]
    korean, japanese = CustomerFactory(country="KR"), CustomerFactory(country="JP")

    changed = segments.refresh(at=now, today=TODAY)

    expected = [{korean.pk}, {japanese.pk}, {korean.pk, japanese.pk}]
    assert [members(segment) for segment in made] == [expected[n % 3] for n in range(64)]
    assert sum(changed.entered.values()) == SegmentMembership.objects.count() == 85


def test_a_source_can_be_replaced_for_one_refresh(now):
    segment = SegmentFactory(rule={"all": [{"trait": "ltv.orders", "op": "=", "value": 9}]})
    customer = CustomerFactory()
    tonight = "LEFT JOIN (SELECT 9 AS orders, {} AS customer_id) {{alias}} ON {{alias}}.customer_id = c.id"

    segments.refresh(at=now, today=TODAY, overrides={"ltv": tonight.format(customer.pk)})

    assert members(segment) == {customer.pk}


def _queries(now: datetime) -> int:
    with CaptureQueriesContext(connection) as captured:
        segments.refresh(at=now, today=TODAY)
    return len(captured)


def test_the_number_of_queries_grows_neither_with_customers_nor_with_segments(now):
    SegmentFactory(rule=KOREA)
    CustomerFactory(country="KR")
    few = _queries(now)
    for rule in (JAPAN, FRESH, EVERYONE, KOREA) * 5:
        SegmentFactory(rule=rule)
    CustomerFactory.create_batch(40, country="KR")

    many = _queries(now + timedelta(days=1))

    assert many == few


def test_a_segment_too_big_for_a_request_is_kept_and_left_to_the_night(now):
    CustomerFactory(country="KR")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$;"
            "CREATE TRIGGER slow BEFORE INSERT ON customers_segmentmembership"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.slow(); SET LOCAL statement_timeout = '200ms'"
        )

    segment = segments.create_segment(key="korea", name="Korea", rule=KOREA, at=now)

    assert (segment.member_count, segment.evaluated_at, members(segment)) == (0, None, set())


# -- without foreign keys ------------------------------------------------------------------------------------


def test_a_deleted_customer_or_segment_takes_its_stays_along_whoever_deletes_it(now):
    one, other = CustomerFactory(country="KR"), CustomerFactory(country="KR")
    korea = segments.create_segment(key="korea", name="Korea", rule=KOREA, at=now, by=None)
    all_of_them = segments.create_segment(key="all", name="All", rule=EVERYONE, at=now, by=None)

    with connection.cursor() as cursor:  # not Django, which would delete them itself
        cursor.execute("DELETE FROM customers_customer WHERE id = %s", [one.pk])
        cursor.execute("DELETE FROM customers_segment WHERE id = %s", [korea.pk])

    assert [(segment, customer) for segment, customer, *_when in history()] == [(all_of_them.pk, other.pk)]


def test_a_stay_with_nobody_behind_it_is_closed_by_the_next_evaluation(now):
    CustomerFactory(country="KR")
    korea = segments.create_segment(key="korea", name="Korea", rule=KOREA, at=now, by=None)
    SegmentMembership.objects.create(segment=korea, customer_id=987_654, entered_at=now)

    segments.refresh(at=now + timedelta(days=1), today=TODAY)

    korea.refresh_from_db()
    assert korea.member_count == 1
    assert SegmentMembership.objects.get(customer_id=987_654).left_at is not None
