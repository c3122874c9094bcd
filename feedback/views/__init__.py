from django.urls import path

from feedback.views import public

urlpatterns = [
    path("s/<str:token>/", public.answer, name="survey"),
    path("s/<str:token>/thanks/", public.thanks, name="survey_thanks"),
]
