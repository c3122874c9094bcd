"""From a log of purchases to x, t_x, T, m."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetimes.utils import summary_data_from_transaction_data

from ltv.core import summary
from tests.reference import cdnow


def log_of(*rows: tuple[str, str, float], orders=None) -> summary.Log:
    customers, days, amounts = zip(*rows, strict=True)
    return summary.purchase_log(customers, np.array(days, "datetime64[D]"), amounts, orders)


def histories(log: summary.Log, until=None) -> dict[str, tuple[float, ...]]:
    """x, t_x, T, m, revenue of each customer."""
    found = summary.summarise(log, until)
    columns = (found.x, found.t_x, found.T, found.m, found.revenue)
    return {
        str(name): tuple(float(v) for v in row) for name, *row in zip(found.customers, *columns, strict=True)
    }


class TestPublished:
    def test_cdnow_sample_at_the_end_of_calibration(self):
        found = summary.summarise(summary.purchase_log(*cdnow.purchases()), "1997-09-30")

        x, t_x, T, m = cdnow.sample()
        assert len(found.customers) == 2_357
        assert np.array_equal(found.x, x)
        assert np.array_equal(found.t_x / 7, t_x)
        assert np.array_equal(found.T / 7, T)
        assert found.m == pytest.approx(m, rel=1e-12)
        assert np.count_nonzero((found.x > 0) & (found.m > 0)) == 946

    def test_cdnow_customers_who_paid_nothing_stay(self):
        found = summary.summarise(summary.purchase_log(*cdnow.purchases()), "1997-09-30")

        assert np.count_nonzero(found.revenue == 0) == 8

    def test_cdnow_holdout(self):
        found = summary.split(summary.purchase_log(*cdnow.purchases()), "1997-09-30", "1998-06-30")

        assert np.array_equal(found.purchases, cdnow.bought_in_holdout())
        assert found.spend.mean() == pytest.approx(30.11, abs=0.005)
        assert np.mean(found.purchases == 0) == pytest.approx(0.710, abs=0.0005)
        assert found.horizon == 273


class TestWitness:
    """lifetimes 0.11.3, on logs without refunds: it would count a refund as a purchase."""

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_lifetimes_summarises_alike(self, seed):
        customers, days, amounts = random_purchases(seed)

        ours = summary.summarise(summary.purchase_log(customers, days, amounts), "2025-12-31")

        frame = pd.DataFrame({"id": customers, "on": days, "amount": amounts})
        theirs = summary_data_from_transaction_data(
            frame, "id", "on", "amount", observation_period_end="2025-12-31"
        )
        assert list(ours.customers) == list(theirs.index)
        assert np.array_equal(ours.x, theirs["frequency"])
        assert np.array_equal(ours.t_x, theirs["recency"])
        assert np.array_equal(ours.T, theirs["T"])
        assert ours.m == pytest.approx(theirs["monetary_value"].to_numpy(), rel=1e-12)

    def test_lifetimes_summarises_cdnow_alike(self):
        customers, days, amounts = cdnow.purchases()

        ours = summary.summarise(summary.purchase_log(customers, days, amounts))

        frame = pd.DataFrame({"id": customers, "on": days, "amount": amounts})
        theirs = summary_data_from_transaction_data(frame, "id", "on", "amount")
        assert np.array_equal(ours.x, theirs["frequency"])
        assert np.array_equal(ours.T, theirs["T"])
        assert ours.m == pytest.approx(theirs["monetary_value"].to_numpy(), rel=1e-12)


def random_purchases(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    n = 3_000
    customers = dice.integers(-5, 400, n)
    days = np.datetime64("2024-01-01") + dice.integers(0, 800, n)
    return customers, days, dice.integers(0, 20_000, n) / 100


class TestMeaning:
    """As the night's summaries in the database mean it."""

    def test_purchases_of_one_day_are_one_purchase_day(self):
        log = log_of(("a", "2026-01-05", 340), ("a", "2026-01-05", 490), ("a", "2026-02-05", 490))

        assert histories(log, "2026-03-01") == {"a": (1, 31, 55, 490, 1320)}

    def test_the_first_purchase_day_is_in_the_revenue_and_not_in_x_and_m(self):
        log = log_of(("a", "2026-01-01", 1000), ("a", "2026-01-11", 20), ("a", "2026-01-31", 40))

        assert histories(log) == {"a": (2, 30, 30, 30, 1060)}

    def test_a_purchase_on_the_day_of_the_cut_off_counts_and_one_after_it_does_not(self):
        log = log_of(("a", "2026-01-01", 10), ("a", "2026-03-01", 20), ("a", "2026-03-02", 40))

        assert histories(log, "2026-03-01") == {"a": (1, 59, 59, 20, 30)}
        assert histories(log, "2025-12-31") == {}

    def test_a_customer_of_today_has_been_observed_for_no_time(self):
        assert histories(log_of(("a", "2026-03-01", 10)), "2026-03-01") == {"a": (0, 0, 0, 0, 10)}

    def test_a_refund_is_taken_off_the_latest_purchase_and_is_no_purchase_day(self):
        log = log_of(("a", "2026-01-01", 100), ("a", "2026-01-11", 100), ("a", "2026-02-11", -25))

        assert histories(log, "2026-03-01") == {"a": (1, 10, 59, 75, 175)}

    def test_what_exceeds_the_latest_purchase_is_taken_off_the_one_before(self):
        log = log_of(("a", "2026-01-01", 100), ("a", "2026-01-11", 50), ("a", "2026-02-11", -70))

        assert histories(log, "2026-03-01") == {"a": (0, 0, 59, 0, 80)}

    def test_a_refund_leaves_later_purchases_alone(self):
        log = log_of(("a", "2026-01-01", 100), ("a", "2026-01-11", -40), ("a", "2026-02-11", 50))

        assert histories(log, "2026-03-01") == {"a": (1, 41, 59, 50, 110)}

    def test_a_refund_that_names_its_order_is_taken_off_that_one(self):
        log = log_of(
            ("a", "2026-01-01", 100), ("a", "2026-01-11", 50), ("a", "2026-02-11", -70),
            orders=["one", "two", "one"],
        )  # fmt: skip

        assert histories(log, "2026-03-01") == {"a": (1, 10, 59, 50, 80)}

    @pytest.mark.parametrize("named", ["three", "two", ""])
    def test_a_refund_of_an_order_unknown_or_anothers_is_taken_off_the_latest(self, named):
        log = log_of(
            ("a", "2026-01-01", 100), ("a", "2026-01-11", 50), ("b", "2026-01-01", 70), ("a", "2026-02-11", -30),
            orders=["one", "", "two", named],
        )  # fmt: skip

        assert histories(log, "2026-03-01")["a"] == (1, 10, 59, 20, 120)

    def test_orders_may_be_numbers(self):
        customers, days = [7, 7, 7], np.array(["2026-01-01", "2026-01-11", "2026-02-11"], "datetime64[D]")

        log = summary.purchase_log(customers, days, [100, 50, -70], orders=[1, 2, 1])

        assert histories(log, "2026-03-01") == {"7": (1, 10, 59, 50, 80)}

    def test_a_day_given_back_in_full_is_no_purchase_day_but_a_free_one_is(self):
        log = log_of(
            ("returned", "2026-01-05", 100), ("returned", "2026-01-20", -100),
            ("gifted", "2026-01-05", 0), ("gifted", "2026-01-20", 0),
        )  # fmt: skip

        assert histories(log, "2026-03-01") == {"gifted": (1, 15, 55, 0, 0)}

    def test_a_history_begins_with_the_first_purchase_that_was_kept(self):
        log = log_of(("a", "2026-01-01", 30), ("a", "2026-01-03", -30), ("a", "2026-02-01", 50))

        assert histories(log, "2026-03-01") == {"a": (0, 0, 28, 0, 50)}

    def test_decimal_fractions_given_back_leave_nothing_behind(self):
        log = log_of(("a", "2026-01-01", 0.1), ("a", "2026-01-01", 0.2), ("a", "2026-01-02", -0.3))

        assert histories(log) == {}

    def test_a_refund_without_an_earlier_purchase_is_counted_and_left_out(self):
        log = log_of(("a", "2026-01-01", -5), ("a", "2026-01-05", 10), ("b", "2026-01-05", -10))

        assert log.stray_refunds == 2
        assert histories(log, "2026-01-05") == {"a": (0, 0, 0, 0, 10)}

    def test_a_refund_is_not_known_before_the_day_it_was_made(self):
        log = log_of(("a", "2026-01-01", 100), ("a", "2026-01-11", 50), ("a", "2026-02-11", -50))

        assert histories(log, "2026-02-10") == {"a": (1, 10, 40, 50, 150)}
        assert histories(log, "2026-02-11") == {"a": (0, 0, 41, 0, 100)}

    def test_an_empty_log_has_no_customers(self):
        log = summary.purchase_log([], [], [])

        assert histories(log, "2026-01-01") == {}
        with pytest.raises(ValueError, match="no purchase"):
            summary.summarise(log)

    def test_refunds_alone_are_no_customers(self):
        log = log_of(("a", "2026-01-01", -5))

        assert (log.stray_refunds, histories(log, "2026-01-05")) == (1, {})


