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
    they give way as jobs do.
    """
    if len(questions) < 2:
        return [ask(question) for question in questions]
    limits, waiting, answers = sql.limits(), iter(list(enumerate(questions))), dict[int, Answer]()

    def several() -> None:
        try:
            with giving_way(whole_process=False):
                for number, question in waiting:  # each thread takes the next one
                    with sql.under(limits):
                        answers[number] = ask(question)
        finally:
            list(waiting)  # where this one failed, nobody wants the answers to come
            connection.close()  # this thread's

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for thread in [pool.submit(several) for _ in range(AT_ONCE)]:
            thread.result()
    return [answers[number] for number in range(len(questions))]
