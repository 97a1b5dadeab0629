"""Compose the addresses of all rooms."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from config import health

handler400 = "config.problems.malformed"
handler403 = "config.problems.not_permitted"
handler404 = "config.problems.not_found"
handler500 = "config.problems.broken"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("health", health.view, name="health"),
    path("health/queues", health.of_queues, name="health-queues"),
    path("problems/", include("compliance.api_contract.pages")),
    path("log/<int:log_id>/", include("compliance.trail.tiles_api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/", include("config.api_urls")),
    path("admin/second-factor/", include("compliance.signin.pages")),
    path("sso/", include("compliance.signin.provider_urls")),
    path("admin/", admin.site.urls),
]
