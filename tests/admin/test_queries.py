"""A page asks the database as often for forty rows as for ten, and a look changes nothing."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.world import ADMIN_LISTS, PAGES, build

WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|COPY(?!\s*\()|MERGE)\b", re.I
)  # COPY (SELECT ...) reads
# Enough for a page of 50 rows with everything around it; far below what one query a row would need.
MOST = 45


def queries(client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    # the session is in the cache, and in the database when the cache has lost it
    return [query["sql"] for query in asked.captured_queries if "django_session" not in query["sql"]]


def test_a_page_asks_as_often_for_forty_rows_as_for_ten(browser_of_staff, shop, staff):
    def asked(world):
        pages = {"today": "/admin/"} | {name: world.url(name) for name in PAGES}
        lists = {name: reverse(f"admin:{name}_changelist") for name in ADMIN_LISTS}
        return {name: queries(browser_of_staff, url) for name, url in (pages | lists).items()}

    world = build(10, staff=staff)  # enough that no part of a page is empty
    asked(world)  # what is remembered for an hour is remembered now
    few = asked(world)
    many = asked(build(30, staff=staff))

    more = {
        name: sorted(set(many[name]) - set(few[name])) for name in few if len(many[name]) != len(few[name])
    }
    assert more == {}
    assert {name: len(sqls) for name, sqls in many.items() if len(sqls) > MOST} == {}


def test_looking_changes_nothing(browser_of_staff, world):
    addresses = ["/admin/", *(world.url(name) for name in PAGES)]
    addresses += [reverse(f"admin:{name}_changelist") for name in ADMIN_LISTS]

    with CaptureQueriesContext(connection) as asked:
        for address in addresses:
            assert browser_of_staff.get(address).status_code == 200

    assert [query["sql"] for query in asked.captured_queries if WRITES.match(query["sql"])] == []
