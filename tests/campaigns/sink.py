"""A real SMTP server for tests: keeps what it accepted, and misbehaves as told.

``refuse["rcpt"]["bad@x.example"] = "550 5.1.1 No such user"`` scripts a reply of a stage for an address;
``drop_after_data``: addresses whose connection is cut after the message was taken, before the reply;
``drop_at``: stage -> addresses whose connection is cut there; ``hang``: addresses whose final reply never comes.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.ports import free_port

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every command


@dataclass(frozen=True)
class Accepted:
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)

    @property
    def message_id(self) -> str:
        return str(self.mail["Message-ID"])


class Sink:
    def __init__(self) -> None:
        self.accepted: list[Accepted] = []
        self.refuse: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.drop_at: defaultdict[str, set[str]] = defaultdict(set)
        self.drop_after_data: set[str] = set()
        self.hang: set[str] = set()
        self.connections = 0
        self.before_rcpt: Callable[[str], None] | None = None
        self._controller: Controller | None = None
        self.port = free_port()

    # -- aiosmtpd's hooks ------------------------------------------------------------------------------------
    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "*" in self.drop_at["mail"]:
            server.transport.abort()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.refuse["mail"].get("*", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.before_rcpt is not None:
            await asyncio.to_thread(self.before_rcpt, address)
        if address in self.drop_at["rcpt"]:
            server.transport.abort()
        if address in self.refuse["rcpt"]:
            return self.refuse["rcpt"][address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        (address,) = envelope.rcpt_tos
        if address in self.refuse["dot"]:
            return self.refuse["dot"][address]
        self.accepted.append(
            Accepted(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.original_content)
        )
        if address in self.drop_after_data:
            server.transport.abort()
        if address in self.hang:
            await asyncio.sleep(30)
        return "250 OK"

    # -- what tests use ----------------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> "Sink":
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            enable_SMTPUTF8=True,
            server_hostname="sink.example",
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def addresses(self) -> list[str]:
        """To whom mails were accepted, in order."""
        return [address for mail in self.accepted for address in mail.recipients]

    def to(self, address: str) -> EmailMessage:
        """The one mail accepted for an address."""
        (found,) = (mail for mail in self.accepted if mail.recipients == (address,))
        return found.mail
