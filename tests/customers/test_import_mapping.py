"""Which column is which fact: guesses are offered, gaps are refused by name."""

import pytest

from customers.core import mapping as maps
from customers.core.mapping import BadMapping, Mapping

WHOLE = Mapping(
    columns={"order_id": "Order", "email": "Mail", "date": "Day", "amount": "Total"},
    constants={"currency": "USD"},
)


@pytest.mark.parametrize(
    "header",
    [
        [
            "Order ID",
            "Customer ID",
            "E-Mail",
            "Customer Name",
            "Order Date",
            "Total",
            "Currency",
            "SKU",
            "Qty",
        ],
        ["주문번호", "고객번호", "이메일", "고객명", "주문일", "결제금액", "통화", "상품코드", "수량"],
        [
            "注文番号",
            "会員番号",
            "メールアドレス",
            "氏名",
            "注文日",
            "合計金額",
            "通貨",
            "商品コード",
            "数量",
        ],
    ],
)
def test_columns_are_guessed_from_english_korean_and_japanese_headers(header: list[str]) -> None:
    fields = ["order_id", "customer_id", "email", "name", "date", "amount", "currency", "sku", "quantity"]

    assert maps.guess(header) == dict(zip(fields, header, strict=True))


def test_an_unknown_header_is_not_guessed() -> None:
    assert maps.guess(["foo", "Amount", "amount"]) == {"amount": "Amount"}


@pytest.mark.parametrize(
    ("samples", "formats"),
    [
        (["2026-03-04", "2026-12-31"], ["YYYY-MM-DD"]),
        (["2026-03-04T12:30:00+09:00"], ["YYYY-MM-DD"]),
        (["19970101"], ["YYYYMMDD"]),
        (["03/04/2026"], ["DD/MM/YYYY", "MM/DD/YYYY"]),
        (["03/04/2026", "31/12/2025"], ["DD/MM/YYYY"]),
        (["12/31/2025"], ["MM/DD/YYYY"]),
        (["2026. 3. 4."], ["YYYY.MM.DD"]),
        (["2026/3/4 9:05"], ["YYYY/MM/DD"]),
        (["yesterday"], []),
        ([], []),
    ],
)
def test_an_ambiguous_date_leaves_more_than_one_format(samples: list[str], formats: list[str]) -> None:
    assert maps.possible_dates(samples) == formats


@pytest.mark.parametrize(
    ("samples", "styles"),
    [
        (["12000", "1.50"], ["1234.56", "1,234.56"]),
        (["12,000"], ["1,234.56", "1234,56", "1.234,56"]),
        (["1.234,50"], ["1.234,56"]),
        (["1,234.50"], ["1,234.56"]),
        (["NaN"], []),
    ],
)
def test_number_styles_are_those_every_sample_fits(samples: list[str], styles: list[str]) -> None:
    assert maps.possible_numbers(samples) == styles


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"columns": {"order_id": "Order", "email": "Mail", "amount": "Total"}}, "date", "needed"),
        ({"columns": {"order_id": "Order", "date": "Day", "amount": "Total"}}, "customer_id", "needed"),
        ({"columns": {"order_id": "Order", "email": "Mail", "date": "Day"}}, "amount", "needed"),
        ({"columns": {"email": "Mail", "date": "Day", "amount": "Total"}}, "order_id", "needed"),
        ({"constants": {}}, "currency", "needed"),
        ({"columns": {**WHOLE.columns, "quantity": "Total"}}, "sku", "needed"),
        ({"columns": {**WHOLE.columns, "amount": "Sum"}}, "amount", "no_such_column"),
        ({"columns": {**WHOLE.columns, "amount": "#9"}}, "amount", "no_such_column"),
        ({"columns": {**WHOLE.columns, "amount": "#0"}}, "amount", "no_such_column"),
        ({"columns": {**WHOLE.columns, "amount": "Twice"}}, "amount", "column_twice"),
        ({"header": False}, "order_id", "no_header"),
        ({"date_format": "MM-YY"}, "date_format", "unknown_entry"),
        ({"number_style": "roman"}, "number_style", "unknown_entry"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_by_the_name_of_its_field(
    changes: dict[str, object], field: str, code: str
) -> None:
    mapping = maps.from_json({**WHOLE.as_json(), **changes})

    with pytest.raises(BadMapping) as caught:
        maps.bind(mapping, ["Order", "Mail", "Day", "Total", "Twice", "Twice"])

    assert (caught.value.field, caught.value.code) == (field, code)


@pytest.mark.parametrize(
    "data",
    [
        {"unknown": "x"},
        {"header": "yes"},
        {"columns": []},
        {"columns": {"password": "x"}},
        {"columns": {"email": 3}},
        {"constants": {"amount": "5"}},
    ],
)
def test_json_that_is_no_mapping_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(BadMapping):
        maps.from_json(data)


def test_a_mapping_survives_its_json() -> None:
    assert maps.from_json(WHOLE.as_json()) == WHOLE


def test_made_order_ids_count_the_orders_of_a_day_and_hide_an_address() -> None:
    mapping = Mapping(
        columns={"email": "#1", "date": "#2", "amount": "#3"},
        constants={"currency": "USD"},
        header=False,
        make_order_ids=True,
    )
    reader = maps.Reader(mapping, maps.bind(mapping, ["kim@shop.example", "2026-01-02", "5"]))

    first, second, next_day = (
        reader.texts(["kim@shop.example", day, "5"])[0]
        for day in ("2026-01-02 10:00", "2026-01-02 11:00", "2026-01-03 10:00")
    )

    assert first.endswith("-20260102-1")
    assert second.endswith("-20260102-2")
    assert next_day.endswith("-20260103-1")
    assert "kim" not in first


@pytest.mark.parametrize(
    ("row", "header", "columns"),
    [
        (["customer_id", "date", "number_of_cds", "dollar_value"], True, ("#1", "#2", "#4")),
        (["00004", "0001", "19970101", "2", "29.33"], False, ("#1", "#3", "#5")),
    ],
)
def test_the_cdnow_preset_knows_the_master_and_the_sample(
    row: list[str], header: bool, columns: tuple[str, ...]
) -> None:
    mapping = maps.cdnow(row)

    assert mapping.header is header
    assert tuple(mapping.columns.values()) == columns


def test_the_cdnow_preset_refuses_another_file() -> None:
    with pytest.raises(BadMapping):
        maps.cdnow(["a", "b", "c"])
