"""Reading a delimited text file: its encoding, its separator, its rows. Pure: it is given bytes and lines.

Nothing is guessed where a guess can be wrong: Shift-JIS bytes decode without error as CP949 into other people's
names, so bytes that are neither UTF-8 nor marked as UTF-16 become a question with previews. An unclosed quote,
a NUL or a monstrous field refuses the file and names the row; a row of another width is an error of that row.
Rows are counted as a spreadsheet counts them: the first is 1, a quoted line break does not begin another.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

MAX_FIELD = 10_000
MAX_COLUMNS = 100
WHITESPACE = "whitespace"  # a report with columns set apart by spaces
SEPARATORS = (",", ";", "\t", "|")
# What a person may choose. cp949 is the superset of euc_kr that Korean Windows writes; cp932 likewise of shift_jis.
ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp949", "cp932", "euc_jp", "cp1252")
_CANDIDATES = ("cp949", "cp932", "euc_jp", "cp1252")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ARCHIVE = b"PK\x03\x04"
_PREVIEW = 80


class BadFile(ValueError):
    """The file cannot be read; ``code`` says why and ``row`` where (0: nowhere in particular)."""

    def __init__(self, code: str, row: int = 0, value: str = "") -> None:
        self.code, self.row, self.value = code, row, value
        super().__init__(f"{code} in row {row}: {value}" if row else f"{code}: {value}")


@dataclass(frozen=True)
class Candidate:
    """An encoding the bytes may be in, and what a piece of them would then say."""

    encoding: str
    preview: str


class UnclearEncoding(BadFile):
    """The bytes are not UTF-8 and several encodings would read them; a person has to choose."""

    def __init__(self, candidates: list[Candidate], row: int) -> None:
        self.candidates = candidates
        super().__init__("unclear_encoding", row, ", ".join(c.encoding for c in candidates))


def encoding_of(blocks: Iterable[bytes]) -> str:
    """The file's encoding where the bytes themselves settle it.

    Raises:
        UnclearEncoding: not UTF-8; the candidates carry previews.
        BadFile: empty, a spreadsheet's own format, or NUL bytes (UTF-16 without its mark, or no text at all).
    """
    decoder, rows, first = codecs.getincrementaldecoder("utf-8")(), 1, True
    for block in blocks:
        if first:
            if mark := next((name for bom, name in _MARKS.items() if block.startswith(bom)), None):
                return mark
            if block.startswith(_ARCHIVE):
                raise BadFile("spreadsheet")
        first = False
        _refuse_nul(block, rows)
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            raise _question(block, rows, error) from error
        rows += block.count(b"\n")
    if first:
        raise BadFile("empty")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _question(error.object, rows, error) from error
    return "utf-8"


def _refuse_nul(block: bytes, rows: int) -> None:
    if (at := block.find(b"\x00")) >= 0:
        raise BadFile("nul", rows + block.count(b"\n", 0, at))


def _question(block: bytes, rows: int, error: UnicodeDecodeError) -> UnclearEncoding:
    # error.object may begin with bytes kept from the block before; its end is the block's end
    data = error.object if len(error.object) >= len(block) else block
    row = rows + data.count(b"\n", 0, error.start)
    begin = data.rfind(b"\n", 0, error.start) + 1
    end = data.find(b"\n", error.start)
    line = data[begin : end if end >= 0 else len(data)]
    found = []
    for encoding in _CANDIDATES:
        try:
            found.append(Candidate(encoding, line.decode(encoding).strip()[:_PREVIEW]))
        except UnicodeDecodeError:
            continue
    return UnclearEncoding(sorted(found, key=lambda c: -_plausible(c.preview)), row)


def _plausible(text: str) -> float:
    """Share of the non-ASCII letters in the scripts of everyday words: only the order of the suggestions."""
    letters = [ch for ch in text if ord(ch) > 127]
    usual = re.findall(r"[가-힣ぁ-ヿ一-鿿À-ÿ]", text)
    kana_or_hangul = re.findall(r"[가-힣ぁ-ヿ]", text)
    return (len(usual) + len(kana_or_hangul)) / len(letters) if letters else 0.0


def separator_of(line: str) -> str:
    """The separator that cuts the first line into most pieces; white space when none of the usual does."""
    bare = re.sub(r'"[^"]*"', "", line)
    best = max(SEPARATORS, key=bare.count)
    if bare.count(best):
        return best
    return WHITESPACE if len(line.split()) > 1 else ","


def records(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with their numbers; cells without surrounding white space.

    Raises:
        BadFile: an unclosed or stray quote, a NUL, a field over 10,000 characters, over 100 columns.
    """
    rows = _split(lines) if separator == WHITESPACE else _parse(lines, separator)
    for row, cells in rows:
        if len(cells) > MAX_COLUMNS:
            raise BadFile("too_many_columns", row, str(len(cells)))
        if any(map(len, cells)) and any(cells := [cell.strip() for cell in cells]):
            yield row, cells


def _split(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    for row, line in enumerate(lines, start=1):
        _refuse(row, line)
        yield row, line.split()


def _parse(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV. ``strict`` makes the csv module say so where a quote never ends instead of swallowing the rest."""
    row = 0
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        row += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise BadFile(_csv_problem(str(error)), row) from error
        if cells is None:
            return
        for cell in cells:
            if len(cell) > MAX_FIELD or "\x00" in cell:
                _refuse(row, cell)
        yield row, cells


def _csv_problem(message: str) -> str:
    if "field larger" in message:
        return "field_too_long"
    return "unclosed_quote" if "unexpected end" in message else "stray_quote"


def _refuse(row: int, text: str) -> None:
    if "\x00" in text:
        raise BadFile("nul", row)
    if len(text) > MAX_FIELD:
        raise BadFile("field_too_long", row)


def first_rows(lines: Iterable[str], separator: str, count: int) -> list[list[str]]:
    """The first rows that are not blank, for a person to look at."""
    return [cells for _row, cells in islice(records(lines, separator), count)]
