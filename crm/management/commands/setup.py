"""Prepare a new installation: roles, built-in segments, the first owner. Repeating it changes nothing."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from crm.common import staff
from crm.roles import OWNER, ROLES
from customers.services import segments


class Command(BaseCommand):
    help = "Create roles, built-in segments and, when there is no owner yet, the owner with a new password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--owner-password-file", type=Path, help="Where the owner's password is written, once."
        )
        parser.add_argument("--owner", default="owner", help="User name of the first owner.")

    def handle(self, *args: Any, **options: Any) -> None:
        staff.apply_roles(ROLES)
        self.stdout.write(f"roles: {', '.join(ROLES)}")
        made = segments.create_builtin(at=timezone.now())
        self.stdout.write(f"segments: {made} built-in ones created")
        self._owner(options["owner"], options["owner_password_file"])

    def _owner(self, username: str, file: Path | None) -> None:
        password = staff.ensure_owner(username=username, role=OWNER)
        if password is None:
            self.stdout.write("owner: there is one already")
        elif file is None:
            self.stdout.write(f"owner: {username}, password {password} (shown once)")
        else:
            _write_secret(file, password)
            self.stdout.write(f"owner: {username}, password in {file}")


def _write_secret(file: Path, text: str) -> None:
    """Readable by its owner only from the first byte on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text + "\n")
