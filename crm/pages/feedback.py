"""Surveys with their scores, the answers, and the themes with what was done about them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.common.models import User
from crm.pages.paging import by_key
from crm.pages.shell import StaffRequest, action, attempt, done, form_page, page, refusals, render
from crm.templatetags.crm import month
from customers.choices import Language
from feedback import reports
from feedback.choices import QuestionKind, SurveyKind, SurveyStatus
from feedback.models import Action, Invitation, Response, Survey, Theme
from feedback.services import surveys as survey_services
from feedback.services import themes as theme_services

TREND_DAYS = 400


@page("feedback.view_survey")
def surveys(request: StaffRequest) -> HttpResponse:
    invited = Invitation.objects.filter(survey=OuterRef("pk")).order_by().values("survey")
    answered = Response.objects.filter(survey=OuterRef("pk")).order_by().values("survey")
    rows = Survey.objects.annotate(
        invited=Subquery(invited.annotate(n=Count("pk")).values("n")),
        answered=Subquery(answered.annotate(n=Count("pk")).values("n")),
    )
    since = timezone.now() - timedelta(days=TREND_DAYS)
    months = reports.nps_by_month(since=since)
    return render(
        request,
        "crm/surveys.html",
        title=_("Surveys"),
        pages=by_key(request, rows),
        nps=reports.nps(),
        months=months,
        trend=_trend(months),
    )


def _trend(months: list[reports.MonthlyNps]) -> dict[str, Any]:
    """The score by month with its 95 % interval as a band."""
    return {
        "type": "line",
        "min": -100,
        "max": 100,
        "labels": [month(one.month) for one in months],
        "datasets": [
            {
                "label": "high",
                "data": [one.high for one in months],
                "hidden_line": True,
                "band": True,
                "fill": 1,
            },
            {"label": "low", "data": [one.low for one in months], "hidden_line": True},
            {"label": _("Net promoter score"), "data": [one.score for one in months], "points": 3},
        ],
        "no_legend": True,
    }


@page("feedback.view_survey", "feedback.view_response")
def survey(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Survey, pk=pk)
    months = reports.nps_by_month(one, since=timezone.now() - timedelta(days=TREND_DAYS))
    answers = Response.objects.filter(survey=one).select_related("customer").prefetch_related("themes")
    return render(
        request,
        "crm/survey.html",
        title=one.name,
        survey=one,
        questions=list(one.questions.all()),
        nps=reports.nps(one),
        months=months,
        trend=_trend(months),
        spread=_spread(one),
        pages=by_key(request, answers, size=30),
    )


def _spread(one: Survey) -> dict[str, Any]:
    """How many gave each score from 0 to 10."""
    counted = Response.objects.filter(survey=one, score__isnull=False).order_by().values("score")
    found = dict(counted.annotate(n=Count("pk")).values_list("score", "n"))
    colours = ["--mc-4"] * 7 + ["--mc-2"] * 2 + ["--mc-1"] * 2
    return {
        "type": "bar",
        "labels": [str(score) for score in range(11)],
        "datasets": [
            {"label": _("Answers"), "data": [found.get(score, 0) for score in range(11)], "colours": colours}
        ],
    }


class SurveyForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=SurveyKind)
    valid_days = forms.IntegerField(
        label=gettext_lazy("Open for answers, days"), min_value=1, max_value=365, initial=60
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        start = {"en": _SCORE["en"], "ko": _SCORE["ko"], "ja": _SCORE["ja"]}
        for code, label in Language.choices:
            first = _("Question from 0 to 10, in %(label)s") % {"label": label}
            second = _("Question answered in words, in %(label)s") % {"label": label}
            self.fields[f"score.{code}"] = forms.CharField(
                label=first, max_length=300, required=code == "en", initial=start[code]
            )
            self.fields[f"words.{code}"] = forms.CharField(
                label=second, max_length=300, required=code == "en", initial=_WORDS[code]
            )

    def by_language(self) -> list[tuple[Any, Any]]:
        """The two questions of each language, for the template."""
        return [(self[f"score.{code}"], self[f"words.{code}"]) for code in Language.values]

    def questions(self) -> list[dict[str, Any]]:
        given = self.cleaned_data
        return [
            {"kind": kind, "texts": {code: given[f"{part}.{code}"] for code in Language.values if given[f"{part}.{code}"]},
             "required": kind == QuestionKind.NPS}
            for part, kind in (("score", QuestionKind.NPS), ("words", QuestionKind.TEXT))
        ]  # fmt: skip


# What customers read, in their language: content, not the staff's interface.
_SCORE = {
    "en": "How likely are you to recommend us to a friend?",
    "ko": "저희를 친구나 지인에게 추천하실 의향이 얼마나 되시나요?",
    "ja": "私たちを友人や知人にすすめる可能性はどのくらいですか？",
}
_WORDS = {
    "en": "What is the main reason for your score?",
    "ko": "그 점수를 주신 가장 큰 이유는 무엇인가요?",
    "ja": "その点数をつけた一番の理由を教えてください。",
}


@form_page("feedback.view_survey", "feedback.add_survey")
def new_survey(request: StaffRequest) -> HttpResponse:
    form = SurveyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("name", "kind", "valid_days")}
        made = attempt(form, lambda: survey_services.create_survey(**given, questions=form.questions()))
        if made is not None:
            messages.success(request, _("Draft saved. Open it to let customers answer."))
            return redirect("crm:survey", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "crm/survey_form.html", title=_("New survey"), status=status, form=form)


@action("feedback.change_survey")
def move_survey(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Survey, pk=pk)
    with refusals(request):
        if request.POST.get("to") == SurveyStatus.OPEN:
            survey_services.open_survey(survey=one)
            messages.success(request, _("Customers can answer now."))
        else:
            survey_services.close_survey(survey=one)
            messages.success(request, _("Closed. Its figures are final."))
    return redirect("crm:survey", pk)


# -- themes and actions --------------------------------------------------------------------------------------


class ThemeForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("What customers say"), max_length=120)


class ActionForm(forms.Form):
    text = forms.CharField(label=gettext_lazy("What we will do"), max_length=240)
    due_on = forms.DateField(label=gettext_lazy("By"), widget=forms.DateInput(attrs={"type": "date"}))
    owner = forms.ModelChoiceField(
        label=gettext_lazy("Who"),
        queryset=User.objects.filter(is_active=True, is_staff=True),
        required=False,
        empty_label=gettext_lazy("Nobody yet"),
    )


@form_page("feedback.view_theme")
def themes(request: StaffRequest) -> HttpResponse:
    form = ThemeForm(request.POST or None)
    if request.method == "POST":
        if not request.user.has_perm("feedback.add_theme"):
            raise PermissionDenied
        if done(form, lambda: theme_services.create_theme(**form.cleaned_data)):
            return redirect("crm:themes")
    actions = Action.objects.select_related("theme", "owner").order_by("due_on", "pk")
    return render(
        request,
        "crm/themes.html",
        title=_("You said, we did"),
        status=422 if form.is_bound else 200,
        form=form,
        themes=reports.themes(),
        actions=list(actions[:100]),
        today=timezone.localdate(),
    )


@form_page("feedback.view_theme", "feedback.view_response")
def theme(request: StaffRequest, pk: int) -> HttpResponse:
    one, form = get_object_or_404(Theme, pk=pk), ActionForm(request.POST or None)
    if request.method == "POST":
        if not request.user.has_perm("feedback.add_action"):
            raise PermissionDenied
        if done(form, lambda: theme_services.plan_action(theme=one, **form.cleaned_data)):
            messages.success(request, _("Planned."))
            return redirect("crm:theme", pk)
    said = Response.objects.filter(themes=one).select_related("customer", "survey")
    return render(
        request,
        "crm/theme.html",
        title=one.name,
        status=422 if form.is_bound else 200,
        theme=one,
        form=form,
        actions=list(one.actions.select_related("owner")),
        pages=by_key(request, said, size=30),
    )


@action("feedback.change_action")
def move_action(request: StaffRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Action, pk=pk)
    steps = {
        "done": lambda: theme_services.complete_action(action=one, at=timezone.now()),
        "told": lambda: theme_services.mark_told(action=one),
        "dropped": lambda: theme_services.drop_action(action=one),
    }
    step = steps.get(request.POST.get("to", ""))
    if step is not None:
        with refusals(request):
            step()
            messages.success(request, _("Saved."))
    return redirect("crm:theme", one.theme_id)
