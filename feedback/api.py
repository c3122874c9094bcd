"""What customers answered."""

from django.db.models import Prefetch, QuerySet
from django.urls import path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.common.api_shapes import Instant, Shape, query
from feedback.choices import CaseStatus
from feedback.models import Answer, Survey
from feedback.models import Response as Answered

LARGEST_ID = 2**63 - 1


class AnswerOut(serializers.Serializer):
    question = serializers.CharField(source="question.texts.en", help_text=_("In English."))
    kind = serializers.CharField(source="question.kind")
    number = serializers.IntegerField(allow_null=True)
    text = serializers.CharField(allow_blank=True)


class ResponseOut(serializers.Serializer):
    id = serializers.IntegerField()
    survey = serializers.IntegerField(source="survey_id")
    survey_name = serializers.CharField(source="survey.name")
    customer = serializers.UUIDField(source="customer.public_id")
    score = serializers.IntegerField(allow_null=True)
    comment = serializers.CharField(allow_blank=True)
    language = serializers.CharField(allow_blank=True)
    submitted_at = Instant()
    case_status = serializers.ChoiceField(CaseStatus.choices)
    answers = AnswerOut(many=True)


class ResponseFilter(Shape):
    survey = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    customer = serializers.UUIDField(required=False)
    since = Instant(required=False)
    max_score = serializers.IntegerField(min_value=0, max_value=10, required=False)


class Responses(generics.ListAPIView):
    """Answers to surveys, last ones first."""

    permission_model = Answered
    serializer_class = ResponseOut

    def get_queryset(self) -> QuerySet[Answered]:
        asked = query(ResponseFilter, self.request)
        lookups = {
            "survey": "survey_id",
            "customer": "customer__public_id",
            "since": "submitted_at__gte",
            "max_score": "score__lte",
        }
        answers = Answer.objects.select_related("question").order_by("question__position")
        return (
            Answered.objects.filter(**{lookups[name]: value for name, value in asked.items()})
            .select_related("survey", "customer")
            .prefetch_related(Prefetch("answers", queryset=answers))
        )

    @extend_schema(operation_id="responses_list", parameters=[ResponseFilter])
    def get(self, request: Request) -> Response:
        return self.list(request)


class SurveyOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.CharField()
    created_at = Instant()


class Surveys(generics.ListAPIView):
    """Surveys, newest first."""

    permission_model = Survey
    serializer_class = SurveyOut

    def get_queryset(self) -> QuerySet[Survey]:
        return Survey.objects.all()

    @extend_schema(operation_id="surveys_list")
    def get(self, request: Request) -> Response:
        return self.list(request)


urlpatterns = [
    path("responses/", Responses.as_view(), name="api-responses"),
    path("surveys/", Surveys.as_view(), name="api-surveys"),
]
