"""Helpers for asking: to-many relations without joining them, the same question without writing it anew."""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import Field, ForeignKey, Lookup, Model, OuterRef, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")


def related(queryset: QuerySet[Any], name: str) -> QuerySet[Any]:
    """The rows of relation ``name`` belonging to the outer row, to put into Exists() or Subquery().

    A join multiplies rows and breaks later counts; a correlated subquery composes in any order.
    """
    field = queryset.model._meta.get_field(name)
    model: type[Model] = field.related_model  # type: ignore[assignment]
    return model._default_manager.filter(**{field.remote_field.name: OuterRef("pk")})


class Among(Lookup):  # type: ignore[type-arg]
    """``pk__among=[1, 2]``: one parameter however many values, so that the statement stays the same."""

    lookup_name = "among"

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [value]

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, params = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", [*left_params, *params]


Field.register_lookup(Among)
ForeignKey.register_lookup(Among)

# What stands for a value while a statement is written; nothing real has it.
_STAND_INS: Mapping[type, Any] = {
    int: -1_907_480_023,
    list: [-1_907_480_023],
    datetime: datetime(1, 1, 1, 0, 0, 17, tzinfo=UTC),
}


class Prepared(Generic[Row]):
    """A queryset that is written as SQL once in a process and then asked with one value after another.

    For an answer by key the ORM takes several times as long to write the statement as PostgreSQL takes to answer, and
    writes the same one every time. ``build`` must use its value as it is, and nothing else that changes:

        steps_of = Prepared(lambda who: FollowUp.objects.open().filter(customer=who).order_by("due_on"), int)
        steps_of(7)
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], *types: type) -> None:
        self._build, self._types = build, types
        self._written: tuple[QuerySet[Any, Row], SQLCompiler, str, list[Any]] | None = None

    def __call__(self, *values: Any) -> list[Row]:
        queryset, compiler, text, params = self._written or self._write()
        bound = dict(zip(self._types, values, strict=True))
        written = copy(compiler)
        written.connection = connections[queryset.db]  # each thread has its own
        given = tuple(bound[param] if isinstance(param, type) else param for param in params)
        written.as_sql = lambda *_args, **_options: (text, given)  # type: ignore[method-assign]
        query = copy(queryset.query)
        query.get_compiler = lambda *_args, **_options: written  # type: ignore[method-assign]
        asked = queryset.__class__(model=queryset.model, query=query)
        asked._iterable_class, asked._fields = queryset._iterable_class, queryset._fields
        return list(asked)

    def first(self, *values: Any) -> Row | None:
        """The first row, or None."""
        found = self(*values)
        return found[0] if found else None

    def _write(self) -> tuple[QuerySet[Any, Row], SQLCompiler, str, list[Any]]:
        stand_ins = {kind: _STAND_INS[kind] for kind in self._types}
        queryset = self._build(*stand_ins.values())
        compiler = queryset.query.get_compiler(queryset.db)
        text, params = compiler.as_sql()
        names = [next((kind for kind, value in stand_ins.items() if value == one), one) for one in params]
        if {name for name in names if isinstance(name, type)} != set(stand_ins):
            raise TypeError("a prepared queryset uses each of its values, and as it is")
        self._written = queryset, compiler, text, names
        return self._written
