"""Which column of a file is which fact of a purchase. Pure.

A mapping is chosen by a person (guesses are only offered) and stored as JSON with the import, so that a check
can be repeated at any time. A column is named by its header, or as ``#3`` by its place.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import Any

FIELDS = (
    "order_id", "customer_id", "email", "name", "date", "amount", "currency", "cost", "sales_channel",
    "sku", "product", "category", "quantity", "line_amount",
)  # fmt: skip
CONSTANTS = ("currency", "sales_channel", "language", "country")

_Y, _M = r"([0-9]{4})", r"([0-9]{1,2})"
# name -> (what the day looks like, how PostgreSQL is to read it). A time may follow: TIME.
DATE_FORMATS = {
    "YYYY-MM-DD": (r"^([0-9]{4}-[0-9]{2}-[0-9]{2})", r"\1"),
    "YYYY/MM/DD": (f"^{_Y}/{_M}/{_M}", r"\1-\2-\3"),
    "YYYY.MM.DD": (rf"^{_Y}\. ?{_M}\. ?{_M}\.?", r"\1-\2-\3"),
    "YYYYMMDD": (r"^([0-9]{4})([0-9]{2})([0-9]{2})", r"\1-\2-\3"),
    "DD/MM/YYYY": (f"^{_M}/{_M}/{_Y}", r"\3-\2-\1"),
    "MM/DD/YYYY": (f"^{_M}/{_M}/{_Y}", r"\3-\1-\2"),
    "DD.MM.YYYY": (rf"^{_M}\.{_M}\.{_Y}", r"\3-\2-\1"),
    "DD-MM-YYYY": (f"^{_M}-{_M}-{_Y}", r"\3-\2-\1"),
}
TIME = r"([T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?[ ]?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
ISO = "YYYY-MM-DD"
# name -> (pattern, grouping, decimal point). Plain ASCII digits only: no NaN, 1e400, 1_000 or full-width digits.
NUMBER_STYLES = {
    "1234.56": (r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$", "", "."),
    "1,234.56": (r"^-?([0-9]{1,3}(,[0-9]{3}){1,3}|[0-9]{1,12})(\.[0-9]{1,6})?$", ",", "."),
    "1234,56": (r"^-?[0-9]{1,12}(,[0-9]{1,6})?$", "", ","),
    "1.234,56": (r"^-?([0-9]{1,3}(\.[0-9]{3}){1,3}|[0-9]{1,12})(,[0-9]{1,6})?$", ".", ","),
}
PLAIN = "1234.56"

_NAMES = {
    "order_id": "order id|order number|order no|order|order name|transaction id|invoice|invoice no"
    "|주문번호|주문 id|거래번호|注文番号|注文id|受注番号|伝票番号",
    "customer_id": "customer id|customer number|customer no|customer|member id|member no|user id|client id"
    "|고객번호|고객 id|회원번호|회원 id|顧客番号|顧客id|会員番号|会員id",
    "email": "email|e-mail|mail|email address|customer email|이메일|이메일주소|메일|メール|メールアドレス|eメール",
    "name": "name|customer name|full name|buyer|billing name|이름|고객명|성명|구매자|주문자|주문자명"
    "|氏名|名前|顧客名|お名前|購入者",
    "date": "date|order date|purchase date|purchased at|created at|paid at|order time|invoice date"
    "|주문일|주문일자|주문일시|구매일|결제일|날짜|注文日|購入日|注文日時|日付|日時",
    "amount": "amount|total|order total|grand total|price|dollar value|revenue|paid|sum"
    "|금액|결제금액|주문금액|총액|합계|金額|合計|合計金額|注文金額|支払金額",
    "currency": "currency|currency code|통화|通貨",
    "cost": "cost|cost of goods|cogs|원가|매입가|原価|仕入値",
    "sales_channel": "channel|sales channel|store|판매채널|채널|매장|販売チャネル|チャネル|店舗",
    "sku": "sku|product id|product code|item code|stock code|lineitem sku|상품코드|상품번호|商品コード|商品番号|品番",
    "product": "product|product name|item|item name|lineitem name|description|상품명|제품명|商品名|品名",
    "category": "category|product category|카테고리|분류|カテゴリ|カテゴリー|分類",
    "quantity": "quantity|qty|lineitem quantity|수량|数量|個数",
    "line_amount": "line amount|line total|line price|item total|상품금액|小計|明細金額|商品金額",
}


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


_SYNONYMS = {_plain(name): key for key, names in _NAMES.items() for name in names.split("|")}


class BadMapping(ValueError):
    """The mapping does not fit the file; ``field`` names the entry and ``code`` what is wrong with it."""

    def __init__(self, field: str, code: str, value: str = "") -> None:
        self.field, self.code, self.value = field, code, value
        super().__init__(f"{field}: {code} {value}".rstrip())


@dataclass(frozen=True)
class Mapping:
    """How to read one file. ``columns``: field -> column; ``constants``: what holds for every row."""

    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    date_format: str = ISO
    number_style: str = PLAIN
    encoding: str = ""  # empty: as the bytes say
    separator: str = ""  # empty: as the first line says
    header: bool = True
    make_order_ids: bool = False  # from customer, date and the how-manieth of that day in the file
    customer_prefix: str = ""
    name_pattern: str = ""  # for files without names; {} is the customer id

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(data: dict[str, Any]) -> Mapping:
    """The mapping stored with an import.

    Raises:
        BadMapping: an entry we do not know, or of another type.
    """
    known = {f.name: f for f in fields(Mapping)}
    for name, value in data.items():
        if name not in known:
            raise BadMapping(str(name), "unknown_entry")
        wanted = dict if name in ("columns", "constants") else bool if known[name].type is bool else str
        if not isinstance(value, wanted):
            raise BadMapping(name, "wrong_type", str(value)[:40])
    for part, names in (("columns", FIELDS), ("constants", CONSTANTS)):
        for name, value in data.get(part, {}).items():
            if name not in names or not isinstance(value, str):
                raise BadMapping(str(name), "unknown_entry", part)
    return Mapping(**data)


@dataclass(frozen=True)
class Plan:
    """A mapping bound to one file's header: for each of FIELDS the index of its column, or None."""

    width: int
    places: tuple[int | None, ...]
    constants: tuple[str, ...]  # for each of FIELDS, what stands where the cell is empty


