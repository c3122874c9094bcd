from pathlib import Path

import pytest

from tests.architecture.rules import RULES, sources

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps(rule):
    found = rule(CHECKOUT)

    assert not found, "\n".join(found)


def test_the_rules_see_the_whole_product():
    seen = {source.name.split("/")[0] for source in sources(CHECKOUT)}

    assert seen == {"crm", "customers", "feedback", "ltv", "campaigns"}
