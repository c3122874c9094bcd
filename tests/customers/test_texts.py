import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.common.api_json import is_storable
from customers.core import addresses, texts
from customers.core.addresses import NotAnAddress, normalise_email


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Kim \u00a0\t Minji ", "Kim Minji"),
        ("Kim\r\nMinji", "Kim Minji"),
        ("\u1100\u1175\u11b7", "김"),
        ("abc\u202egnp.exe", "abc gnp.exe"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("\ufeff=1+1", "=1+1"),
    ],
)
def test_a_line_is_kept_clean(written, kept):
    assert texts.line(written, 50) == kept


def test_paragraphs_keep_their_breaks():
    assert texts.paragraphs("one\r\n\r\n  two\rthree\x07 ", 50) == "one\n\n  two\nthree"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 51, "e" + "\u0301" * 100_000])
def test_what_cannot_be_kept_is_refused(text):
    with pytest.raises(texts.NotText):
        texts.line(text, 50)


@given(st.text(max_size=60))
def test_a_kept_line_is_storable_composed_and_stays_as_it_is(text):
    try:
        kept = texts.line(text, 60)
    except texts.NotText:
        return

    assert is_storable(kept)
    assert unicodedata.is_normalized("NFC", kept)
    assert "\n" not in kept
    assert texts.line(kept, 60) == kept


@given(st.text(max_size=60))
def test_kept_paragraphs_stay_as_they_are(text):
    try:
        kept = texts.paragraphs(text, 60)
    except texts.NotText:
        return

    assert is_storable(kept)
    assert texts.paragraphs(kept, 60) == kept


@given(st.one_of(st.emails(), st.text(max_size=60)))
def test_a_normal_address_is_one_address_and_normal(text):
    try:
        normal = normalise_email(text)
    except NotAnAddress:
        return

    assert normal.count("@") == 1
    assert not set(normal) & set(" ,;<>\r\n\x00")
    assert normalise_email(normal) == normal
    assert not normal.isascii() or normalise_email(normal.upper()) == normal


_NAMES = st.text("aZ9._+-", min_size=1, max_size=20)
_ENDINGS = st.sampled_from(["com", "KR", "example", "test", "local", "invalid", "onion", "arpa", "localhost"])


@given(st.builds("{}@{}.{}".format, _NAMES, _NAMES, _ENDINGS))
def test_an_ordinary_address_is_read_as_the_library_reads_it(text):
    def read(normalise):
        try:
            return normalise(text)
        except NotAnAddress:
            return None

    assert read(normalise_email) == read(addresses._normalise)
