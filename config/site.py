"""Django's own admin site, with the product's name, sign-in and front page."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import get_script_prefix, path, reverse
from django.utils import timezone
from django.utils.translation import get_language

# As work flows through a plant; what is not named here follows by name.
ROOMS = (
    "execution", "predictions", "explanations", "advice", "bulk", "quality", "disposition",
    "laboratory", "assets", "recipes", "inspection", "reports", "signatures", "retention",
    "configuration", "trail", "hub", "exchange", "access", "django_celery_beat",
)  # fmt: skip
OPEN_TO_NEWCOMERS = ("password_change", "logout", "jsi18n")


class ProductAdminConfig(AdminConfig):
    default_site = "config.site.ProductAdminSite"

    def ready(self) -> None:
        super().ready()  # finds every admin.py, the scheduler's own among them
        from config import schedule_admin

        schedule_admin.take_over()
        # Roles take the place of Django's groups.
        from django.contrib import admin
        from django.contrib.auth.models import Group

        admin.site.unregister(Group)
        # Identities are linked as controlled records; what the library would keep is unused.
        for model in list(admin.site._registry):
            if model._meta.app_label in {"account", "socialaccount"}:
                admin.site.unregister(model)


class ProductAdminSite(AdminSite):
    """The pages of people: signed in by role, each sign-out on record."""

    site_header = "GMP twin"
    site_title = "GMP twin"
    index_title = "Plant"
    site_url = None  # there is no other site to view
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")  # nothing regulated is deleted
        self._app_lists: dict[tuple[object, ...], list[Any]] = {}

    @property
    def login_form(self) -> Any:  # type: ignore[override]
        from compliance.access.forms import SignInForm

        return SignInForm

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Lead whoever signs in first to the statement that binds every signature."""
        from compliance.access.models import User
        from compliance.signatures import first_signing
        from compliance.signin import providers

        ways = {"elsewhere": providers.addresses(), **(extra_context or {})}
        answer = super().login(request, ways)
        if answer.status_code == HTTPStatus.FOUND and isinstance(request.user, User):
            return HttpResponseRedirect(first_signing.address(request.user) or answer["Location"])
        return answer

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Let nobody work with a password that somebody else chose."""
        from config import list_queries

        inner: Callable[..., HttpResponse]
        inner = super().admin_view(list_queries.told(view), cacheable)

        def demand_own_password(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if getattr(request.user, "must_change_password", False) and request.path not in {
                reverse(f"admin:{name}") for name in OPEN_TO_NEWCOMERS
            }:
                return HttpResponseRedirect(reverse("admin:password_change"))
            return inner(request, *args, **kwargs)

        return demand_own_password

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        context["site_name"] = settings.SITE_NAME
        return context

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the rooms that a person may see, in the order of work.

        Made once for all who have the same roles: its hundreds of addresses took a quarter of a page.
        """
        roles = request.user.roles if request.user.is_staff else None
        key = (app_label, roles, get_script_prefix(), get_language())
        if key not in self._app_lists:
            order = {label: position for position, label in enumerate(ROOMS)}
            found = super().get_app_list(request, app_label)
            found.sort(key=lambda app: order.get(app["app_label"], len(order)))
            self._app_lists[key] = found
        return self._app_lists[key]

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show what needs attention first."""
        from config import overview

        return super().index(
            request, {"overview": overview.of_plant(at=timezone.now()), **(extra_context or {})}
        )

    def get_urls(self) -> Any:
        own = path("queues/", self.admin_view(self.queues), name="queues")
        return [own, *super().get_urls()]

    def queues(self, request: HttpRequest) -> HttpResponse:
        """Show how the queues stand."""
        from config import queue_pages

        return queue_pages.view(request, self.each_context(request))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        from config import own_password

        return own_password.view(request, self.each_context(request))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        from compliance.access import credentials, middleware
        from compliance.access.models import User

        if request.method == "POST" and isinstance(request.user, User):
            middleware.signed_out(request)
            credentials.signed_out(
                request.user, address=str(request.META.get("REMOTE_ADDR", "")), at=timezone.now()
            )
        return super().logout(request, extra_context)

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Give none: the trail is the only log of what was done."""
        return []
