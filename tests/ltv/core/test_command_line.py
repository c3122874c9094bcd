"""``python -m ltv.core FILE.csv``: what it reads, what it says, what it refuses."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ltv.core import summary
from ltv.core.command import pictures
from ltv.core.command.layout import BadLog, Wanted
from ltv.core.command.main import main
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
            (HEADER + ",2026-01-05,1\n", "row 2, column 'customer': no customer; --skip-incomplete"),
            (HEADER + "a,2026-01-05,1\nb,2026-01-05\n", "row 3 has 2 columns, 3 expected"),
            (HEADER + 'a,2026-01-05,1\n"b,2026-01-05,1\n', "row 3: a quote is opened and never closed"),
            ("id,time,money\nx,5.1.,1\n", "no column looks like the date; name it with --date, one of: id, time, money"),
            ("customer,date,amount,currency\na,2026-01-05,1,USD\na,2026-01-05,1,EUR\n",
             "row 3, column 'currency': 'EUR' after 'USD'; value one currency at a time"),
            ("고객,date,amount\n".encode("cp949"), "row 1: the text is not UTF-8; name its encoding with --encoding"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_is_named(self, written, text, why):
        with pytest.raises(BadLog, match=re.escape(why)):
            reading(written(text))


PYTHON = [sys.executable, "-W", "error", "-m", "ltv.core"]


@pytest.fixture(scope="module")
def valued(tmp_path_factory):
    """The first customers of CDNOW, with everything asked for: stdout and the files."""
    folder = tmp_path_factory.mktemp("valued")
    log = folder / "cdnow.txt"
    log.write_text("".join(cdnow._path().read_text().splitlines(keepends=True)[:2_000]))
    asked = ["--until", "1998-06-30", "--currency", "USD", "--margin", ".3", "--horizon", "90"]
    files = ["--out", str(folder / "customers.csv"), "--plot", str(folder / "picture.svg")]
    done = subprocess.run([*PYTHON, str(log), *asked, *files], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, folder


class TestValuation:
    def test_it_says_what_was_read_and_what_the_customers_did(self, valued):
        said, _ = valued

        assert "(customer '#1', date '#3', amount '#5'), 1997-01-01 to 1998-06-30" in said
        assert "customers        681, of whom 327 bought on two days or more" in said

    def test_it_says_which_model_is_used_on_which_step(self, valued):
        said, _ = valued

        for title in ("BG/NBD", "MBG/NBD", "Pareto/NBD", "gamma-gamma"):
            assert re.search(rf"^[* ] {title} +own fit +\w+ [0-9.]+", said, re.M), title
        assert len(re.findall(r"^\* ", said, re.M)) == 3  # the model, the spend, and why
        assert "the best of all forecasts in the checks below" in said

    def test_it_says_what_lies_ahead_with_a_range(self, valued):
        said, _ = valued

        low, high = re.search(r"purchase days    [0-9,]+, between ([0-9,]+) and ([0-9,]+)", said).groups()
        assert int(low.replace(",", "")) < int(high.replace(",", ""))
        assert "a customer (margin 30 %, discounted at 10 % a year)" in said

    def test_it_says_how_far_to_trust_it(self, valued):
        said, _ = valued

        assert re.search(r"^HOW FAR TO TRUST IT: (green|amber|red)$", said, re.M)
        assert "The forecast beats the simple rule" in said
        assert said.count("(rule of thumb)") == 5

    def test_every_customer_is_in_the_file_the_one_worth_most_first(self, valued):
        said, folder = valued

        header, *rows = csv.reader((folder / "customers.csv").open(encoding="utf-8"))
        expected = [float(row[header.index("expected revenue")]) for row in rows]
        assert len(rows) == 681
        assert expected == sorted(expected, reverse=True)
        assert all(0 <= float(row[header.index("P(still a customer)")]) <= 1 for row in rows)
        total = re.search(r"revenue +([0-9,]+) USD, between", said).group(1)
        assert sum(expected) == pytest.approx(float(total.replace(",", "")), abs=1)

    def test_the_picture_says_what_it_shows(self, valued):
        _, folder = valued

        drawn = (folder / "picture.svg").read_text()

        # matplotlib writes text as outlines and keeps the words as comments
        for words in (
            "A forecast made on",
            "the forecast was",
            "days after the forecast",
            "best rule of thumb",
            "(USD)",
        ):
            assert words in drawn, words


def shop(customers: int) -> str:
    """A log of so many customers, every second of whom comes back once or twice."""
    dice = np.random.default_rng(3)
    lines = ["customer,date,amount"]
    for n in range(customers):
        joined = np.datetime64("2025-01-01") + dice.integers(0, 150)
        for day in [0, *np.cumsum(dice.integers(5, 60, dice.integers(0, 3)))]:
            lines.append(f"c{n},{joined + day},{dice.gamma(4, 5):.2f}")
    return "\n".join(lines) + "\n"


class TestSmallShops:
    def test_a_small_shop_is_valued_by_models_held_by_a_prior_and_is_told_so(self, written, capsys):
        code = main([str(written(shop(60)))])

        said = capsys.readouterr().out
        assert code == 0
        assert re.search(r"\* .+ held by a prior", said)
        assert "because: 60 customers, 200 needed" in said
        assert "between" in said

    def test_a_handful_of_customers_is_valued_by_a_formula_and_is_told_so(self, written, capsys):
        code = main([str(written(shop(5)))])

        said = capsys.readouterr().out
        assert code == 0
        assert "a plain formula" in said
        assert "which has no range" in said
        assert "HOW FAR TO TRUST IT: amber" in said

    def test_a_shop_where_nobody_came_back_is_valued_too(self, written, capsys):
        rows = "".join(f"c{n},2026-01-{n % 28 + 1:02d},10\n" for n in range(40))

        code = main([str(written(HEADER + rows))])

        assert code == 0
        assert "nobody bought twice" in capsys.readouterr().out


class TestExit:
    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            ([], "the following arguments are required: file"),
            (["nowhere.csv"], "nowhere.csv: No such file or directory"),
            (["{log}", "--margin", "30"], "argument --margin: 30 is not between 0 and 1"),
            (["{log}", "--discount", "high"], "argument --discount: 'high' is no number"),
            (["{log}", "--horizon", "0"], "argument --horizon: '0' is no number of days"),
            (["{log}", "--until", "31.12.1997"], "'31.12.1997' is no day written as YYYY-MM-DD"),
            (["{log}", "--time-zone", "Mars"], "there is no time zone 'Mars'"),
            (["{log}", "--plot", "picture.gif"], "'picture.gif' is neither .png nor .svg"),
            (["{log}", "--until", "2020-01-01"], "nobody bought anything"),
            (["{log}", "--date", "Day"], "no column is called 'Day'; the columns are: customer, date, amount"),
            (["{log}", "--date", "#9"], "no column is called '#9'"),
            (["{log}", "--encoding", "klingon"], "the text is not klingon"),
            (["{log}", "--encoding", "utf-16"], "the text is not utf-16"),
            (["{log}", "--out", "{log}/x.csv"], "Not a directory"),
            (["{log}", "--plot", "{log}.png"], "the history is too short for a check"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_said_in_one_line_and_the_exit_code_is_2(self, written, capsys, arguments, why):
        path = written(HEADER + "a,2026-01-05,10.5\na,2026-01-06,20\n")

        try:
            code = main([argument.format(log=path) for argument in arguments])
        except SystemExit as left:
            code = left.code

        said = capsys.readouterr().err
        assert code == 2
        assert re.fullmatch(rf"ltv\.core: .*{re.escape(why)}.*\n", said)

    def test_a_reader_who_has_seen_enough_ends_it_quietly(self, written):
        path = written(HEADER + "a,2026-01-05,10.5\na,2026-01-06,20\n")
        reader, writer = os.pipe()
        os.close(reader)

        done = subprocess.run([*PYTHON, str(path)], stdout=writer, stderr=subprocess.PIPE, timeout=60)

        os.close(writer)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_everything_given_back_is_nothing_to_value(self, written, capsys):
        path = written(HEADER + "a,2026-01-05,10\na,2026-01-06,-10\n")

        assert main([str(path)]) == 2
        assert "nobody bought anything that was not given back" in capsys.readouterr().err

    def test_a_title_that_is_there_twice_is_refused(self, written, capsys):
        path = written("customer,day,day,amount\na,2026-01-05,2026-01-05,1\n")

        assert main([str(path), "--date", "day"]) == 2
        assert "several columns are called 'day'" in capsys.readouterr().err

    def test_without_matplotlib_a_picture_is_refused_before_any_work(self, written, capsys, monkeypatch):
        monkeypatch.setattr(pictures, "find_spec", lambda name: None)

        assert main([str(written("nothing\n")), "--plot", "x.png"]) == 2
        assert capsys.readouterr().err == (
            "ltv.core: pictures need matplotlib, which is not installed: pip install matplotlib\n"
        )

    def test_progress_is_shown_on_a_terminal_only(self, written, capsys, monkeypatch):
        path = written(HEADER + "a,2026-01-05,10.5\na,2026-01-06,20\n")
        main([str(path)])
        quiet = capsys.readouterr().err

        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        main([str(path)])

        shown = capsys.readouterr().err
        assert quiet == ""
        assert shown.startswith("\r\033[Kreading ")
        assert shown.endswith("\r\033[K")
