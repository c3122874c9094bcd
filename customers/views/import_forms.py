"""The two forms of an import: the file, and which of its columns is which fact."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.common.models import Shop
from crm.common.money import currencies
from customers.choices import Language
from customers.core import mapping as maps
from customers.core import reading
from customers.core.mapping import Mapping
from customers.models import ImportBatch
from customers.services.imports import Peek
from customers.services.imports.reasons import FIELD_LABELS

UPLOAD_MB = 20

SEPARATORS = [
    (",", gettext_lazy("comma")),
    (";", gettext_lazy("semicolon")),
    ("\t", gettext_lazy("tab")),
    ("|", gettext_lazy("vertical bar")),
    (reading.WHITESPACE, gettext_lazy("spaces")),
]
_ESSENTIAL = ("order_id", "customer_id", "email", "name", "date", "amount", "currency")


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or another delimited text of at most 20 MB; larger files go by command."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    source = forms.CharField(
        label=gettext_lazy("Shop system"),
        max_length=40,
        help_text=gettext_lazy("Order ids are unique within it. Use the same name each time."),
    )
    preset = forms.ChoiceField(
        label=gettext_lazy("Kind of file"),
        required=False,
        choices=[
            ("", gettext_lazy("Purchases, columns chosen next")),
            ("cdnow", gettext_lazy("CDNOW purchase log")),
        ],
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > UPLOAD_MB * 1024 * 1024:
            raise forms.ValidationError(
                _("The file is larger than %(limit)d MB; an administrator can import it by command.")
                % {"limit": UPLOAD_MB}
            )
        return file


class MappingForm(forms.Form):
    """One select a field over the columns of this file; guesses are filled in, nothing is taken silently."""

    header = forms.BooleanField(
        label=gettext_lazy("The first row holds the names of the columns"), required=False
    )
    make_order_ids = forms.BooleanField(
        label=gettext_lazy("The file has no order ids"),
        help_text=gettext_lazy("They are made from customer, date and the order's number on that day."),
        required=False,
    )
    date_format = forms.ChoiceField(label=gettext_lazy("Dates are written as"))
    number_style = forms.ChoiceField(label=gettext_lazy("Amounts are written as"))
    currency = forms.CharField(
        label=gettext_lazy("Currency where the file has none"), max_length=3, min_length=3, required=False
    )
    sales_channel = forms.CharField(
        label=gettext_lazy("Sales channel where the file has none"), max_length=40, required=False
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of new customers"), choices=Language)
    country = forms.CharField(
        label=gettext_lazy("Country of new customers"), max_length=2, min_length=2, required=False
    )

    def __init__(self, peek: Peek, batch: ImportBatch, data: Any = None) -> None:
        super().__init__(data, initial=_initial(peek, batch))
        columns = [("", "–")] + [
            (f"#{place}", f"{name or _('column')} (#{place})")
            for place, name in enumerate(peek.header, start=1)
        ]
        for name in maps.FIELDS:
            self.fields[f"column_{name}"] = forms.ChoiceField(
                label=FIELD_LABELS[name], choices=columns, required=False
            )
        question = ("", _("Choose …"))
        self.fields["date_format"].choices = [question, *((name, name) for name in maps.DATE_FORMATS)]  # type: ignore[attr-defined]
        self.fields["number_style"].choices = [question, *((name, name) for name in maps.NUMBER_STYLES)]  # type: ignore[attr-defined]
        self._peek = peek

    def columns(self, *, essential: bool) -> list[forms.BoundField]:
        """The selects every file needs, or those for costs and lines."""
        return [self[f"column_{name}"] for name in maps.FIELDS if (name in _ESSENTIAL) == essential]

    def essential(self) -> list[forms.BoundField]:
        return self.columns(essential=True)

    def further(self) -> list[forms.BoundField]:
        return self.columns(essential=False)

    def clean_currency(self) -> str:
        code = self.cleaned_data["currency"].upper()
        if code and code not in currencies():
            raise forms.ValidationError(_("This is not a currency code such as KRW, JPY or USD."))
        return code

    def clean_country(self) -> str:
        return self.cleaned_data["country"].upper()

    def mapping(self) -> Mapping:
        """What was chosen, for ``imports.choose_mapping``."""
        chosen = self.cleaned_data
        constants = {name: chosen[name] for name in maps.CONSTANTS if chosen[name]}
        return Mapping(
            columns={name: chosen[f"column_{name}"] for name in maps.FIELDS if chosen[f"column_{name}"]},
            constants=constants,
            date_format=chosen["date_format"],
            number_style=chosen["number_style"],
            encoding=self._peek.encoding,
            separator=self._peek.separator,
            header=chosen["header"],
            make_order_ids=chosen["make_order_ids"],
        )


def _initial(peek: Peek, batch: ImportBatch) -> dict[str, Any]:
    if batch.mapping:
        stored = maps.from_json(batch.mapping)
        columns = {name: _place(column, peek.header) for name, column in stored.columns.items()}
        initial: dict[str, Any] = {**stored.as_json(), **stored.constants}
    else:
        columns = {name: _place(column, peek.header) for name, column in peek.guesses.items()}
        initial = {
            "header": True,
            "make_order_ids": bool(peek.guesses) and "order_id" not in peek.guesses,
            "date_format": peek.date_formats[0] if len(peek.date_formats) == 1 else "",
            "number_style": _style(peek.number_styles),
            "currency": "" if "currency" in peek.guesses else Shop.current().base_currency,
            "language": Language.ENGLISH,
        }
    return {**initial, **{f"column_{name}": column for name, column in columns.items()}}


def _style(possible: list[str]) -> str:
    """Plain digits read the same in every style; anything else that fits two styles is a question."""
    if maps.PLAIN in possible:
        return maps.PLAIN
    return possible[0] if len(possible) == 1 else ""


def _place(column: str, header: list[str]) -> str:
    return f"#{header.index(column) + 1}" if column in header else column
