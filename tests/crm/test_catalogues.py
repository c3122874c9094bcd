"""The staff's words: nothing said in code or templates is without its Korean and Japanese, and compiling needs no tool."""

import os
import re
import shutil
from collections import Counter
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext

from crm import catalogues
from customers.models import Segment

LANGUAGES = ("ko", "ja")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w*\}|\{\{ \w+ \}\}|<[^>]+>")
# A particle that depends on the sound before it, right behind a value nobody knows yet.
PARTICLE = re.compile(r"(%\(\w+\)[sd]|%[sd]|\{\w*\})[”’\")]*(은|는|이|가|을|를|과|와|으로|로)(?=[\s.,]|$)")


@pytest.fixture(scope="module")
def said():
    return {_identity(message) for message in catalogues.extract(settings.BASE_DIR) if message.id}


@pytest.fixture(params=LANGUAGES, scope="module")
def catalogue(request):
    return catalogues.read(catalogues.TEXTS / request.param / "LC_MESSAGES/django.po")


def _identity(message):
    return message.context, message.id if isinstance(message.id, str) else tuple(message.id)


def _messages(catalogue):
    return [message for message in catalogue if message.id]


def _forms(message):
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_every_language_has_exactly_what_is_said(catalogue, said):
    known = {_identity(message) for message in _messages(catalogue)}

    assert sorted(map(str, said - known)) == [], "run manage.py catalogues, then translate"
    assert sorted(map(str, known - said)) == [], "said nowhere: run manage.py catalogues"
    assert list(catalogue.obsolete) == []


def test_every_message_has_words_and_none_is_a_guess(catalogue):
    messages = _messages(catalogue)

    assert [message.id for message in messages if not all(form.strip() for form in _forms(message))] == []
    assert [message.id for message in messages if message.fuzzy] == []


def test_words_keep_the_placeholders_of_what_they_translate(catalogue):
    def kept(message):
        wanted = message.id if isinstance(message.id, str) else message.id[-1]
        return all(
            Counter(PLACEHOLDER.findall(form)) == Counter(PLACEHOLDER.findall(wanted))
            for form in _forms(message)
        )

    assert [message.id for message in _messages(catalogue) if not kept(message)] == []


def test_one_form_serves_every_number(catalogue):
    plurals = [message for message in _messages(catalogue) if message.pluralizable]

    assert (catalogue.num_plurals, catalogue.plural_expr) == (1, "0")
    assert plurals
    assert {len(_forms(message)) for message in plurals} == {1}


def test_no_korean_particle_hangs_on_a_value():
    korean = catalogues.read(catalogues.TEXTS / "ko/LC_MESSAGES/django.po")

    assert [form for m in _messages(korean) for form in _forms(m) if PARTICLE.search(form)] == []


@pytest.mark.parametrize(("language", "word"), [("en", "Customers"), ("ko", "고객"), ("ja", "顧客")])
def test_django_reads_what_was_compiled_at_its_start(language, word):
    with translation.override(language):
        assert gettext("Customers") == word


def test_a_text_is_compiled_once_and_again_when_it_is_another(tmp_path):
    texts, to = tmp_path / "texts", tmp_path / "var"
    shutil.copytree(catalogues.TEXTS, texts)
    compiled = [to / language / "LC_MESSAGES/django.mo" for language in sorted(LANGUAGES)]
    korean = texts / "ko/LC_MESSAGES/django.po"

    first, second = catalogues.prepare(to, texts), catalogues.prepare(to, texts)
    os.utime(korean, (1, 1))  # older than what was compiled: another version was checked out
    third = catalogues.prepare(to, texts)

    assert (first, second, third) == (compiled, [], [to / "ko/LC_MESSAGES/django.mo"])
    with compiled[1].open("rb") as words:
        assert GNUTranslations(words).gettext("Customers") == "고객"
    assert sorted(path.suffix for path in to.rglob("*.*")) == [".mo", ".mo"]


def test_where_nothing_can_be_written_the_site_still_starts(tmp_path, caplog):
    (tmp_path / "taken").write_text("not a folder")

    assert catalogues.prepare(Path(tmp_path / "taken")) == []
    assert "no words in ko" in caplog.text


def test_refreshing_keeps_words_drops_what_is_gone_and_guesses_nothing(tmp_path):
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm/page.py").write_text('_("Customers"); _("Customers!"); ngettext("%s day", "%s days", 2)')
    (tmp_path / "crm/page.html").write_text(
        '{% translate "Save" %}{% blocktranslate %}For {{ n }}{% endblocktranslate %}'
    )
    texts = tmp_path / "texts"
    shutil.copytree(catalogues.TEXTS, texts)

    missing = catalogues.refresh(tmp_path, texts)

    korean = catalogues.read(texts / "ko/LC_MESSAGES/django.po")
    assert missing == {"ja": 3, "ko": 3}
    assert {id_: korean[id_].string for id_ in ("Customers", "Customers!", "Save", "For %(n)s")} == {
        "Customers": "고객",
        "Customers!": "",
        "Save": "저장",
        "For %(n)s": "",
    }
    assert "Draft" not in korean


def test_the_admin_names_no_column_by_the_name_of_its_attribute():
    plain = {
        f"{field.model._meta.label}.{field.name}"
        for model, shown in _shown_by_the_admin()
        for field in model._meta.fields + model._meta.many_to_many
        if field.name in shown and field.name != "id" and not isinstance(field.verbose_name, Promise)
    }

    assert sorted(plain) == []


def _shown_by_the_admin():
    for model, options in admin.site._registry.items():
        sets = [name for _title, group in options.fieldsets or () for name in group["fields"]]
        every = [field.name for field in model._meta.fields if field.editable]
        yield model, {*options.list_display, *(options.fields or sets or every)}
        for inline in options.inlines:
            yield inline.model, set(inline.fields or ())


@pytest.mark.parametrize(("language", "name"), [("en", "Champions"), ("ko", "최우수 고객")])
def test_a_segment_every_shop_starts_with_is_named_in_the_readers_language(language, name):
    segment = Segment(key="champions", name="Champions", description="Said by staff.")

    with translation.override(language):
        assert (str(segment), segment.title, segment.about) == (name, name, "Said by staff.")


def test_a_segment_that_staff_named_keeps_its_name():
    with translation.override("ko"):
        assert Segment(key="champions", name="Our best").title == "Our best"
        assert Segment(key="mine", name="Champions").title == "Champions"
