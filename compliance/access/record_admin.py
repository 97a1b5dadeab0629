"""Show controlled records in the admin, read-only, with the acts that people may do there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import DatabaseError, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from compliance.access import acts, form_tokens, history, page_parts
from compliance.access.acts import Act, Done, Occasion
from compliance.access.form_tokens import ChangedMeanwhile, FormToken, SentBefore
from compliance.access.models import User
from compliance.access.page_parts import Facts, Page, Section
from compliance.refusals import Refused, Unavailable
from compliance.trail import capture, refusals, timeline_pages
from compliance.trail.query_form import QueryForm

SectionMaker = Callable[[Any, HttpRequest], Section | None]
PictureMaker = Callable[[Any, str], bytes | None]
_sections: dict[type[models.Model], list[tuple[int, SectionMaker]]] = {}
_pictures: dict[tuple[type[models.Model], str], PictureMaker] = {}

# An SVG opened by itself may style itself and do nothing else.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def section(model: type[models.Model], *, order: int) -> Callable[[SectionMaker], SectionMaker]:
    """Add a section to the pages of a model; a higher room may add to a lower room's pages."""

    def add(maker: SectionMaker) -> SectionMaker:
        _sections.setdefault(model, []).append((order, maker))
        return maker

    return add


def picture(model: type[models.Model], name: str) -> Callable[[PictureMaker], PictureMaker]:
    """Add a drawing to the pages of a model: a function from the record and a key to SVG."""

    def add(maker: PictureMaker) -> PictureMaker:
        _pictures[model, name] = maker
        return maker

    return add


def url(record: models.Model) -> str:
    """Return the address of a record's page."""
    meta = record._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(record.pk)])


def list_url(model: type[models.Model]) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def picture_url(record: models.Model, name: str, key: str = "all") -> str:
    return f"{url(record).removesuffix('change/')}pictures/{name}/{quote(key)}.svg"


