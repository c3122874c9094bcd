"""Writes what staff, customers and campaigns did in the simulated shop, after its customers and purchases."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import Exists, OuterRef

from crm.management.simulation import load_campaigns, story
from crm.management.simulation.purchases import Order
from customers.choices import FollowUpStatus
from customers.models import Customer, FollowUp, Interaction, Purchase
from customers.services import segments
from feedback.choices import CaseStatus
from feedback.core.scores import group
from feedback.models import Invitation, Response, Survey, Theme
from feedback.services import invitations, responses, surveys, themes

if TYPE_CHECKING:
    from crm.management.simulation.load import World

WEEKS = 12  # in which buyers were asked
SHARES = np.array([2, 1, 2, 3, 3, 5, 7, 13, 18, 21, 25]) / 100  # how many give 0, 1, ... 10
BATCH = 4000


def tell(world: "World", record: Callable[["World", Iterable[Order]], list[Purchase]]) -> None:
    """Everything that is not a purchase; ``record`` writes the purchases that came of a campaign."""
    segments.create_builtin()
    survey = _survey()
    _contacts(world)
    _asked_weekly(world, survey)
    load_campaigns.run(world, survey, record)
    _answers(world, survey)
    _themes(world)
    _cases(world)


def _survey() -> Survey:
    survey = surveys.create_survey(name=story.SURVEY_NAME, questions=story.QUESTIONS, valid_days=60)
    return surveys.open_survey(survey=survey)


# -- contacts ----------------------------------------------------------------------------------------------------


def _contacts(world: "World") -> None:
    """A quarter of the customers were in touch once or twice; some next steps wait, a few too long."""
    chance = world.chance(10)
    said: list[tuple[Interaction, str]] = []
    for person in world.persons:
        for _ in range(int(chance.choice(3, p=[0.74, 0.19, 0.07]))):
            contact = story.CONTACTS[chance.integers(len(story.CONTACTS))]
            days = (world.today - person.came_on).days
            at = world.now - timedelta(
                days=int(chance.integers(min(days, 240))), hours=float(chance.uniform(1, 9))
            )
            if at.date() < person.came_on:
                continue
            interaction = Interaction(
                customer=world.customers[person.number],
                kind=contact.kind,
                direction=contact.direction,
                outcome=contact.outcome,
                note=contact.note,
                staff=world.staff[chance.integers(len(world.staff))],
                occurred_at=at,
                recorded_at=at,
            )
            said.append((interaction, contact.next_step))
    Interaction.objects.bulk_create([interaction for interaction, _ in said], batch_size=BATCH)
    FollowUp.objects.bulk_create(
        [_follow_up(world, chance, one, text) for one, text in said if text], batch_size=BATCH
    )


def _follow_up(world: "World", chance: np.random.Generator, interaction: Interaction, text: str) -> FollowUp:
    """Steps promised in the last days are open: some due today, some late, some to come; older ones were done."""
    spoken = world.shop.business_date(interaction.occurred_at)
    due = spoken + timedelta(days=int(chance.integers(1, 15)))
    open_still = due >= world.today or ((world.today - due).days <= 12 and chance.random() < 0.5)
    if not open_still:
        closed = interaction.occurred_at + timedelta(days=max((due - spoken).days - 1, 0), hours=2)
    return FollowUp(
        customer=interaction.customer,
        interaction=interaction,
        text=text,
        due_on=_spread(world.today, due),
        assigned_to=interaction.staff,
        status=FollowUpStatus.OPEN if open_still else FollowUpStatus.DONE,
        closed_at=None if open_still else closed,
    )


def _spread(today: date, due: date) -> date:
    """What would be due tomorrow is due today: a morning always has something to do."""
    return today if due == today + timedelta(days=1) else due


# -- feedback ----------------------------------------------------------------------------------------------------


def _asked_weekly(world: "World", survey: Survey) -> None:
    """Every week those who bought in it, agreed to be asked and were not asked before."""
    for weeks in range(WEEKS, 0, -1):
        at = world.now - timedelta(weeks=weeks)
        bought = Purchase.objects.filter(
            customer=OuterRef("pk"), purchased_at__gte=at - timedelta(weeks=1), purchased_at__lt=at
        )
        asked = Invitation.objects.filter(customer=OuterRef("pk"))
        who = Customer.objects.consenting("survey").filter(Exists(bought), ~Exists(asked))
        source = f"weekly:{at:%G-W%V}"
        invitations.invite_many(survey=survey, customers=who, source=source, at=at)


def _answers(world: "World", survey: Survey) -> None:
    """A third answers, most within two days; whoever a campaign asked answers less often."""
    chance = world.chance(11)
    questions = {question.kind: question.pk for question in survey.questions.all()}
    told: list[tuple[Response, str]] = []
    for invitation in survey.invitations.select_related("survey", "customer").order_by("pk"):
        share = 0.36 if invitation.source.startswith("weekly") else 0.09
        at = invitation.invited_at + timedelta(minutes=5, days=float(chance.exponential(1.3)))
        willing = chance.random() < share
        score = int(chance.choice(11, p=SHARES))
        said = _words(chance, score)
        if not willing or at >= world.now:
            continue
        language = invitation.customer.language
        answers: dict[int, object] = {
            questions["nps"]: score,
            questions["rating"]: _rating(chance, score, said),
            questions["choice"]: story.OPTIONS[chance.integers(len(story.OPTIONS))],
            questions["text"]: said.texts[language] if said else "",
        }
        response = responses.submit(invitation=invitation, answers=answers, language=language, at=at)
        if said:
            told.append((response, said.theme))
    _tag(told)


def _words(chance: np.random.Generator, score: int) -> story.Said | None:
    fitting = [said for said in story.SAID if said.group == group(score)]
    said = fitting[chance.integers(len(fitting))]
    return said if chance.random() < 0.6 else None


def _rating(chance: np.random.Generator, score: int, said: story.Said | None) -> int:
    if said and said.theme == "Delivery time":
        return int(chance.integers(1, 3))
    return int(np.clip(round(score / 2 + chance.normal(0.3, 0.6)), 1, 5))


def _tag(told: list[tuple[Response, str]]) -> None:
    named = {name: themes.create_theme(name=name) for name in sorted({theme for _, theme in told})}
    link = Response.themes.through
    link.objects.bulk_create(
        [link(response_id=response.pk, theme_id=named[name].pk) for response, name in told]
    )


def _themes(world: "World") -> None:
    """What is being done about them; one is done and those who said it know."""
    staff = {user.username: user for user in world.staff}
    for plan in story.PLANS:
        theme = Theme.objects.filter(name=plan.theme).first()
        if theme is None:
            continue
        due = world.today + timedelta(days=plan.due_in)
        action = themes.plan_action(theme=theme, text=plan.text, due_on=due, owner=staff[plan.owner])
        if plan.done_ago is not None:
            themes.complete_action(action=action, at=world.now - timedelta(days=plan.done_ago))
        if plan.told:
            themes.mark_told(action=action)


def _cases(world: "World") -> None:
    """Most low scores of some days ago were looked after, the last ones are new."""
    chance, settled = world.chance(12), world.now - timedelta(days=6)
    changed = []
    for response in Response.objects.filter(score__lte=6, submitted_at__lt=settled).order_by("pk"):
        response.case_status = (CaseStatus.SOLVED, CaseStatus.IN_CONTACT, CaseStatus.CLOSED, CaseStatus.NEW)[
            chance.choice(4, p=[0.55, 0.25, 0.1, 0.1])
        ]
        if response.case_status != CaseStatus.NEW:
            response.case_owner = world.staff[chance.integers(len(world.staff))]
            changed.append(response)
    Response.objects.bulk_update(changed, ["case_status", "case_owner"], batch_size=BATCH)
