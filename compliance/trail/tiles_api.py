"""Serve a log to outsiders as static resources: checkpoint, tiles, entries (C2SP tlog-tiles)."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.cache import patch_vary_headers
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from compliance.trail import published, stored_tiles, trust
from compliance.trail.stored_tiles import NotStored
from compliance.trail.tlog.tile_paths import PathInvalid, Tile

READ = "trail.view_entry"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def readers_only(view: View[P]) -> View[P]:
    """Let anybody read where the operator made the log public, else who may see entries."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if settings.LOG_PUBLIC:
            return view(request, *args, **kwargs)
        if not (request.user.is_authenticated and request.user.has_perm(READ)):
            return _said(403, "this log is not public: sign in as somebody who may see entries")
        answer = view(request, *args, **kwargs)
        patch_vary_headers(answer, ["Cookie"])
        return answer

    return cast(View[P], guarded)


@require_safe
@readers_only
def checkpoint(request: HttpRequest, log_id: int) -> HttpResponse:
    """Answer with the newest checkpoint and its cosignatures; it changes, so nobody keeps it."""
    with connection.cursor() as cursor:
        found = published.shown(cursor, log_id, trust.policy())
    if found is None:
        return _said(404, "nothing is signed yet")
    return HttpResponse(
        found.cosigned,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


@require_safe
@gzip_page  # entry bundles SHOULD be compressed at the HTTP layer
@readers_only
def tile(request: HttpRequest, log_id: int, tile_path: str) -> HttpResponse:
    """Answer with a tile or an entry bundle of the published tree; these never change."""
    try:
        asked = Tile.parse(f"tile/{tile_path}")
        with connection.cursor() as cursor:
            found = published.shown(cursor, log_id, trust.policy())
            if found is None or not asked.is_within(found.size):
                raise NotStored(asked.path)
            read = stored_tiles.entries if asked.is_entries else stored_tiles.hashes
            content = read(cursor, log_id, asked)
    except (PathInvalid, NotStored):
        return _said(404, "the published tree has no such tile")
    scope = "public" if settings.LOG_PUBLIC else "private"
    return HttpResponse(
        content,
        content_type="application/octet-stream",
        headers={"Cache-Control": f"{scope}, max-age=31536000, immutable"},
    )


def _said(status: int, text: str) -> HttpResponse:
    return HttpResponse(
        text + "\n",
        status=status,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},  # what is not there now will be
    )


urlpatterns = [
    path("checkpoint", checkpoint, name="log-checkpoint"),
    path("tile/<path:tile_path>", tile, name="log-tile"),
]