class TestSplit:
    def test_the_holdout_counts_purchase_days_and_spend_of_calibrations_customers(self):
        log = log_of(
            ("a", "2026-01-01", 10), ("a", "2026-02-01", 20), ("a", "2026-02-01", 5), ("a", "2026-02-09", 1),
            ("b", "2026-01-02", 10), ("late", "2026-02-02", 99),
        )  # fmt: skip

        found = summary.split(log, "2026-01-31", "2026-02-10")

        assert list(found.calibration.customers) == ["a", "b"]
        assert list(found.purchases) == [2, 0]
        assert list(found.spend) == [26, 0]
        assert found.horizon == 10

    def test_a_refund_in_the_holdout_of_an_earlier_purchase_changes_neither_side(self):
        log = log_of(("a", "2026-01-01", 10), ("a", "2026-02-05", -10))

        found = summary.split(log, "2026-01-31", "2026-02-10")

        assert list(found.calibration.revenue) == [10]
        assert (list(found.purchases), list(found.spend)) == ([0], [0])

    def test_a_refund_in_the_holdout_of_a_holdout_purchase_is_netted(self):
        log = log_of(("a", "2026-01-01", 10), ("a", "2026-02-05", 40), ("a", "2026-02-06", -40))

        found = summary.split(log, "2026-01-31", "2026-02-10")

        assert (list(found.purchases), list(found.spend)) == ([0], [0])

    def test_a_holdout_that_ends_before_it_begins_is_refused(self):
        with pytest.raises(ValueError, match="until is before end_of_calibration"):
            summary.split(log_of(("a", "2026-01-01", 10)), "2026-01-31", "2026-01-30")


Row = tuple[int, int, float]
CENTS = st.integers(-3_000, 3_000).map(lambda cents: cents / 100)
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25), CENTS, st.sampled_from(["", "p", "q"])))


def in_order_of_time(rows: list[tuple[int, int, float, str]]) -> list[tuple[int, int, float, str]]:
    """Purchases of a day before its refunds: within a day the log knows no order."""
    return sorted(rows, key=lambda row: (row[1], row[2] < 0))


def by_hand(rows, until: int) -> dict[int, tuple[float, ...]]:
    """The definition, one row after the other: purchase days of each customer as a pile."""
    piles: dict[int, dict[int, list[float]]] = {}
    back = []
    for customer, day, amount, order in in_order_of_time(rows):
        days = piles.setdefault(customer, {})
        if day <= until and amount >= 0:
            days.setdefault(day, [0.0, 0.0])[0] += amount
        elif day <= until:
            ordered = [d for c, d, a, o in rows if (c, o) == (customer, order) and a >= 0 and order]
            target = min(ordered, default=day)
            back.append((customer, target if target <= day else day, -amount))
    for customer, day, amount in sorted(back, key=lambda refund: refund[1]):
        for earlier in sorted((d for d in piles[customer] if d <= day), reverse=True):
            bought, returned = piles[customer][earlier]
            taken = min(amount, bought - returned)
            piles[customer][earlier][1] += taken
            amount -= taken
    return {customer: history for customer, days in piles.items() if (history := _history(days, until))}


def _history(days: dict[int, list[float]], until: int) -> tuple[float, ...]:
    left = {d: b - r for d, (b, r) in sorted(days.items()) if b - r > 1e-9 or r <= 1e-9}
    if not left:
        return ()
    first, *repeats = left
    mean = sum(left[d] for d in repeats) / len(repeats) if repeats else 0.0
    return len(repeats), max(left) - first, until - first, mean, sum(left.values())


def summarised(rows, until: int) -> dict[int, tuple[float, ...]]:
    customers, days, amounts, orders = zip(*rows, strict=True) if rows else ([], [], [], [])
    log = summary.purchase_log(customers, days, amounts, orders if rows else None)
    return {int(name): history for name, history in histories(log, until).items()}


