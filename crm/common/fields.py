"""Columns whose form in PostgreSQL is not the one Python sees."""

from decimal import Decimal
from typing import Any

from django.db import models


class ThousandthsField(models.DecimalField):
    """An exact amount with three decimals, kept as a whole number of thousandths, which is what SQL and F() see of it.

    For what a night reads and writes of everybody: a bigint comes and goes sooner than a numeric (ADR 11).
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_digits": 18, "decimal_places": 3, **options})

    def db_type(self, connection: Any) -> str:
        return "bigint"

    def from_db_value(self, value: int | None, *_where: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-3)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> int | None:
        amount = self.to_python(value)
        return None if amount is None else round(amount.scaleb(3))
