"""One SMTP connection, driven by stage, because only the silence after the final dot is ambiguous."""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campaigns.core.replies import Outcome, Stage, Verdict, judge, lost
from crm.common.errors import DomainError

_DOT = re.compile(rb"^\.", re.MULTILINE)
_LONGEST_REPLY = 300


class NoMailServer(DomainError):
    """No mail server is set up, or not in a way it can be used."""

    code = "no_mail_server"
    message = _("No mail server is set up: set SMTP_URL.")


class ServerAway(Exception):
    """The mail server cannot be reached, does not greet, or does not let us in."""


@dataclass(frozen=True)
class Target:
    host: str
    port: int
    user: str
    password: str
    security: str  # "", "tls" or "starttls"


def target() -> Target:
    """Where SMTP_URL points: ``smtp://``, ``smtps://`` or ``smtp+starttls://`` (or ``smtp://...?tls=starttls``).

    Raises:
        NoMailServer: unset or unusable.
    """
    try:
        url = urlsplit(settings.SMTP_URL)
        port, host = url.port, url.hostname or ""
    except ValueError as error:
        raise NoMailServer(_("SMTP_URL cannot be read.")) from error
    starttls = parse_qs(url.query).get("tls") == ["starttls"]
    security = {"smtp": "starttls" if starttls else "", "smtps": "tls", "smtp+starttls": "starttls"}
    if url.scheme not in security or not host:
        raise NoMailServer
    kind = security[url.scheme]
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if user and not kind and host not in ("localhost", "127.0.0.1", "::1"):
        raise NoMailServer(_("SMTP_URL has a password but no TLS: use smtps:// or smtp+starttls://."))
    return Target(host, port or {"": 25, "tls": 465, "starttls": 587}[kind], user, password, kind)


class MailServer:
    """A connection that is opened when needed and reused from mail to mail."""

    def __init__(self) -> None:
        self._target = target()
        self._smtp: smtplib.SMTP | None = None

    def open(self) -> None:
        """Connect, secure, sign in; nothing to do on a connection that is open.

        Raises:
            ServerAway: any of it failed. No mail is touched by that.
        """
        if self._smtp is not None:
            return
        try:
            self._smtp = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAway(str(error)[:_LONGEST_REPLY]) from error

    def _connect(self) -> smtplib.SMTP:
        where, timeout = self._target, settings.SMTP_TIMEOUT
        name = urlsplit(settings.SITE_URL).hostname or "localhost"
        name = name if re.search("[a-z]", name) else f"[{name}]"
        context = ssl.create_default_context() if where.security else None
        if where.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                where.host, where.port, local_hostname=name, timeout=timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(where.host, where.port, local_hostname=name, timeout=timeout)
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            smtp.ehlo_or_helo_if_needed()
            if where.security == "starttls":
                smtp.starttls(context=context)
                smtp.ehlo()
            if where.user:
                smtp.login(where.user, where.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def send(self, *, sender: str, recipient: str, data: bytes, may_start: Callable[[], bool]) -> Outcome:
        """One mail to one recipient. ``may_start`` is asked last before DATA; its no costs no try.

        Only after :meth:`open`. A conversation that went wrong closes the connection.
        """
        smtp = self._smtp
        assert smtp is not None
        stage = Stage.MAIL
        try:
            utf8 = [] if recipient.isascii() else ["SMTPUTF8"]
            if utf8 and not smtp.has_extn("smtputf8"):
                return Outcome(Verdict.REFUSED, stage, "the server does not take addresses beyond ASCII")
            for stage, command, good in (
                (Stage.MAIL, lambda: smtp.mail(sender, utf8), 250),
                (Stage.RCPT, lambda: smtp.rcpt(recipient), 250),
                (Stage.DATA, lambda: smtp.docmd("DATA") if may_start() else (0, b""), 354),
            ):
                code, reply = command()
                if code == 0:
                    self._reset()
                    return Outcome(Verdict.AWAY, stage, "too late to start")
                if code != good and not (stage is Stage.RCPT and code == 251):
                    self._reset()
                    return self._judged(stage, code, reply)
            stage = Stage.DOT
            smtp.send(_stuffed(data))
            code, reply = smtp.getreply()
            return self._judged(stage, code, reply)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return lost(stage, str(error)[:_LONGEST_REPLY])

    def _judged(self, stage: Stage, code: int, reply: bytes) -> Outcome:
        if code in (421, -1):
            self.close()
        return judge(stage, code, reply.decode("utf-8", "replace").replace("\x00", "")[: _LONGEST_REPLY - 4])

    def _reset(self) -> None:
        try:
            if self._smtp is not None and self._smtp.rset()[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()

    def close(self) -> None:
        """Say goodbye if the server still listens; harmless to repeat."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(2)
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()


def _stuffed(data: bytes) -> bytes:
    """The message as it goes over the wire: CRLF lines, leading dots doubled, the final dot.

    Source: RFC 5321, section 4.5.2.
    """
    lines = re.sub(rb"\r\n|\n|\r", b"\r\n", data)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return _DOT.sub(b"..", lines) + b".\r\n"
