"""Helpers for asking and refusing: to-many relations without joining them, the same question without writing it anew."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db.models import Field, ForeignKey, Lookup, Model, OuterRef, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from crm.common import sql

Row = TypeVar("Row")


def related(queryset: QuerySet[Any], name: str) -> QuerySet[Any]:
    """The rows of relation ``name`` belonging to the outer row, to put into Exists() or Subquery().

    A join multiplies rows and breaks later counts; a correlated subquery composes in any order.
    """
    field = queryset.model._meta.get_field(name)
    model: type[Model] = field.related_model  # type: ignore[assignment]
    return model._default_manager.filter(**{field.remote_field.name: OuterRef("pk")})


def filled_when(column: str, **state: Any) -> Q:
    """For a CheckConstraint: ``column`` has a value in that state and no other: ``filled_when("sent_at", status=SENT)``."""
    return Q(**state, **{f"{column}__isnull": False}) | (~Q(**state) & Q(**{f"{column}__isnull": True}))


def empty_when(column: str, **state: Any) -> Q:
    """For a CheckConstraint: ``column`` has no value in that state, and one in every other."""
    return Q(**state, **{f"{column}__isnull": True}) | (~Q(**state) & Q(**{f"{column}__isnull": False}))


class Among(Lookup):  # type: ignore[type-arg]
    """``pk__among=[1, 2]``: one parameter however many values, so that the statement stays the same."""

    lookup_name = "among"

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, Any]:
        field = self.lhs.output_field
        return "%s", [[field.get_db_prep_value(one, connection, prepared=True) for one in value]]

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
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
    """A queryset that is written as SQL once in a process, and then asked with one value after another.

    For an answer by key the ORM takes several times as long to write the statement as PostgreSQL takes to answer, and
    writes the same one every time. ``build`` must use its values as they are, and nothing else that changes:

        steps_of = Prepared(lambda who: FollowUp.objects.open().filter(customer=who).order_by("due_on"), int)
        steps_of(7)
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], *types: type) -> None:
        self._build, self._types = build, types
        self._written: tuple[QuerySet[Any, Row], SQLCompiler, str, list[Any]] | None = None

    def __call__(self, *values: Any) -> list[Row]:
        queryset, compiler, text, params = self._written or self._write()
        given = dict(zip(self._types, values, strict=True))
        bound = [param.bind(given) if isinstance(param, _Given) else param for param in params]
        rows = sql.prepared(text, bound)
        if not rows:
            return []
        written, query = copy(compiler), copy(queryset.query)
        written.execute_sql = lambda *_how, **_much: [rows]  # type: ignore[method-assign, assignment]
        query.get_compiler = lambda *_using, **_how: written  # type: ignore[method-assign]
        asked = queryset.__class__(model=queryset.model, query=query)
        asked._iterable_class = queryset._iterable_class
        asked._fields = queryset._fields  # type: ignore[attr-defined]
        return list(asked)

    def first(self, *values: Any) -> Row | None:
        """The first row, or None."""
        found = self(*values)
        return found[0] if found else None

    def _write(self) -> tuple[QuerySet[Any, Row], SQLCompiler, str, list[Any]]:
        stand_ins = {kind: _STAND_INS[kind] for kind in self._types}
        queryset = self._build(*stand_ins.values())
        compiler = queryset.query.get_compiler(queryset.db)
        text, written = compiler.as_sql()
        params: list[Any] = []
        for param in written:
            kind = next((kind for kind, value in stand_ins.items() if value == param), None)
            params.append(param if kind is None else _Given(kind, param))
        if {param.kind for param in params if isinstance(param, _Given)} != set(stand_ins):
            raise TypeError("a prepared queryset uses each of its values, and as it is")
        self._written = queryset, compiler, text, params
        return self._written


@dataclass(frozen=True)
class _Given:
    """The place of a value in a statement, and the stand-in as the column takes it (an Int8, say)."""

    kind: type
    like: Any

    def bind(self, given: Mapping[type, Any]) -> Any:
        value = given[self.kind]
        if self.kind is list:
            return [type(self.like[0])(one) for one in value]
        return type(self.like)(value) if self.kind is int else value
