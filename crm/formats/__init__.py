"""Dates in the admin's own lists as on every page of ours: short, with the zone; Django's formats stand for the rest."""
