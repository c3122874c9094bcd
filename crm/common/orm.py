"""Helpers for asking about to-many relations without joining them."""

from typing import Any

from django.db.models import Model, OuterRef, QuerySet


def related(queryset: QuerySet[Any], name: str) -> QuerySet[Any]:
    """The rows of relation ``name`` belonging to the outer row, to put into Exists() or Subquery().

    A join multiplies rows and breaks later counts; a correlated subquery composes in any order.
    """
    field = queryset.model._meta.get_field(name)
    model: type[Model] = field.related_model  # type: ignore[assignment]
    return model._default_manager.filter(**{field.remote_field.name: OuterRef("pk")})
