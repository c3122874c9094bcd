"""One question asked of PostgreSQL by ranges, two at a time, each on a connection of its own: two processors answer."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

from crm.common import sql
from crm.common.priority import giving_way

AT_ONCE = 2
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def side_by_side(ask: Callable[[Asked], Answer], questions: Sequence[Asked]) -> list[Answer]:
    """``ask`` each of ``questions``; the answers in their order.

    Of one question, on the caller's connection. Of several, on others, which see what is committed and nothing of the
    caller's transaction: only for what that did not write. Its limits of time and memory hold for each of them, and
    PostgreSQL starts no further processes to help.
    """
    if len(questions) < 2:
        return [ask(question) for question in questions]
    limits = sql.limits()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda question: _on_its_own(ask, question, limits), questions))


def _on_its_own(ask: Callable[[Asked], Answer], question: Asked, limits: Sequence[tuple[str, str]]) -> Answer:
    try:
        with giving_way(), sql.under(limits):
            return ask(question)
    finally:
        connection.close()  # this thread's
