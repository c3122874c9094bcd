"""An SMTP server on the loopback that keeps every mail and passes none on."""

import asyncio
import logging
import signal
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.utils import timezone

from campaigns.services import mailbox

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LARGEST = 10 * 1024 * 1024


class Keeper:
    """Takes every mail; one thread of its own writes them, in the order they came."""

    def __init__(self) -> None:
        self._writer = ThreadPoolExecutor(max_workers=1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        try:
            await asyncio.get_running_loop().run_in_executor(self._writer, _keep, envelope)
        except Error:
            return "451 4.3.0 The mailbox cannot write; try later"
        return "250 2.0.0 Kept"

    def close(self) -> None:
        self._writer.submit(connection.close)
        self._writer.shutdown()


def _keep(envelope: Envelope) -> None:
    content = envelope.content
    raw = content if isinstance(content, bytes) else (content or "").encode()
    try:
        mailbox.keep(
            envelope_from=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            raw=raw,
            at=timezone.now(),
        )
    except Error:
        connection.close()  # the next mail gets a fresh one
        raise


class Command(BaseCommand):
    help = "Take every mail sent to SMTP_URL (loopback only) and keep it in the outbox of the admin."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="instead of the port in SMTP_URL")

    def handle(self, *args: Any, port: int | None, **options: Any) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every command
        url = urlsplit(settings.SMTP_URL or "smtp://127.0.0.1")
        host, port = url.hostname or "127.0.0.1", port or url.port
        if host not in LOOPBACK:
            raise CommandError(f"The mailbox listens on the loopback only, not on {host}.")
        if not port:
            raise CommandError("Which port? Set SMTP_URL or give --port.")
        asyncio.run(self._serve(host, port))

    async def _serve(self, host: str, port: int) -> None:
        loop, stop, keeper = asyncio.get_running_loop(), asyncio.Event(), Keeper()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            server = await loop.create_server(
                lambda: SMTP(keeper, enable_SMTPUTF8=True, data_size_limit=LARGEST, hostname="mailbox"),
                host,
                port,
            )
        except OSError as error:
            raise CommandError(f"Port {port} of {host} cannot be opened: {error.strerror}") from error
        self.stdout.write(f"Mailbox on {host}:{port}")
        await stop.wait()
        server.close()
        keeper.close()
