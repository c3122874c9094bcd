"""A page asks the database as often for many rows as for few, and a look changes nothing."""

import re
from collections import Counter

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.world import ADMIN_LISTS, PAGES, build

WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|COPY(?!\s*\()|MERGE)\b", re.I
)  # COPY (SELECT ...) reads
# Enough for a page of 50 rows with everything around it; far below what one query a row would need.
MOST = 45


ARRAYS = re.compile(r"'\{.*?\}'(::\w+\[\])?|ARRAY\[.*?\]|\bIN \(.*?\)", re.S)
CURSORS = re.compile(r"_django_curs_\w+")
VALUES = re.compile(r"'(?:[^']|'')*'|(?<![\w\"])-?\d[\w.]*")


def queries(client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


def shape(statement: str) -> str:
    """The statement without its values: what two questions for different rows have in common."""
    return VALUES.sub("?", ARRAYS.sub("[?]", CURSORS.sub("a_cursor", statement)))


def test_a_page_asks_as_often_for_fifteen_rows_as_for_three(browser_of_staff, shop, staff):
    """What only the first look asks, because it is remembered then, is not counted."""

    def asked(world):
        pages = {"today": "/admin/"} | {name: world.url(name) for name in PAGES}
        lists = {name: reverse(f"admin:{name}_changelist") for name in ADMIN_LISTS}
        return {
            name: Counter(map(shape, queries(browser_of_staff, url))) for name, url in (pages | lists).items()
        }

    few = asked(build(3, staff=staff))
    many = asked(build(12, staff=staff))

    more = [f"{name}, {n} more: {sql}" for name in few for sql, n in (many[name] - few[name]).items()]
    assert not more, "\n".join(more)
    assert {name: count for name in many if (count := many[name].total()) > MOST} == {}


def test_looking_changes_nothing(browser_of_staff, world):
    addresses = ["/admin/", *(world.url(name) for name in PAGES)]
    addresses += [reverse(f"admin:{name}_changelist") for name in ADMIN_LISTS]

    with CaptureQueriesContext(connection) as asked:
        for address in addresses:
            assert browser_of_staff.get(address).status_code == 200

    assert [query["sql"] for query in asked.captured_queries if WRITES.match(query["sql"])] == []