def bind(mapping: Mapping, first_row: Sequence[str]) -> Plan:
    """Fit the mapping to the file's first row.

    Raises:
        BadMapping: a column is not there or there twice, or a fact that every purchase needs has no column.
    """
    require(mapping)
    places = tuple(
        _place(name, mapping.columns[name], mapping.header, first_row) if mapping.columns.get(name) else None
        for name in FIELDS
    )
    return Plan(len(first_row), places, tuple(mapping.constants.get(name, "") for name in FIELDS))


def _place(name: str, column: str, header: bool, first_row: Sequence[str]) -> int:
    if re.fullmatch(r"#[0-9]{1,3}", column):
        if not 1 <= int(column[1:]) <= len(first_row):
            raise BadMapping(name, "no_such_column", column)
        return int(column[1:]) - 1
    if not header:
        raise BadMapping(name, "no_header", column)
    if first_row.count(column) != 1:
        raise BadMapping(name, "column_twice" if column in first_row else "no_such_column", column)
    return first_row.index(column)


def require(mapping: Mapping) -> None:
    """Refuse a mapping that lacks what every purchase needs.

    Raises:
        BadMapping: names the entry.
    """
    if lacking := missing(mapping):
        raise BadMapping(lacking[0], "needed")
    for name, known in (("date_format", DATE_FORMATS), ("number_style", NUMBER_STYLES)):
        if getattr(mapping, name) not in known:
            raise BadMapping(name, "unknown_entry", getattr(mapping, name))


