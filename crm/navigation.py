"""The Unfold admin's name, colours and sidebar."""

UNFOLD: dict[str, object] = {"SITE_TITLE": "Mini CRM", "SITE_HEADER": "Mini CRM"}
