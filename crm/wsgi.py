import gc
import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
application = get_wsgi_application()


def _warm_up() -> None:
    """What each worker would do at its first page, done once before the server forks them: addresses, templates."""
    reverse("crm:customers")
    templates = Path(__file__).parent / "templates"
    for path in templates.rglob("*.html"):
        get_template(str(path.relative_to(templates)))
    gc.freeze()  # what is here now stays: no collection looks at it again, and the workers share its memory


_warm_up()
