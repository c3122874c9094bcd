"""The staff's words in Korean and Japanese: ``crm/locale/*/LC_MESSAGES/django.po``, read and compiled without GNU gettext.

Django reads compiled catalogues. They are made from the texts beside this module whenever Django starts and finds
none, or those of another text, in the var directory: nothing to install, nothing to remember, nothing to commit.
``manage.py catalogues`` brings the texts in line with the code.
"""

import io
import logging
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

logger = logging.getLogger(__name__)

TEXTS = Path(__file__).resolve().parent / "locale"
OURS = ("crm", "customers", "feedback", "ltv", "campaigns")
# Without words in our languages of their own. What Django's catalogues have is not asked for again.
BORROWED = ("unfold", "unfold.contrib.filters", "unfold.contrib.forms", "axes")
# What Django has words for that ours replace: "보기위한 1%s 를(을) 선택".
BETTER = ("Select %s to view",)
# Parts of a package above that we do not install, and what is not for staff.
LEFT_OUT = re.compile(r"/(migrations|management/commands|static|unfold/contrib/(?!filters/|forms/))")
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop", "_lazy")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


# -- compiling -------------------------------------------------------------------------------------------------


def prepare(to: Path, texts: Path = TEXTS) -> list[Path]:
    """Compile into ``to`` each text of which there is no compiled catalogue yet, or that of another text.

    A compiled catalogue bears its text's time, like Python's own: an older text counts as another one, too. Where
    ``to`` cannot be written the pages are in English and the log says why.
    """
    made = []
    for text in sorted(texts.glob("*/LC_MESSAGES/django.po")):
        compiled = to / text.relative_to(texts).with_suffix(".mo")
        if compiled.is_file() and compiled.stat().st_mtime_ns == text.stat().st_mtime_ns:
            continue
        try:
            compile_text(text, compiled)
        except OSError as error:
            logger.warning("no words in %s: %s", text.parent.parent.name, error)
        else:
            made.append(compiled)
    return made


def compile_text(text: Path, compiled: Path) -> None:
    """Written whole or not at all: others may be reading, or doing the same."""
    from babel.messages.mofile import write_mo  # not at every start

    compiled.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=compiled.parent, suffix=".new", delete=False) as half:
        write_mo(half, read(text))
    stamp = text.stat().st_mtime_ns
    os.utime(half.name, ns=(stamp, stamp))
    Path(half.name).chmod(0o644)
    Path(half.name).replace(compiled)


def read(text: Path) -> Any:
    """One language's catalogue."""
    from babel.messages.pofile import read_po

    with text.open("rb") as lines:
        return read_po(lines, locale=text.parent.parent.name)


# -- what the code says ----------------------------------------------------------------------------------------


def extract(root: Path) -> Any:
    """Everything the code and templates below ``root`` say to staff, and what our libraries say untranslated."""
    from babel.messages.catalog import Catalog

    said = Catalog(locale="ko", charset="utf-8")  # one plural form, as every language of ours
    for package in OURS:
        _add(said, root, sorted((root / package).rglob("*")))
    ours, django = {_key(message) for message in said}, _of_django()
    borrowed = Catalog(locale="ko", charset="utf-8")
    for name in BORROWED:
        folder, inside = _folder(name)
        _add(borrowed, inside, sorted(folder.rglob("*")))
    for message in borrowed:
        if _key(message) not in ours | django:
            said.add(message.id, locations=message.locations, context=message.context)
    for phrase in BETTER:
        said.add(phrase, locations=[("crm/catalogues.py", 0)])
    return said


def refresh(root: Path, texts: Path = TEXTS) -> dict[str, int]:
    """Bring every text in line with the code; how many messages of each language have no words yet.

    What is said no more is dropped, and nothing is guessed: a changed sentence waits for its words.
    """
    said, missing = extract(root), {}
    for text in sorted(texts.glob("*/LC_MESSAGES/django.po")):
        known = read(text)
        for message in said:
            have = known.get(message.id, message.context)
            message.string = have.string if have else _no_words(message)
        write(text, said)
        empty = [message for message in said if message.id and message.string == _no_words(message)]
        missing[text.parent.parent.name] = len(empty)
    return missing


def write(text: Path, catalogue: Any) -> None:
    from babel.messages.pofile import write_po

    lines = io.BytesIO()
    write_po(lines, catalogue, omit_header=True, sort_by_file=True, include_lineno=False, width=110)
    text.write_bytes(HEADER.format(language=text.parent.parent.name).encode() + lines.getvalue())


def _add(said: Any, root: Path, paths: list[Path]) -> None:
    from babel.messages.extract import extract as messages

    for path in paths:
        name = path.relative_to(root).as_posix()
        if path.suffix not in (".py", ".html", ".txt") or LEFT_OUT.search(f"/{name}"):
            continue
        source = path.read_text("utf-8")
        if "gettext" not in source and "trans" not in source and "_(" not in source:
            continue
        code = source if path.suffix == ".py" else _as_code(source, name)
        for line, message, _comments, context in messages("python", io.BytesIO(code.encode()), KEYWORDS):
            said.add(message, locations=[(name, line)], context=context)


def _as_code(template: str, name: str) -> str:
    """The template's phrases as calls of gettext, one line for one; the rest is noise that is no Python either."""
    from django.utils.translation.template import templatize

    return "\n".join(line.lstrip() for line in templatize(template, origin=name).split("\n"))


def _folder(name: str) -> tuple[Path, Path]:
    """Where a library's package lies, and where its top package does."""
    found, top = find_spec(name), find_spec(name.partition(".")[0])
    assert found and found.origin and top and top.origin
    return Path(found.origin).parent, Path(top.origin).parent.parent


def _of_django() -> set[tuple[str, str | None]]:
    """What Django itself has words for in every language of ours."""
    return set.intersection(*({_key(m) for m in _shipped(language)} for language in ("ko", "ja")))


def _shipped(language: str) -> Iterator[Any]:
    from babel.messages.mofile import read_mo

    folder, _inside = _folder("django")
    for part in ("conf", "contrib/admin", "contrib/auth"):
        with (folder / part / "locale" / language / "LC_MESSAGES/django.mo").open("rb") as compiled:
            yield from read_mo(compiled)


def _first(message: Any) -> str:
    return str(message.id[0] if isinstance(message.id, list | tuple) else message.id)


def _no_words(message: Any) -> str | tuple[str]:
    return ("",) if message.pluralizable else ""


def _key(message: Any) -> tuple[str, str | None]:
    return _first(message), message.context
