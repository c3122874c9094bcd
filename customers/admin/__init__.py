"""Settings and records of customers in the admin. Daily work happens on the staff's own pages."""

from customers.admin import records, settings

__all__ = ["records", "settings"]
