"""The files that pages load: from the apps themselves, unless they were collected."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVED = """
import django
from whitenoise.middleware import WhiteNoiseMiddleware
django.setup()
print("/static/crm/mark.svg" in WhiteNoiseMiddleware(lambda request: None).files)
"""


def test_a_new_var_directory_serves_the_files_of_the_apps_and_warns_of_nothing(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "STATIC_MANIFEST"}
    environment |= {
        "CRM_VAR_DIR": str(tmp_path),
        "SECRET_KEY": "x" * 50,
        "DJANGO_SETTINGS_MODULE": "crm.settings",
    }

    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", SERVED],
        env=environment, cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert done.stdout.strip() == "True"
    assert "No directory at" not in done.stderr
