"""The links in mails: pages for people without an account."""

from django.urls import path

from campaigns.views.public import unsubscribe

urlpatterns = [path("u/<str:token>/", unsubscribe, name="unsubscribe")]
