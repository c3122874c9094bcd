"""``python -m ltv.core FILE.csv``: what it says and writes, and what it refuses."""

import csv
import os
import re
import runpy
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from ltv.core.command import pictures, valuing
from ltv.core.command.main import main
from tests.reference import cdnow

HEADER = "customer,date,amount\n"


@pytest.fixture
def written(tmp_path):
    """Writes a file and answers its path."""

    def write(text: str) -> Path:
        path = tmp_path / "log.csv"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="module")
def valued(tmp_path_factory):
    """The first customers of CDNOW, with everything asked for: stdout and the files."""
    folder = tmp_path_factory.mktemp("valued")
    log = folder / "cdnow.txt"
    log.write_text("".join(cdnow._path().read_text().splitlines(keepends=True)[:2_000]))
    asked = ["--until", "1998-06-30", "--currency", "USD", "--margin", ".3", "--horizon", "90"]
    files = ["--out", str(folder / "customers.csv"), "--plot", str(folder / "picture.svg")]
    said, complained = StringIO(), StringIO()
    with redirect_stdout(said), redirect_stderr(complained), warnings.catch_warnings():
        warnings.simplefilter("error")
        code = main([str(log), *asked, *files])
    assert (code, complained.getvalue()) == (0, "")
    return said.getvalue(), folder


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

        assert _width(said) > 0
        assert "a customer (margin 30%, discounted at 10% a year)" in said

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

    def test_a_young_shop_is_valued_and_told_that_nothing_could_be_checked(self, written, capsys):
        rows = "".join(
            f"c{n},2026-01-{1 + (n + k) % 28:02d},10\n" for n in range(60) for k in range(1 + n % 3)
        )

        code = main([str(written(HEADER + rows))])

        said = capsys.readouterr().out
        assert code == 0
        assert "the history is too short to compare models" in said
        assert "HOW FAR TO TRUST IT: amber" in said

    def test_a_large_shop_takes_its_parameters_for_certain(self, written, capsys, monkeypatch):
        path = written(shop(60))
        main([str(path)])
        small = capsys.readouterr().out
        monkeypatch.setattr(valuing, "FEW_CUSTOMERS", 60)

        main([str(path)])

        assert _width(capsys.readouterr().out) < _width(small)

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

    def test_a_shop_that_gives_everything_away_is_counted_and_worth_nothing(self, written, capsys):
        rows = "".join(
            f"c{n},2026-0{1 + day % 3}-{1 + n % 28:02d},0\n" for n in range(60) for day in range(1 + n % 3)
        )

        code = main([str(written(HEADER + rows))])

        said = capsys.readouterr().out
        assert code == 0
        assert "nobody has a repeat purchase with an amount" in said
        assert re.search(r"  purchase days    [0-9,]+, between", said)
        assert "revenue          0.00 (a sum of rules of thumb" in said

    def test_customers_who_keep_a_schedule_are_better_told_by_a_rule_and_that_is_said(self, written, capsys):
        start = np.datetime64("2025-01-01")
        weekly = "".join(f"c{n},{start + n % 7 + 7 * week},10\n" for n in range(60) for week in range(30))
        once = "".join(f"d{n},{start + n % 100},10\n" for n in range(200))

        code = main([str(written(HEADER + weekly + once))])

        said = capsys.readouterr().out
        assert code == 0
        assert 'in the checks below "customers go on at their past rate" did as well or better' in said
        assert "HOW FAR TO TRUST IT: red" in said

    def test_what_was_left_out_is_counted(self, written, capsys):
        rows = "a,2026-01-05,10\na,2026-01-06,5\nb,2026-01-07,-3\nc,2026-02-01,9\n"

        main([str(written(HEADER + rows)), "--until", "2026-01-31"])

        said = capsys.readouterr().out
        assert "1 rows without a customer, a date or an amount, or after the end" in said
        assert "1 refunds without an earlier purchase" in said


def _width(said: str) -> int:
    """Of the range of purchase days."""
    low, high = re.search(r"purchase days    [0-9,]+, between ([0-9,]+) and ([0-9,]+)", said).groups()
    return int(high.replace(",", "")) - int(low.replace(",", ""))


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

    def test_a_reader_who_has_seen_enough_ends_it_quietly(self, written, capsys, monkeypatch):
        path = written(HEADER + "a,2026-01-05,10.5\na,2026-01-06,20\n")
        reader, writer = os.pipe()
        os.close(reader)

        with os.fdopen(writer, "w") as pipe, monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", pipe)
            code = main([str(path)])

        assert (code, capsys.readouterr().err) == (0, "")

    def test_it_runs_as_a_module(self, written, capsys, monkeypatch):
        path = written(HEADER + "a,2026-01-05,10.5\na,2026-01-06,20\n")
        monkeypatch.setattr(sys, "argv", ["ltv.core", str(path)])

        with pytest.raises(SystemExit, match="0"):
            runpy.run_module("ltv.core", run_name="__main__")

        said = capsys.readouterr().out
        assert said.startswith("2 rows (customer 'customer', date 'date', amount 'amount')")

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
        monkeypatch.setattr(sys, "executable", "/shop crm/.venv/bin/python")
        path = written(HEADER + "a,2026-01-05,10.5\na,2026-01-06,20\n")
        out = path.with_name("customers.csv")

        assert main([str(path), "--plot", "x.png", "--out", str(out)]) == 2

        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == (
            "ltv.core: nothing was done: --plot needs matplotlib, which is not installed. Leave --plot out, or "
            "install it: '/shop crm/.venv/bin/python' -m pip install matplotlib\n"
        )
        assert not out.exists()

    def test_a_history_too_short_for_a_picture_has_everything_else_written(self, written, capsys):
        path = written(HEADER + "a,2026-01-05,10.5\na,2026-01-06,20\n")
        out = path.with_name("customers.csv")

        assert main([str(path), "--plot", str(path.with_name("x.png")), "--out", str(out)]) == 2

        assert "the history is too short for a check, so there is nothing to draw" in capsys.readouterr().err
        assert len(out.read_text().splitlines()) == 2

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
