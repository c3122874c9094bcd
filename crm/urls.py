"""Every address of the site: the staff's pages under /admin/, the API, and what strangers may open."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from crm import health, metrics
from crm.common.api import Nowhere
from crm.pages import errors

API: list[URLPattern | URLResolver] = [
    path("", include("customers.api")),
    path("", include("feedback.api")),
    path("", include("ltv.api")),
    path("", include("campaigns.api")),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "docs/",
        admin.site.admin_view(SpectacularSwaggerSplitView.as_view(url_name="api-schema")),
        name="api-docs",
    ),
    re_path("", Nowhere.as_view()),  # the API's own 404
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", include("crm.pages.urls")),
    path("admin/imports/", include("customers.views.imports")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(API)),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("feedback.views")),
    path("", include("campaigns.views")),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken
