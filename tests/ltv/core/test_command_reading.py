"""Which files ``python -m ltv.core`` reads, and how it names what it cannot."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ltv.core import summary
from ltv.core.command.layout import BadLog, Wanted
from ltv.core.command.reading import Purchases, read
from tests.reference import cdnow

SEOUL = ZoneInfo("Asia/Seoul")


def reading(path: Path, **wanted) -> Purchases:
    columns = {
        name: wanted.pop(name)
        for name in ("customer", "date", "amount", "order", "quantity")
        if name in wanted
    }
    return read(path, Wanted(columns, **wanted), SEOUL, lambda share: None)


def rows_of(found: Purchases) -> list[tuple[str, str, float]]:
    """Customer, day and amount of each purchase day."""
    log = found.log
    owner = np.repeat(np.arange(len(log.customers)), np.diff(log.first))
    days = log.days.astype("datetime64[D]").astype(str)
    return [
        (found.names[log.customers[i]], day, amount)
        for i, day, amount in zip(owner, days, log.amounts, strict=True)
    ]


@pytest.fixture
def written(tmp_path):
    """Writes a file and answers its path."""

    def write(text: str | bytes, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


TWO = [("a", "2026-01-05", 10.5), ("b", "2026-01-06", 1234.0)]


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            "customer_id,date,amount\na,2026-01-05,10.50\nb,2026-01-06,1234\n",
            "\ufeffcustomer_id,date,amount\r\na,2026-01-05,10.50\r\nb,2026-01-06,1234\r\n",
            "date;customer;total\n05.01.2026;a;10,50\n06.01.2026;b;1.234,00\n",
            'Order Date\tCustomer ID\tTotal\n2026/01/05\t"a"\t10.50\n2026/01/06\tb\t"1,234.00"\n',
            "고객번호,주문일,결제금액\na,2026. 1. 5.,10.50\nb,2026. 1. 6.,1234.00\n",
            "id|date|amount\n\na|20260105|$10.50\nb|20260106|$1234\n",
            "a 20260105 10.50\nb 20260106 1234.00\n",
        ],
        ids=["plain", "BOM and CRLF", "semicolons", "tabs", "Korean", "bars and blanks", "no header"],
    )
    def test_columns_and_styles_are_found(self, written, text):
        assert rows_of(reading(written(text))) == TWO

    def test_columns_may_be_named_or_counted(self, written):
        path = written("who,when,paid,fee\na,2026-01-05,10.50,1\nb,2026-01-06,1234.00,1\n")

        assert rows_of(reading(path, customer="who", date="#2", amount="paid")) == TWO

    def test_a_quoted_field_may_hold_anything(self, written):
        path = written('customer,date,amount\n"Kim, ""Jr""\nSeoul",2026-01-05,1\n')

        assert rows_of(reading(path)) == [('Kim, "Jr"\nSeoul', "2026-01-05", 1.0)]

    def test_the_sample_of_cdnow_and_its_master_are_read_as_they_are(self):
        sample = reading(cdnow._path())

        histories = summary.summarise(sample.log, "1997-09-30")
        x, _, _, m = cdnow.sample()
        assert sample.columns == {"customer": "#1", "date": "#3", "amount": "#5"}
        assert (sample.rows, len(sample.names)) == (6_919, 2_357)
        assert (histories.x.sum(), histories.m.sum()) == (x.sum(), pytest.approx(m.sum()))

    def test_an_instant_is_a_day_of_the_shop_and_a_time_without_offset_is_the_shops_already(self, written):
        path = written(
            "customer,date,amount\n"
            "a,2026-01-05T15:30:00Z,1\n"
            "a,2026-01-07 09:00:00+09:00,2\n"
            "a,2026-01-09 23:59,4\n"
        )

        assert [day for _, day, _ in rows_of(reading(path))] == ["2026-01-06", "2026-01-07", "2026-01-09"]

    def test_an_amount_of_single_pieces_is_multiplied(self, written):
        path = written("customer,date,Quantity,UnitPrice\na,2026-01-05,6,2.55\na,2026-01-06,-2,2.55\n")

        found = reading(path, amount="UnitPrice", quantity="Quantity")

        assert summary.summarise(found.log).revenue == pytest.approx([10.2])

    def test_a_refund_is_taken_off_the_order_it_names(self, written):
        path = written(
            "order id,customer,date,amount\n"
            "1,a,2026-01-01,100\n,a,2026-01-05,60\n1,a,2026-01-09,-100\n,a,2026-01-09,-10\n"
        )

        found = summary.summarise(reading(path).log)

        assert (found.first_day[0], found.revenue[0]) == (np.datetime64("2026-01-05"), 50.0)

    def test_two_times_of_one_day_are_one_purchase_day(self, written):
        found = reading(written("customer,date,amount\na,2026-01-05 09:00,1\na,2026-01-05 18:30,2\n"))

        assert rows_of(found) == [("a", "2026-01-05", 3.0)]

    def test_rows_after_the_last_day_to_count_are_left_out(self, written):
        path = written("customer,date,amount\na,2026-01-05,10.5\nb,2026-01-06,1\n")

        found = reading(path, until=int(np.datetime64("2026-01-05").astype(int)))

        assert (rows_of(found), found.left_out) == (TWO[:1], 1)

    def test_incomplete_rows_are_left_out_where_asked(self, written):
        path = written("customer,date,amount\na,2026-01-05,10.5\n,2026-01-06,1\nb,,1\n")

        found = reading(path, skip_incomplete=True)

        assert (rows_of(found), found.left_out) == (TWO[:1], 2)

    def test_one_currency_is_read_and_named(self, written):
        path = written("customer,date,amount,currency\na,2026-01-05,10.5,KRW\n")

        assert reading(path).currency == "KRW"

    def test_other_encodings_are_read_when_named(self, written):
        path = written("고객번호,주문일,금액\n김민수,2026-01-05,10\n".encode("cp949"))

        assert rows_of(reading(path, encoding="cp949")) == [("김민수", "2026-01-05", 10.0)]

    def test_a_style_that_could_be_two_is_read_as_the_user_says(self, written):
        path = written('customer,date,amount\na,02/03/2026,"1,234"\n')

        assert rows_of(reading(path, date_format="DD/MM/YYYY", number_style="1234,56")) == [
            ("a", "2026-03-02", 1.234)
        ]

    def test_progress_runs_up_to_the_end(self, written):
        path, told = written("customer,date,amount\n" + "a,2026-01-05,1\n" * 50_000), []

        read(path, Wanted({}), SEOUL, told.append)

        assert told == sorted(told)
        assert 0 < told[0] <= told[-1] <= 1


HEADER = "customer,date,amount\n"


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "the file is empty"),
            ("\n\n", "the file has no rows"),
            (HEADER, "the file has a header and no rows"),
            (b"PK\x03\x04", "this is a spreadsheet"),
            (HEADER + "a,2026-01-05,ten\n", "column 'amount': 'ten' is no amount we know how to read"),
            (HEADER + "a,5 January,10\n", "column 'date': '5 January' is no date we know how to read"),
            (HEADER + "a,2026-01-05,10\n" * 1_000 + "a,2026-02-30,10\n", "row 1002, column 'date': '2026-02-30'"),
            (HEADER + "a,2026-01-05,10\n" * 1_000 + "a,2026-01-05 noon,1\n", "row 1002, column 'date'"),
            (HEADER + "a,2026-01-05,10\n" * 1_000 + "a,yesterday,1\n", "row 1002, column 'date': 'yesterday'"),
            (HEADER + "a,2026-01-05,10\n" * 1_000 + "a,2026-01-05,NaN\n", "row 1002, column 'amount': 'NaN'"),
            (HEADER + "a,02/03/2026,10\n", "'02/03/2026' could be DD/MM/YYYY or MM/DD/YYYY; say which with --date-format"),
            (HEADER + 'a,2026-01-05,"1,234"\n', "could be 1,234.56 or 1.234,56; say which with --number-style"),
            (HEADER + "a,31/02/2026,10\n", "'31/02/2026' is no date we know how to read"),
            (HEADER + ",2026-01-05,1\n" + "a,2026-01-05,1\n", "row 2, column 'customer': no customer; --skip-incomplete"),
            (HEADER + "a,2026-01-05,1\nb,2026-01-05\n", "row 3 has 2 columns, 3 expected"),
            (HEADER + 'a,2026-01-05,1\n"b,2026-01-05,1\n', "row 3: a quote is opened and never closed"),
            ("id,time,money\nx,5.1.,1\n", "no column looks like the date; name it with --date, one of: id, time, money"),
            ("customer,date,amount,currency\na,2026-01-05,1,USD\na,2026-01-05,1,EUR\n",
             "row 3, column 'currency': 'EUR' after 'USD'; value one currency at a time"),
            ("x 20260105\n", "no column looks like the amount; name it with --amount, one of: #1, #2"),
            ("20260105\n", "no column looks like the customer"),
            ("20260105,1\nyesterday,2\n", "no column looks like the date"),
            ("고객,date,amount\n".encode("cp949"), "row 1: the text is not UTF-8; name its encoding with --encoding"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_named(self, written, text, why):
        with pytest.raises(BadLog, match=re.escape(why)):
            reading(written(text))