class TestInvariants:
    @settings(max_examples=150, deadline=None)
    @given(rows=ROWS, until=st.integers(0, 30))
    def test_every_log_means_what_the_definition_says(self, rows, until):
        expected = by_hand(rows, until)

        found = summarised(rows, until)

        assert found.keys() == expected.keys()
        for customer, history in expected.items():
            assert found[customer] == pytest.approx(history, abs=1e-6)

    @settings(max_examples=50, deadline=None)
    @given(rows=ROWS, dice=st.randoms(use_true_random=False))
    def test_the_order_of_rows_never_matters(self, rows, dice):
        shuffled = dice.sample(rows, len(rows))

        found, again = summarised(rows, 30), summarised(shuffled, 30)

        assert found.keys() == again.keys()
        for customer, history in found.items():
            assert again[customer] == pytest.approx(history, abs=1e-9)

    @settings(max_examples=50, deadline=None)
    @given(rows=ROWS)
    def test_who_gave_everything_back_never_bought(self, rows):
        paid = [row for row in rows if row[2] > 0]
        returned = [(customer, 30, -amount, "") for customer, _, amount, _ in paid]

        assert summarised(paid + returned, 30) == {}

    @settings(max_examples=50, deadline=None)
    @given(rows=ROWS, until=st.integers(0, 30))
    def test_a_history_is_one_a_model_can_see(self, rows, until):
        for x, t_x, T, m, revenue in summarised(rows, until).values():
            assert x == int(x)
            assert 0 <= t_x <= T <= until
            assert (x == 0) == (t_x == 0)
            assert m >= 0
            assert revenue >= 0

    def test_a_long_history_with_many_refunds_is_netted_as_a_short_one(self):
        days = np.arange(3_000)
        bought = np.full(3_000, 10.0)
        returned = days[::3] + 1

        log = summary.purchase_log(
            np.ones(4_000, int), np.append(days, returned), np.append(bought, np.full(1_000, -10.0))
        )

        found = summary.summarise(log, 3_000)
        assert (found.x[0], found.m[0], found.revenue[0]) == (1_999, 10, 20_000)

    @pytest.mark.parametrize("spread", [1, 2**40, 2**60], ids=["close", "far", "too far for one number"])
    def test_what_numbers_customers_have_never_matters(self, spread):
        customers, days, amounts = random_purchases(4)
        found = summary.summarise(summary.purchase_log(customers, days, amounts))

        again = summary.summarise(summary.purchase_log(customers // 60 * spread, days, amounts))

        merged = summary.summarise(summary.purchase_log(customers // 60, days, amounts))
        assert list(again.customers) == [int(c) * spread for c in merged.customers]
        assert np.array_equal(again.x, merged.x)
        assert np.array_equal(again.m, merged.m)
        assert found.x.sum() > merged.x.sum()

    def test_names_may_come_as_objects(self):
        names = np.array(["b", "a", "b"], dtype=object)

        log = summary.purchase_log(names, [1, 2, 3], [10, 20, 30])

        assert histories(log, 3) == {"a": (0, 0, 1, 0, 20), "b": (1, 2, 2, 30, 40)}


class TestRefusals:
    @pytest.mark.parametrize(
        ("customers", "days", "amounts", "why"),
        [
            (["a", ""], [1, 2], [1, 1], r"customers\[1\] is empty"),
            (["a", None], [1, 2], [1, 1], r"customers\[1\] is neither a string nor an integer: None"),
            ([1.5, 2], [1, 2], [1, 1], "customers must be integers or strings"),
            ([1, 2], [1.0, 2.0], [1, 1], "days must be datetime64"),
            ([1, 2], np.array(["2026-01-01", "NaT"], "M8[D]"), [1, 1], r"days\[1\] is missing"),
            ([1, 2], np.array(["2026-01-01"] * 2, "M8[s]"), [1, 1], "local_days turns instants into days"),
            ([1, 2], [1, 2], [1, float("nan")], r"amounts\[1\] is not a finite number: nan"),
            ([1, 2], [1, 2], [float("-inf"), 1], r"amounts\[0\] is not a finite number: -inf"),
            ([1, 2], [1, 2], ["ten", 1], "amounts must be numbers"),
            ([1, 2], [1, 2], [1], r"shapes differ: customers \(2,\), days \(2,\), amounts \(1,\)"),
        ],
    )
    def test_what_is_no_purchase_is_named(self, customers, days, amounts, why):
        with pytest.raises(ValueError, match=why):
            summary.purchase_log(customers, days, amounts)

    def test_orders_need_one_entry_a_row(self):
        with pytest.raises(ValueError, match="shapes differ"):
            summary.purchase_log([1, 1], [1, 2], [5, -5], orders=["a"])

    def test_a_cut_off_that_is_no_day_is_refused(self):
        with pytest.raises(ValueError, match="is not a day"):
            summary.summarise(log_of(("a", "2026-01-01", 1)), np.datetime64("NaT"))
