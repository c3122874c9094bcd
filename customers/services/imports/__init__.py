"""Imports of purchases: upload, check (nothing written), confirm, apply in chunks that can be resumed."""

from customers.services.imports.batches import (
    CannotChange,
    apply,
    check,
    choose_mapping,
    confirm,
    run_due,
    upload,
)
from customers.services.imports.files import Peek, UnreadableFile, peek
from customers.services.imports.reasons import explain
from customers.services.imports.results import errors, results_csv

__all__ = [
    "CannotChange",
    "Peek",
    "UnreadableFile",
    "apply",
    "check",
    "choose_mapping",
    "confirm",
    "errors",
    "explain",
    "peek",
    "results_csv",
    "run_due",
    "upload",
]
