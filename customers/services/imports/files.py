"""The uploaded file on disk: kept under a name of ours, read as a stream of rows."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.conf import settings

from crm.common.errors import DomainError
from customers.core import mapping as maps
from customers.core import reading
from customers.core.mapping import Mapping
from customers.core.reading import BadFile, Candidate, UnclearEncoding
from customers.models import ImportBatch
from customers.services.imports.reasons import explain_file

MAX_BYTES = 200 * 1024 * 1024
MAX_ROWS = 2_000_000
_BLOCK = 1 << 20
_SAMPLES = 50


class UnreadableFile(DomainError):
    """The file cannot be read as a table; the message says why and in which row."""

    code = "unreadable_file"
    status = 400


@dataclass(frozen=True)
class Peek:
    """What can be said of a file before anybody has mapped it."""

    encoding: str = ""
    separator: str = ""
    header: list[str] = field(default_factory=list)
    samples: list[list[str]] = field(default_factory=list)
    guesses: dict[str, str] = field(default_factory=dict)
    date_formats: list[str] = field(default_factory=list)
    number_styles: list[str] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)  # not empty: the encoding is a question
    question: str = ""


def store(data: bytes | Path | Iterable[bytes]) -> tuple[str, str]:
    """Copy the data below MEDIA_ROOT; returns its path there and its SHA-256.

    Raises:
        UnreadableFile: larger than 200 MB, or empty.
    """
    name = f"imports/{uuid4().hex}.txt"
    target = Path(settings.MEDIA_ROOT) / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with target.open("xb") as out:
            for block in _blocks(data):
                size += len(block)
                if size > MAX_BYTES:
                    raise unreadable(BadFile("too_large", 0, str(MAX_BYTES >> 20)))
                digest.update(block)
                out.write(block)
        if not size:
            raise unreadable(BadFile("empty"))
    except UnreadableFile:
        target.unlink()
        raise
    return name, digest.hexdigest()


def _blocks(data: bytes | Path | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
    elif isinstance(data, Path):
        with data.open("rb") as file:
            yield from iter(lambda: file.read(_BLOCK), b"")
    else:
        yield from data


def path_of(batch: ImportBatch) -> Path:
    """Where the batch's file is.

    Raises:
        UnreadableFile: it has been forgotten.
    """
    if not batch.file_path:
        raise unreadable(BadFile("file_gone"))
    return Path(settings.MEDIA_ROOT) / batch.file_path


def unreadable(error: BadFile) -> UnreadableFile:
    """The refusal of a file, in words."""
    return UnreadableFile(explain_file(error), row=error.row, reason=error.code)


@contextmanager
def opened(batch: ImportBatch, encoding: str = "") -> Iterator[IO[str]]:
    """The file as text, in the encoding a person chose or the bytes prove.

    Raises:
        UnreadableFile: it cannot be read so.
    """
    path = path_of(batch)
    try:
        if encoding and encoding not in reading.ENCODINGS:
            raise BadFile("unknown_encoding", 0, encoding)
        encoding = encoding or reading.encoding_of(_blocks(path))
        if encoding == "utf-8":
            encoding = "utf-8-sig"  # with the mark or without it
        with path.open(encoding=encoding, newline="") as text:
            yield text
    except FileNotFoundError as error:
        raise unreadable(BadFile("file_gone")) from error
    except UnicodeDecodeError as error:
        raise unreadable(BadFile("wrong_encoding", 0, encoding)) from error
    except BadFile as error:
        raise unreadable(error) from error


def rows(text: IO[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of an opened file; the separator is found in its first line when none is given."""
    if not separator:
        first = next((line for line in text if line.strip()), "")
        separator = reading.separator_of(first)
        text.seek(0)
    return reading.records(text, separator)


def peek(batch: ImportBatch, encoding: str = "", separator: str = "") -> Peek:
    """Encoding, separator, header, sample rows and guesses, for the form a person fills in.

    Raises:
        UnreadableFile: it cannot be read at all. An unclear encoding is no refusal but a question in the answer.
    """
    try:
        encoding = encoding or reading.encoding_of(_blocks(path_of(batch)))
    except UnclearEncoding as unclear:
        return Peek(candidates=unclear.candidates, question=explain_file(unclear))
    except FileNotFoundError as error:
        raise unreadable(BadFile("file_gone")) from error
    except BadFile as error:
        raise unreadable(error) from error
    with opened(batch, encoding) as text:
        if not separator:
            separator = reading.separator_of(next((line for line in text if line.strip()), ""))
            text.seek(0)
        first = [cells for _row, cells in islice(reading.records(text, separator), _SAMPLES + 1)]
    if not first:
        raise unreadable(BadFile("empty"))
    return _described(encoding, separator, first[0], first[1:])


def _described(encoding: str, separator: str, header: list[str], samples: list[list[str]]) -> Peek:
    guesses = maps.guess(header)
    return Peek(
        encoding=encoding.replace("-sig", ""),
        separator=separator,
        header=header,
        samples=samples[:3],
        guesses=guesses,
        date_formats=maps.possible_dates(_column(header, samples, guesses.get("date"))),
        number_styles=maps.possible_numbers(_column(header, samples, guesses.get("amount"))),
    )


def _column(header: list[str], samples: list[list[str]], name: str | None) -> list[str]:
    if name is None:
        return []
    place = header.index(name)
    return [cells[place] for cells in samples if len(cells) > place and cells[place]]


def preset(batch: ImportBatch, name: str) -> Mapping:
    """The ready-made mapping ``name``, fitted to the file's first row.

    Raises:
        UnreadableFile: the file is of another kind.
    """
    with opened(batch) as text:
        first = next((line for line in text if line.strip()), "").split()
    try:
        return maps.PRESETS[name](first)
    except maps.BadMapping as error:
        raise UnreadableFile(explain_file(BadFile(error.code, 1, error.value))) from error
