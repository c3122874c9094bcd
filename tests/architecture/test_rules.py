from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.rules import RULES, parsed, sources

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module", autouse=True)
def _forget_the_trees() -> Iterator[None]:
    yield
    parsed.cache_clear()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps(rule):
    found = rule(CHECKOUT)

    assert not found, "\n".join(found)


def test_the_rules_see_the_whole_product():
    seen = {source.name.split("/")[0] for source in sources(CHECKOUT)}

    assert seen == {"crm", "customers", "feedback", "ltv", "campaigns"}
