"""Why a row or a file was refused, in words. Stored as ``code|field|value``, so that each reader gets their language."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.core.mapping import BadMapping
from customers.core.reading import BadFile

FIELD_LABELS = {
    "order_id": gettext_lazy("order id"),
    "customer_id": gettext_lazy("customer id"),
    "email": gettext_lazy("e-mail"),
    "name": gettext_lazy("customer name"),
    "date": gettext_lazy("date"),
    "amount": gettext_lazy("amount"),
    "currency": gettext_lazy("currency"),
    "cost": gettext_lazy("cost"),
    "sales_channel": gettext_lazy("sales channel"),
    "sku": gettext_lazy("product code (SKU)"),
    "product": gettext_lazy("product name"),
    "category": gettext_lazy("product category"),
    "quantity": gettext_lazy("quantity"),
    "line_amount": gettext_lazy("line amount"),
    "language": gettext_lazy("language"),
    "country": gettext_lazy("country"),
    "date_format": gettext_lazy("date format"),
    "number_style": gettext_lazy("number style"),
}

_ROW = {
    "columns": gettext_lazy("has another number of columns than the first row: {value}"),
    "control_character": gettext_lazy("holds a control character"),
    "missing": gettext_lazy("is empty"),
    "too_long": gettext_lazy("is longer than {value} characters"),
    "not_a_date": gettext_lazy("“{value}” is not a date in the format chosen"),
    "no_such_time": gettext_lazy(
        "“{value}” does not exist in the shop's time zone: the clocks go forward there"
    ),
    "too_early": gettext_lazy("“{value}” is before 1970"),
    "in_the_future": gettext_lazy("“{value}” is in the future"),
    "not_a_number": gettext_lazy("“{value}” is not a number in the style chosen"),
    "negative": gettext_lazy(
        "“{value}” is negative; money given back is recorded as a refund of its purchase"
    ),
    "not_a_quantity": gettext_lazy("“{value}” is not a quantity above 0 with at most three decimals"),
    "unknown_currency": gettext_lazy("“{value}” is not a currency code such as KRW, JPY or USD"),
    "decimals": gettext_lazy("“{value}” has more decimals than the currency"),
    "too_large": gettext_lazy("“{value}” is too large"),
    "not_an_address": gettext_lazy("“{value}” is not an e-mail address"),
    "order_has_error": gettext_lazy("another row of the same order has an error: row {value}"),
    "disagrees": gettext_lazy("differs from row {value}, which has the same order id"),
    "repeated": gettext_lazy("is already in row {value}"),
    "email_of_other": gettext_lazy("belongs to the customer with the id “{value}”"),
    "order_of_other": gettext_lazy("“{value}” is recorded for another customer"),
    "below_refunds": gettext_lazy("is less than what has been refunded: {value}"),
    "refunded_currency": gettext_lazy("cannot change from {value}: part of the purchase has been refunded"),
    "address_kept": gettext_lazy("differs from the address on record, which was kept"),
    "no_rate": gettext_lazy("no exchange rate is known for {value}; the purchase counts once there is one"),
}

_FILE = {
    "empty": gettext_lazy("The file is empty."),
    "nothing": gettext_lazy("The file has no rows below its header."),
    "file_gone": gettext_lazy("The uploaded file is no longer there; upload it again."),
    "too_large": gettext_lazy("The file is larger than {value} MB."),
    "too_many_rows": gettext_lazy("The file has more than {value} rows."),
    "spreadsheet": gettext_lazy("This is a spreadsheet or an archive; save it as CSV (UTF-8) first."),
    "nul": gettext_lazy("holds a NUL character; if the file is UTF-16, choose that encoding."),
    "unclosed_quote": gettext_lazy("a quotation mark is opened and never closed."),
    "stray_quote": gettext_lazy("text follows a closing quotation mark; quotes inside a cell are doubled."),
    "field_too_long": gettext_lazy("a cell has more than 10,000 characters; is a quotation mark missing?"),
    "too_many_columns": gettext_lazy("has {value} columns; 100 is the most."),
    "unclear_encoding": gettext_lazy("the text is not UTF-8. Choose its encoding: {value}."),
    "wrong_encoding": gettext_lazy("The file cannot be read as {value}; choose another encoding."),
    "unknown_encoding": gettext_lazy("“{value}” is not an encoding we read."),
    "not_cdnow": gettext_lazy("has {value} columns; a CDNOW log has 4 or 5."),
    "needed": gettext_lazy("Choose a column for this."),
    "no_such_column": gettext_lazy("The file has no column “{value}”."),
    "column_twice": gettext_lazy(
        "The file has the column “{value}” more than once; name it by place, such as #3."
    ),
    "no_header": gettext_lazy("Without a header row columns are named by place, such as #3."),
    "unknown_entry": gettext_lazy("“{value}” is not known here."),
    "wrong_type": gettext_lazy("“{value}” is of the wrong type."),
}


def explain(reason: str) -> str:
    """A row's stored reason in words: which field, and what about it."""
    if not reason:
        return ""
    code, _bar, rest = reason.partition("|")
    field, _bar, value = rest.partition("|")
    text = str(_ROW[code]).format(value=value) if code in _ROW else reason
    return f"{FIELD_LABELS[field]}: {text}" if field in FIELD_LABELS else text


def explain_file(error: BadFile) -> str:
    """Why the file cannot be read, with the row where that shows."""
    text = str(_FILE[error.code]).format(value=error.value)
    return _("Row %(row)d: %(text)s") % {"row": error.row, "text": text} if error.row else text


def explain_mapping(error: BadMapping) -> str:
    """What is wrong with the mapping, and with which entry."""
    text = str(_FILE[error.code]).format(value=error.value)
    return f"{FIELD_LABELS.get(error.field, error.field)}: {text}"
