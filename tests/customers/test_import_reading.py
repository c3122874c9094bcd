"""Reading a file: what its bytes prove, what becomes a question, what is refused and in which row."""

import io

import pytest

from customers.core import reading
from customers.core.reading import BadFile, UnclearEncoding


def rows_of(text: str, separator: str = ",") -> list[tuple[int, list[str]]]:
    return list(reading.records(io.StringIO(text, newline=""), separator))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("이름,금액\n김영수,1\n".encode(), "utf-8"),
        ("이름,금액\n김영수,1\n".encode("utf-8-sig"), "utf-8-sig"),
        ("이름,금액\n김영수,1\n".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "名前".encode("utf-16-be"), "utf-16"),
        (b"id,name\n1,Kim\n", "utf-8"),
    ],
)
def test_utf8_and_marked_utf16_are_settled_by_the_bytes(data: bytes, encoding: str) -> None:
    assert reading.encoding_of([data]) == encoding


@pytest.mark.parametrize(
    ("text", "encoding", "row"),
    [
        ("이름,금액\n김영수,1\n", "cp949", 1),
        ("id,name\n1,똠방각하\n", "cp949", 2),
        ("id,name\n1,Kim\n2,山田たろう\n", "cp932", 3),
        ("id,name\n1,カタカナ漢字\n", "euc_jp", 2),
    ],
)
def test_legacy_encodings_are_a_question_with_a_preview_of_each_candidate(
    text: str, encoding: str, row: int
) -> None:
    with pytest.raises(UnclearEncoding) as caught:
        reading.encoding_of([text.encode(encoding)])

    previews = {candidate.encoding: candidate.preview for candidate in caught.value.candidates}
    assert caught.value.row == row
    assert previews[encoding] == text.splitlines()[row - 1]


def test_a_korean_name_is_suggested_as_korean_first() -> None:
    with pytest.raises(UnclearEncoding) as caught:
        reading.encoding_of(["김영수,서울\n".encode("cp949")])

    assert caught.value.candidates[0].encoding == "cp949"


def test_one_bad_byte_at_row_9999_is_found_across_blocks() -> None:
    lines = b"".join(f"{n},\xea\xb0\x80\n".encode("latin-1") for n in range(1, 9_999))
    data = lines + b"9999,\xff\n"
    blocks = [data[start : start + 4_097] for start in range(0, len(data), 4_097)]

    with pytest.raises(UnclearEncoding) as caught:
        reading.encoding_of(blocks)

    assert caught.value.row == 9_999


@pytest.mark.parametrize(
    ("data", "code", "row"),
    [
        (b"", "empty", 0),
        (b"PK\x03\x04rest", "spreadsheet", 0),
        (b"a,b\n1,2\n3,\x00\n", "nul", 3),
        ("a,b\n1,2\n".encode("utf-16-le"), "nul", 1),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, code: str, row: int) -> None:
    with pytest.raises(BadFile) as caught:
        reading.encoding_of([data] if data else [])

    assert (caught.value.code, caught.value.row) == (code, row)


@pytest.mark.parametrize(
    ("line", "separator"),
    [
        ("a,b,c", ","),
        ("a;b;c", ";"),
        ("a\tb\tc", "\t"),
        ("a|b", "|"),
        ('"a,b,c";d', ";"),
        (" customer_id  date number_of_cds", reading.WHITESPACE),
        ("single", ","),
    ],
)
def test_the_separator_is_the_one_that_cuts_the_first_line_most(line: str, separator: str) -> None:
    assert reading.separator_of(line) == separator


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    assert rows_of('id,note\r\n1,"two\r\nlines"\r\n\r\n 3 ,x\r\n') == [
        (1, ["id", "note"]),
        (2, ["1", "two\r\nlines"]),
        (4, ["3", "x"]),
    ]


def test_lone_carriage_returns_end_rows_too() -> None:
    assert rows_of("a,b\r1,2\r") == [(1, ["a", "b"]), (2, ["1", "2"])]


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [
        ('a,b\n1,2\n3,"open\n5,6\n', "unclosed_quote", 3),
        ('a,b\n1,"x"y\n', "stray_quote", 2),
        ("a,b\n1,2\n3," + "x" * 10_001 + "\n", "field_too_long", 3),
        ("a,b\n1," + "x" * 131_073 + "\n", "field_too_long", 2),
        ("a,b\n1,\x00\n", "nul", 2),
        ("," * 20_000, "too_many_columns", 1),
    ],
)
def test_what_would_swallow_or_smuggle_data_is_refused_with_its_row(text: str, code: str, row: int) -> None:
    with pytest.raises(BadFile) as caught:
        rows_of(text)

    assert (caught.value.code, caught.value.row) == (code, row)


def test_columns_set_apart_by_spaces_are_read_by_white_space() -> None:
    assert rows_of(
        " 00001 19970101  1   11.77\r\n\r\n 00002 19970112  5   77.00\r\n", reading.WHITESPACE
    ) == [
        (1, ["00001", "19970101", "1", "11.77"]),
        (3, ["00002", "19970112", "5", "77.00"]),
    ]
