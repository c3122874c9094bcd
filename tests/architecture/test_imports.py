"""The import contracts hold, and each is shown an import that breaks it."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.rules import PACKAGES

CHECKOUT = Path(__file__).resolve().parent.parent.parent
CONFIG = CHECKOUT / "pyproject.toml"

VIOLATIONS = [
    ("between-apps", "customers/services/x.py", "import campaigns.models"),
    ("between-apps", "feedback/reports.py", "import ltv.models"),
    ("between-apps", "crm/common/errors.py", "import customers.models"),
    ("inside-customers", "customers/models/x.py", "import customers.services"),
    ("inside-feedback", "feedback/reports.py", "import feedback.services"),
    ("inside-ltv", "ltv/core/x.py", "import ltv.models"),
    ("inside-campaigns", "campaigns/tasks.py", "import campaigns.admin"),
    ("inside-customers", "customers/helpers.py", ""),  # exhaustive: a new name is a decision
    ("core-is-pure", "ltv/core/x.py", "import django.utils.timezone"),
    ("core-is-pure", "customers/core/x.py", "import redis"),
    ("apps-do-not-know-the-shell", "campaigns/services/x.py", "from crm import settings"),
    ("apps-do-not-know-the-shell", "customers/tasks.py", "import crm.celery"),
]


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--config", str(CONFIG), "--no-cache"]
    return subprocess.run(command, cwd=root, text=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory) -> Path:
    """The project's modules, all of them empty."""
    root = tmp_path_factory.mktemp("skeleton")
    for package in PACKAGES:
        for path in (CHECKOUT / package).rglob("*.py"):
            copy = root / path.relative_to(CHECKOUT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
    return root


def test_the_project_keeps_every_import_contract():
    done = _lint(CHECKOUT)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("contract", "path", "text"), VIOLATIONS)
def test_a_forbidden_import_breaks_its_contract_and_no_other(skeleton, tmp_path, contract, path, text):
    root = tmp_path / "tree"
    shutil.copytree(skeleton, root)
    for missing in {path, *_named(text)} - {""}:
        (root / missing).parent.mkdir(parents=True, exist_ok=True)
        if not (root / missing).with_suffix("").is_dir():
            (root / missing).touch()
    (root / path).write_text(text + "\n")

    done = _lint(root)

    assert done.returncode == 1
    assert f"{_title(contract)} BROKEN" in " ".join(done.stdout.split())
    assert "1 broken" in done.stdout


def _named(text: str) -> set[str]:
    """The project's file that an import names, so that it exists in the tree."""
    words = text.removeprefix("from ").removeprefix("import ").replace(" import ", ".")
    return {words.replace(".", "/") + ".py"} if words.split(".")[0] in PACKAGES else set()


def _title(contract: str) -> str:
    contracts = tomllib.loads(CONFIG.read_text())["tool"]["importlinter"]["contracts"]
    return next(c["name"] for c in contracts if c["id"] == contract)


def test_every_contract_is_shown_something_that_breaks_it():
    contracts = tomllib.loads(CONFIG.read_text())["tool"]["importlinter"]["contracts"]

    assert {contract for contract, _, _ in VIOLATIONS} == {c["id"] for c in contracts}
