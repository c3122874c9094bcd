"""Reading one answer as a stranger's browser sends it. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MAX_TEXT = 5000  # characters
SCALES = {"nps": range(11), "rating": range(1, 6)}

_WHOLE_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)
# PostgreSQL stores no NUL, UTF-8 no surrogate halves; the other controls are never meant.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class BadAnswer(ValueError):
    """The answer does not fit its question; ``code`` is one of required, scale, option, too_long."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Asked:
    """What must be known of a question to read its answer."""

    kind: str
    required: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Given:
    """An answer: a number for scales, text for words and options."""

    number: int | None = None
    text: str = ""


def option_value(option: object) -> str:
    """What is stored when an option is chosen: its English text, whatever language it was read in."""
    return str(option["en"]) if isinstance(option, Mapping) else str(option)


def option_text(option: object, language: str) -> str:
    """An option as the customer reads it; options may be one text or a text per language."""
    if isinstance(option, Mapping):
        return str(option.get(language) or option["en"])
    return str(option)


def clean_text(text: str) -> str:
    """Text with plain line ends and without characters that no one means to send."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def read(asked: Asked, raw: object) -> Given | None:
    """The answer in ``raw`` (text, a whole number or nothing); None when an optional question was left empty.

    Raises:
        BadAnswer: it does not fit the question.
    """
    text = _as_text(raw)
    if not text:
        if asked.required:
            raise BadAnswer("required")
        return None
    if asked.kind in SCALES:
        return Given(number=_number(text, SCALES[asked.kind]))
    if asked.kind == "choice":
        return Given(text=_option(text, asked.options))
    if len(text) > MAX_TEXT:
        raise BadAnswer("too_long")
    return Given(text=text)


def _as_text(raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise BadAnswer("scale")
    return clean_text(str(raw))


def _number(text: str, scale: range) -> int:
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) not in scale:
        raise BadAnswer("scale")
    return int(text)


def _option(text: str, options: Iterable[str]) -> str:
    if text not in options:
        raise BadAnswer("option")
    return text
