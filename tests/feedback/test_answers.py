import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.core.answers import Asked, BadAnswer, Given, option_text, option_value, read
from feedback.core.scores import group
from feedback.core.words import LANGUAGES, words

ANYTHING = st.one_of(
    st.none(), st.text(), st.integers(), st.booleans(), st.floats(), st.lists(st.text()), st.binary()
)


@pytest.mark.parametrize(("raw", "number"), [("0", 0), ("10", 10), (7, 7), (" 9 ", 9)])
def test_a_score_is_a_whole_number_from_0_to_10(raw, number):
    assert read(Asked("nps"), raw) == Given(number=number)


@pytest.mark.parametrize(
    "raw", ["11", "-1", "1000000000", 10**9, "9.0", "９", "٩", "1e1", "nine", True, ["9"], 9.0, {"a": 1}]
)
def test_a_score_is_nothing_else(raw):
    with pytest.raises(BadAnswer) as refusal:
        read(Asked("nps"), raw)

    assert refusal.value.code == "scale"


@pytest.mark.parametrize(("raw", "fits"), [("1", True), ("5", True), ("0", False), ("6", False)])
def test_a_rating_runs_from_1_to_5(raw, fits):
    if fits:
        assert read(Asked("rating"), raw) == Given(number=int(raw))
    else:
        with pytest.raises(BadAnswer):
            read(Asked("rating"), raw)


def test_a_choice_must_be_one_of_its_options():
    asked = Asked("choice", options=("Price", "Speed"))

    assert read(asked, "Speed") == Given(text="Speed")
    with pytest.raises(BadAnswer) as refusal:
        read(asked, "Colour")
    assert refusal.value.code == "option"


def test_words_may_be_5000_characters_and_a_browsers_line_ends_count_once():
    text = "a\r\n" * 2500

    assert read(Asked("text"), text) == Given(text="a\n" * 2499 + "a")
    assert read(Asked("text"), "가" * 5000) == Given(text="가" * 5000)
    with pytest.raises(BadAnswer) as refusal:
        read(Asked("text"), "가" * 5001)
    assert refusal.value.code == "too_long"


def test_characters_postgresql_cannot_store_are_left_out():
    assert read(Asked("text"), "a\x00b\ud800c\x1b") == Given(text="abc")


@pytest.mark.parametrize("raw", [None, "", "  ", "\x00", "\r\n"])
def test_an_empty_answer_is_none_unless_required(raw):
    assert read(Asked("text"), raw) is None
    with pytest.raises(BadAnswer) as refusal:
        read(Asked("text", required=True), raw)
    assert refusal.value.code == "required"


@given(raw=ANYTHING, kind=st.sampled_from(["nps", "rating", "choice", "text"]))
def test_anything_is_read_or_refused_by_name(raw, kind):
    try:
        answer = read(Asked(kind, options=("Price", "Speed")), raw)
    except BadAnswer as refusal:
        outcome = refusal.code
    else:
        outcome = "nothing" if answer is None else f"{answer.number is None} {answer.text != ''}"

    assert outcome in {"required", "scale", "option", "too_long", "nothing", "True True", "False False"}


def test_an_option_is_stored_in_english_and_read_in_the_customers_language():
    option = {"en": "Speed", "ko": "속도"}

    assert option_value(option) == "Speed"
    assert [option_text(option, language) for language in ("ko", "ja")] == ["속도", "Speed"]
    assert option_value("Price") == option_text("Price", "ko") == "Price"


def test_scores_fall_into_three_groups():
    assert [group(score) for score in range(11)] == ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2


def test_every_language_has_every_word_of_the_page():
    assert {language: set(table) for language, table in LANGUAGES.items()} == {
        language: set(LANGUAGES["en"]) for language in ("en", "ko", "ja")
    }
    assert not [key for table in LANGUAGES.values() for key, text in table.items() if not text.strip()]


def test_an_unknown_language_reads_english_and_a_regional_one_its_language():
    assert words("fr") is LANGUAGES["en"]
    assert words("ko-KR") is LANGUAGES["ko"]