def missing(mapping: Mapping) -> list[str]:
    """What every purchase needs and the mapping gives neither a column nor one value for all rows."""
    has = {name for name, column in mapping.columns.items() if column}
    has |= {name for name, value in mapping.constants.items() if value}
    lacking = [
        name
        for name, alternatives in (
            ("date", {"date"}),
            ("customer_id", {"customer_id", "email"}),
            ("amount", {"amount", "line_amount"}),
            ("currency", {"currency"}),
        )
        if not has & alternatives
    ]
    # lines can only be gathered by an order id of the file's own
    if (mapping.make_order_ids and "sku" in has) or not (mapping.make_order_ids or "order_id" in has):
        lacking.append("order_id")
    if has & {"product", "category", "quantity", "line_amount"} and "sku" not in has:
        lacking.append("sku")
    return lacking


class Reader:
    """Turns the cells of a row into the texts of FIELDS, in their order."""

    def __init__(self, mapping: Mapping, plan: Plan) -> None:
        self._mapping, self._plan = mapping, plan
        self._days: Counter[tuple[str, str]] = Counter()

    def texts(self, cells: Sequence[str]) -> list[str]:
        """The row's facts; a file without order ids gets ids that come out the same each time it is read."""
        texts = [
            (cells[place] if place is not None else "") or constant
            for place, constant in zip(self._plan.places, self._plan.constants, strict=True)
        ]
        mapping = self._mapping
        if texts[_ID]:
            if mapping.name_pattern and not texts[_NAME]:
                texts[_NAME] = mapping.name_pattern.replace("{}", texts[_ID])
            texts[_ID] = mapping.customer_prefix + texts[_ID]
        if mapping.make_order_ids and not texts[_ORDER]:
            texts[_ORDER] = self._made_id(texts[_ID] or _fingerprint(texts[_MAIL]), texts[_DATE])
        return texts

    def _made_id(self, customer: str, date: str) -> str:
        day = re.sub(r"\D", "", date)[:8]
        self._days[customer, day] += 1
        return f"{customer}-{day}-{self._days[customer, day]}"


def _fingerprint(address: str) -> str:
    """An address does not belong into an order id."""
    return sha256(address.casefold().encode()).hexdigest()[:12]


_ORDER, _ID, _MAIL, _NAME, _DATE = (
    FIELDS.index(name) for name in ("order_id", "customer_id", "email", "name", "date")
)


def guess(header: Sequence[str]) -> dict[str, str]:
    """Columns by the names shops give them in English, Korean and Japanese: an offer for the form, no more."""
    found: dict[str, str] = {}
    for column in header:
        name = _SYNONYMS.get(_plain(column))
        if name and name not in found:
            found[name] = column
    return found


def possible_dates(samples: Sequence[str]) -> list[str]:
    """The formats that every sample fits, with months up to 12 and days up to 31; more than one is a question."""
    return [name for name in DATE_FORMATS if samples and all(_reads(name, text) for text in samples)]


def _reads(name: str, text: str) -> bool:
    pattern, written = DATE_FORMATS[name]
    match = re.match(pattern, text)
    if not match or not re.match(TIME, text[match.end() :]):
        return False
    _year, month, day = (int(part) for part in match.expand(written).split("-"))
    return 1 <= month <= 12 and 1 <= day <= 31


def possible_numbers(samples: Sequence[str]) -> list[str]:
    """The number styles that every sample fits, the plainest first."""
    return [
        name
        for name, (pattern, _grouping, _point) in NUMBER_STYLES.items()
        if samples and all(re.match(pattern, text) for text in samples)
    ]


def cdnow(first_row: Sequence[str]) -> Mapping:
    """The public CDNOW log: customer, YYYYMMDD, number of CDs, dollars; the sample file has the sample's own
    numbering in a second column. The order ids are made, so that sample and master agree on them.

    Raises:
        BadMapping: neither of the two layouts.
    """
    if len(first_row) not in (4, 5):
        raise BadMapping("preset", "not_cdnow", str(len(first_row)))
    date, amount = ("#2", "#4") if len(first_row) == 4 else ("#3", "#5")
    return Mapping(
        columns={"customer_id": "#1", "date": date, "amount": amount},
        constants={"currency": "USD"},
        date_format="YYYYMMDD",
        separator="whitespace",
        header=not first_row[0].isdigit(),
        make_order_ids=True,
        customer_prefix="cdnow-",
        name_pattern="CDNOW customer {}",
    )


PRESETS = {"cdnow": cdnow}