def link(record: models.Model | None) -> str:
    """Return a link to a record's page, or nothing for no record."""
    return "" if record is None else page_parts.link(str(record), url(record))


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists and pages without a way to save: what changes a record is an act."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None
    badges: Sequence[str] = ()
    empty_text = "Nothing is recorded here yet."
    pages: Sequence[
        tuple[str, str]
    ] = ()  # further pages of the list: label and last step of the URL

    # --- Permissions: everybody with a role reads, nobody saves

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # --- Lists

    def get_list_display(self, request: HttpRequest) -> Any:
        # Made once: Django compares columns by identity.
        made: dict[Any, Any] = vars(self).setdefault("_columns", {})
        return [made.setdefault(name, self._column(name)) for name in self.list_display]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "acts": [
                (act.label, f"{list_url(self.model)}acts/{act.name}/", act.is_grave)
                for act in acts.of(self.model, is_for_list=True)
                if act.duty in _person(request).duties
            ],
            "pages": [(label, f"{list_url(self.model)}{step}/") for label, step in self.pages],
            "empty_text": self.empty_text,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _column(self, name: Any) -> Any:
        """Show moments with their zone and states with their tone."""
        if not isinstance(name, str) or hasattr(self, name):
            return name
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return name
        made: Callable[[Any], object]
        if isinstance(field, models.DateTimeField):
            made = lambda record: page_parts.moment(getattr(record, name)) or "-"  # noqa: E731
        elif isinstance(field, models.DateField):
            made = lambda record: page_parts.day(getattr(record, name)) or "-"  # noqa: E731
        elif name in self.badges:
            made = lambda record: self.toned(record, name)  # noqa: E731
        else:
            return name
        made.__name__ = name  # of which Django makes the class of the column's cells
        return admin.display(description=str(field.verbose_name), ordering=name)(made)

    @staticmethod
    def toned(record: models.Model, name: str = "state") -> str:
        """Write one choice of a record with its label and tone."""
        value = getattr(record, name)
        label = getattr(record, f"get_{name}_display")()
        return page_parts.state(value, label) if value else ""

    # --- Pages

    def page(self, record: Any, request: HttpRequest) -> Page:
        """Return what the page shows; by default every field."""
        pairs = [
            (str(field.verbose_name).capitalize(), page_parts.shown(getattr(record, field.name)))
            for field in self.model._meta.fields
        ]
        return Page(title=str(record), sections=[Section("Record", [Facts(pairs)])])

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        record = self._record(request, object_id)
        shown = self.page(record, request)
        made = (maker(record, request) for _, maker in self._makers())
        sections = [*shown.sections, *(one for one in made if one is not None)]
        sections += [Section("History", history.parts(record), anchor="history")]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": shown.title,
            "page": shown,
            "sections": sections,
            "timeline_url": self._timeline_url(record),
            "evidence_url": shown.evidence_url,
            "acts": [
                (act.label, f"{_base(record)}acts/{act.name}/", act.is_grave)
                for act in acts.of(self.model, is_for_list=False)
                if act.duty in _person(request).duties and act.is_offered(record)
            ],
        }
        return TemplateResponse(request, "admin/record.html", context)

    def plain_page(
        self, request: HttpRequest, title: str, sections: Sequence[Section]
    ) -> HttpResponse:
        """Show a page that is about no single record; whoever may see the list may see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        QueryForm.demand(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "sections": sections,
        }
        return TemplateResponse(request, "admin/sections.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        return HttpResponseRedirect(f"{url(self._record(request, object_id))}#history")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("acts/<slug:name>/", view(self.act_view), {"object_id": None}),
            path("<path:object_id>/acts/<slug:name>/", view(self.act_view)),
            path("<path:object_id>/pictures/<slug:name>/<str:key>.svg", view(self.picture_view)),
        ]
        return [*own, *super().get_urls()]

    def picture_view(
        self, request: HttpRequest, object_id: str, name: str, key: str
    ) -> HttpResponse:
        record = self._record(request, object_id)
        maker = _pictures.get((self.model, name))
        drawn = maker(record, unquote(key)) if maker else None
        if drawn is None:
            raise Http404("there is no such picture")
        response = HttpResponse(drawn, content_type="image/svg+xml")
        response["Content-Security-Policy"] = PICTURE_POLICY
        return response

    def act_view(self, request: HttpRequest, object_id: str | None, name: str) -> HttpResponse:
        """Show an act's form, and do the act when it is sent."""
        act = acts.named(self.model, name, is_for_list=object_id is None)
        if act is None:
            raise Http404("there is no such act")
        record = None if object_id is None else self._record(request, object_id)
        person = _person(request)
        if act.duty not in person.duties:
            raise PermissionDenied
        if request.method != "POST":
            return self._form_page(request, act, record, act.bound(record))
        form = act.bound(record, request.POST, request.FILES)
        token = form_tokens.read(request.POST.get(form_tokens.FIELD, ""))
        if not form.is_valid():
            return self._form_page(request, act, record, form, status=422, seen=token)
        occasion = Occasion(
            record=record,
            values=form.cleaned_data,
            actor=person,
            at=timezone.now(),
            address=str(request.META.get("REMOTE_ADDR", "")),
        )
        try:
            done = _once(act, occasion, form, token)
        except SentBefore as sent:
            self.message_user(request, str(sent), messages.WARNING)
            return HttpResponseRedirect(list_url(self.model) if record is None else url(record))
        except Refused as refused:
            if isinstance(refused, ChangedMeanwhile):
                token = None  # the form is shown again beside what the record has now
            refusals.record(
                refused,
                action=f"{self.opts.model_name}.{act.name}",
                actor=person,
                at=occasion.at,
                subject=str(self.model._meta.db_table if record is None else record),
            )
            form.add_error(None, str(refused))
            return self._form_page(request, act, record, form, status=refused.status, seen=token)
        except Unavailable as unavailable:
            form.add_error(None, f"Not now: {unavailable}. Send it again in a moment.")
            return self._form_page(request, act, record, form, status=503, seen=token)
        return self._answer(request, act, record, done)

    # --- Parts of the above

    def _answer(self, request: HttpRequest, act: Act, record: Any, done: Done) -> HttpResponse:
        target = done.record or record
        address = url(target) if target is not None else list_url(self.model)
        if done.secret:
            context = {
                **self._act_context(request, act, record),
                "done": done,
                "next_url": address,
            }
            return TemplateResponse(request, "admin/secret.html", context)
        self.message_user(request, done.message, messages.SUCCESS)
        return HttpResponseRedirect(address)

    def _form_page(
        self, request: HttpRequest, act: Act, record: Any, form: Any, *, status: int = 200,
        seen: FormToken | None = None,
    ) -> HttpResponse:  # fmt: skip
        token = form_tokens.issued(form, is_replacing=act.is_replacing)
        if seen is not None:  # corrected and sent again, it is about what was seen first
            token = replace(token, seen=seen.seen)
        context = {
            **self._act_context(request, act, record),
            "form": form,
            "form_token": token.text(),
        }
        return TemplateResponse(request, "admin/act.html", context, status=status)

    def _act_context(self, request: HttpRequest, act: Act, record: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.label,
            "act": act,
            "record": record,
            "back_url": list_url(self.model) if record is None else url(record),
        }

    def _record(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = self.get_object(request, unquote(object_id))
        if record is None:
            raise Http404(f"there is no {self.opts.verbose_name} with this number")
        return record

    def _timeline_url(self, record: models.Model) -> str:
        """Return where the trail shows a record; a line that a view composes has no entries there."""
        if not self.model._meta.managed:
            return ""
        return timeline_pages.record_url(capture.record_of(self.model), str(record.pk))

    def _makers(self) -> list[tuple[int, SectionMaker]]:
        return sorted(_sections.get(self.model, []), key=lambda made: made[0])


def _once(act: Act, occasion: Occasion, form: Any, token: FormToken | None) -> Done:
    """Do an act unless its form was sent before; a form that did nothing may be sent again."""
    if token is None:
        return _done(act, occasion)
    form_tokens.demand_current(token, form)
    form_tokens.take(token, at=occasion.at)
    try:
        return _done(act, occasion)
    except Exception:
        form_tokens.give_back(token)
        raise


def _done(act: Act, occasion: Occasion) -> Done:
    """Do an act; what only the database refuses is told on the form as any refusal is."""
    try:
        return act.call(occasion)
    except DatabaseError as error:
        refused = refusals.of_database(error)
        if refused is None:
            raise
        raise refused from error


def _base(record: models.Model) -> str:
    return url(record).removesuffix("change/")


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
