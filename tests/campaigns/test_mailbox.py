"""The embedded mailbox and the two bells, as processes and tasks really run."""

import os
import signal
import smtplib
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from campaigns import tasks
from campaigns.models import MailboxMessage, Message
from campaigns.services import delivery, mailbox
from tests.faults.harness import database_url
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db(transaction=True)
def test_the_mailbox_keeps_every_mail_as_it_came_and_stops_when_told(settings):
    port = free_port()
    environment = os.environ | {"DATABASE_URL": database_url(), "SMTP_URL": f"smtp://127.0.0.1:{port}"}
    command = [sys.executable, "-u", "manage.py", "mailbox"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    mail = EmailMessage()
    mail["Subject"], mail["Message-ID"], mail["From"], mail["To"] = (
        "봄 소식",
        "<1@x>",
        "a@x.example",
        "b@x.example",
    )
    mail.set_content("안녕하세요\n.\nbye")
    try:
        assert process.stdout.readline() == f"Mailbox on 127.0.0.1:{port}\n"
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.send_message(mail)
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(20)

    kept = MailboxMessage.objects.get()
    assert (kept.subject, kept.message_id, kept.envelope_from) == ("봄 소식", "<1@x>", "a@x.example")
    assert kept.recipients == ["b@x.example"]
    assert b"\r\n.\r\n" in bytes(kept.raw) or b"Content-Transfer-Encoding: base64" in bytes(kept.raw)
    assert ended == 0


@pytest.mark.parametrize("url", ["smtp://mail.example:25", "smtp://0.0.0.0:2525", "smtp://127.0.0.1"])
def test_the_mailbox_is_for_the_loopback_only_and_needs_a_port(url, settings):
    settings.SMTP_URL = url

    with pytest.raises(CommandError):
        call_command("mailbox")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe\x00", b"Subject: \x00\r\n\r\nhi", b"Subject: =?utf-8?b?!!?=\r\n\r\n"]
)
def test_a_mail_nobody_can_read_is_kept_all_the_same(raw, now):
    kept = mailbox.keep(envelope_from="a@x.example", recipients=["b@x.example"], raw=raw, at=now)

    kept.refresh_from_db()
    assert bytes(kept.raw) == raw
    assert "\x00" not in kept.subject


def test_the_bells_send_and_sweep_by_the_databases_clock(member, launched, sink):
    person = member()
    campaign = launched()

    tasks.deliver_due()
    tasks.sweep()

    assert sink.addresses() == [person.email]
    campaign.refresh_from_db()
    assert campaign.status == "finished"
    assert abs((datetime.now(UTC) - Message.objects.get().sent_at).total_seconds()) < 60


def test_the_task_leaves_the_signal_handler_as_it_was(shop):
    before = signal.getsignal(signal.SIGTERM)

    tasks.deliver_due()

    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.django_db(transaction=True)
def test_four_deliverers_at_once_send_each_mail_once(member, launched, sink, now):
    people = [member() for _ in range(60)]
    launched()
    gate = threading.Barrier(4)

    def work(_number):
        gate.wait()
        try:
            return delivery.deliver_due(clock=lambda: now).by_status["sent"]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sent = sum(pool.map(work, range(4)))

    assert sent == len(people)
    assert sorted(sink.addresses()) == sorted(person.email for person in people)
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}
