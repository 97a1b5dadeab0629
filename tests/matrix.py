"""Ask the API for every step of a kind of record, in every state, as everybody who may come.

What the tables allow must work; whatever else is asked must be refused with its own code, be on
record under the name of whoever asked, and leave nothing behind. The record of a state is made
once, every step is tried on it by everybody, and what was done is rolled back.

A device and whoever was shut out go the whole way, from the token or the session on. People are
signed in at the view that the address names (it is the edge: it answers and records), which
saves thousands of sessions; that sessions lead there is shown elsewhere.
"""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, connection, connections, transaction
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import ResolverMatch, resolve
from rest_framework.test import force_authenticate

from compliance.access import people
from compliance.access.authentication import AccountDeactivated
from compliance.access.authority import NotPermitted
from compliance.access.callers import PersonNeeded
from compliance.access.duties import Duty, Role
from compliance.access.models import Device, DeviceKind, User
from compliance.api_contract import versions
from compliance.trail import recording
from compliance.trail.models import Entry, Refusal
from compliance.trail.refusals import ALIAS
from tests import factories

BASE = "/api/v1/"
WITHOUT_ROLE, SHUT_OUT, DEVICE = "without a role", "deactivated", "device"
# What is written beside a refusal, outside of the transaction that was refused: the attempt to sign.
BESIDE = {"access_signin"}
_REQUESTS = RequestFactory()
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Asked:
    """One request: below `BASE`, with a JSON body unless it is text already."""

    path: str
    body: Mapping[str, object] | str = field(default_factory=dict)
    method: str = "POST"
    media_type: str = "application/json"

    @property
    def address(self) -> str:
        return BASE + self.path

    @property
    def act(self) -> str:
        """The act as a refusal of it names it."""
        return f"{self.method} {_match(self.address).route}"


@dataclass(frozen=True)
class Answer:
    """What came back: a problem where it was refused."""

    status: int
    body: Mapping[str, Any]
    tag: str = ""  # the version of what was read

    @property
    def code(self) -> str:
        """The code of the refusal, or what else it was."""
        if self.status < 400 or self.status >= 500:
            return f"{'done' if self.status < 400 else 'broken'} ({self.status}) {self.detail}"
        return str(self.body["type"]).rsplit("/", 1)[1]

    @property
    def detail(self) -> str:
        return str(self.body.get("detail", "")) if isinstance(self.body, Mapping) else ""


@lru_cache(maxsize=4096)
def _match(address: str) -> ResolverMatch:
    return resolve(address)


@dataclass(frozen=True)
class Caller:
    """A person or a device; with a client where it goes the whole way."""

    name: str
    actor: User | Device
    client: Client | None = None
    token: str = ""

    @property
    def is_device(self) -> bool:
        return isinstance(self.actor, Device)

    def send(self, asked: Asked, *, correlation: str) -> Answer:
        headers = {"X-Correlation-Id": correlation, "Idempotency-Key": correlation}
        if self.token:
            headers |= {"Authorization": f"Bearer {self.token}"}
        return self._sent(asked, headers)

    def _sent(self, asked: Asked, headers: Mapping[str, str]) -> Answer:
        body = asked.body if isinstance(asked.body, str) else json.dumps(asked.body)
        kind = {"content_type": asked.media_type, "headers": dict(headers)}
        if self.client is None:
            made = _REQUESTS.generic(asked.method, asked.address, body, **kind)
            return self._at_the_view(made, headers["X-Correlation-Id"])
        whole = self.client.generic(asked.method, asked.address, body, **kind)
        if whole.status_code >= 500:
            return Answer(whole.status_code, {})
        return Answer(whole.status_code, whole.json(), whole.headers.get("ETag", ""))

    def _at_the_view(self, request: HttpRequest, correlation: str) -> Answer:
        match = _match(request.path)
        request.resolver_match = match
        force_authenticate(request, self.actor)
        token = recording.source.set(f"api:{correlation}")
        try:
            answer = match.func(request, *match.args, **match.kwargs)
        except Exception as error:
            return Answer(500, {"detail": f"{type(error).__name__}: {error}"})
        finally:
            recording.source.reset(token)
        tag = answer.headers.get("ETag", "")
        return Answer(answer.status_code, getattr(answer, "data", {}), tag)


Crew = Mapping[str, Caller]
Rule = Callable[[str, StrEnum, Caller], str | None]


def _no_rule(state: str, step: StrEnum, caller: Caller) -> None:
    """Expect nothing but what the tables say."""


@dataclass(frozen=True)
class Kind:
    """One kind of record: what its tables allow, and how each step is asked for over the API.

    `duties` has for each step the duties of which one is needed. `first` and `otherwise` name the
    rules beside the tables, by the code that is expected: those before the duty is asked for (what
    the request names), and those after the state is (whose record it is). `prepare` does what a
    step needs of the record, for whoever is about to be allowed.
    """

    allowed: Mapping[str, frozenset[Any]]
    duties: Mapping[Any, frozenset[Duty]]
    made_in: Callable[[str, Crew], Any]
    ask: Mapping[Any, Callable[[Any, Caller], Asked]]
    refusal: Callable[[str, Any], str]
    prepare: Mapping[Any, Callable[[Any, Any], object]] = field(default_factory=dict)
    first: Rule = _no_rule
    otherwise: Rule = _no_rule
    for_devices: frozenset[Any] = frozenset()
    device: DeviceKind = DeviceKind.MES
    finds: frozenset[Any] = frozenset()  # steps that may look, and find nothing to write
    roles: Sequence[Role] = tuple(Role)
    also: Mapping[str, Role] = field(default_factory=dict)  # more people, by what they are to it


@dataclass
class Ran:
    """What came of it: how many requests, what was done, and what went otherwise than expected."""

    tried: int = 0
    done: set[tuple[str, Any]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def run(kind: Kind) -> Ran:
    """Try every step in every state as everybody.

    Which version of the record was seen is not asked for here: it is shown for every operation
    elsewhere, and would read the whole record again for each of many thousand attempts.
    """
    with patch.object(versions, "demand", lambda *_, **__: None):
        return _run(kind)


def _run(kind: Kind) -> Ran:
    ran, crew = Ran(), _crew(kind)
    for state in kind.allowed:
        with transaction.atomic():
            record = kind.made_in(state, crew)
            for step in kind.ask:
                with transaction.atomic():
                    _Attempt(kind, state, step, record, ran).by_everybody(crew)
                    transaction.set_rollback(True)
            transaction.set_rollback(True)
    return ran


def expected_done(kind: Kind) -> set[tuple[str, Any]]:
    """Return what somebody must have been able to do."""
    return {(state, step) for state, steps in kind.allowed.items() for step in steps}


# --- People and devices


def _crew(kind: Kind) -> Crew:
    roles: dict[str, tuple[Role, ...]] = {str(role): (role,) for role in kind.roles}
    roles |= {name: (role,) for name, role in kind.also.items()}
    roles[WITHOUT_ROLE] = ()
    crew = {name: Caller(name, factories.person(*held)) for name, held in roles.items()}
    crew[SHUT_OUT] = _shut_out()
    made, token = factories.device_and_token(kind.device)
    crew[DEVICE] = Caller(DEVICE, made, _client(), token)
    return crew


def _shut_out() -> Caller:
    """Return somebody whose session was open when the account was deactivated."""
    client, leaver = _client(), factories.person(Role.QUALITY_ASSURANCE)
    client.force_login(leaver)
    assert client.get(f"{BASE}session").status_code == 200
    people.deactivate(leaver, actor=factories.TEST, at=factories.NOON, reason="left the company")
    return Caller(SHUT_OUT, leaver, client)


def _client() -> Client:
    return Client(raise_request_exception=False)


# --- Attempts


@dataclass
class _Attempt:
    """One step on one record in one state."""

    kind: Kind
    state: str
    step: StrEnum
    record: Any
    ran: Ran

    def by_everybody(self, crew: Crew) -> None:
        before, outside_before = _newest("default"), _newest(ALIAS)
        refused: dict[str, tuple[Caller, Asked, str]] = {}
        for caller in crew.values():
            self.ran.tried += 1
            code = self._expected(caller)
            if code is None:
                self._done(caller)
                continue
            asked, correlation = self.kind.ask[self.step](self.record, caller), _correlation()
            answer = caller.send(asked, correlation=correlation)
            refused[f"api:{correlation}"] = (caller, asked, code)
            if answer.code != code:
                self._wrong(caller, f"expected {code}, got {answer.code}: {answer.detail}")
        if _newest("default") != before:
            self._wrong(None, "what was refused has left something behind")
        self._on_record(refused, since=outside_before)

    def _expected(self, caller: Caller) -> str | None:
        """Return the code of the refusal that is expected, or None when it is to be done."""
        kind, state, step = self.kind, self.state, self.step
        if caller.name == SHUT_OUT:
            return AccountDeactivated.code
        if caller.is_device and step not in kind.for_devices:
            return PersonNeeded.code
        if code := kind.first(state, step, caller):
            return code
        if not kind.duties[step] & caller.actor.duties:
            return NotPermitted.code
        if step not in kind.allowed[state]:
            return kind.refusal(state, step)
        return kind.otherwise(state, step, caller)

    def _done(self, caller: Caller) -> None:
        with transaction.atomic():
            if self.step in self.kind.prepare:
                fresh = type(self.record)._default_manager.get(pk=self.record.pk)
                self.kind.prepare[self.step](fresh, caller.actor)
            asked, before = self.kind.ask[self.step](self.record, caller), _newest("default")
            answer = caller.send(asked, correlation=_correlation())
            if answer.status not in (200, 201):
                self._wrong(caller, f"not done: {answer.code}: {answer.detail}")
            elif _newest("default") == before and self.step not in self.kind.finds:
                self._wrong(caller, "done, and nothing is on record")
            elif said := _objection_of_the_database():
                self._wrong(caller, f"done, and refused at the commit: {said}")
            else:
                self.ran.done.add((self.state, self.step))
            transaction.set_rollback(True)

    def _on_record(self, refused: Mapping[str, tuple[Caller, Asked, str]], *, since: int) -> None:
        """Compare the refusals that are kept, and their entries, with what was asked."""
        entries = Entry.objects.using(ALIAS).filter(entry_id__gt=since)
        written = list(entries.values_list("record", "record_id", "source", "action", "reason"))
        of_refusals = {one[1]: one for one in written if one[0] == "trail_refusal"}
        kept = list(Refusal.objects.using(ALIAS).filter(pk__in=map(int, of_refusals)))
        if sorted(one.source for one in kept) != sorted(refused):
            missing = {refused[one][0].name for one in set(refused) - {one.source for one in kept}}
            self._wrong(None, f"{len(kept)} of {len(refused)} on record; not of {missing}")
        for one in kept:
            if one.source not in refused:
                continue
            caller, asked, code = refused[one.source]
            identity = caller.actor.trail_identity()
            found = (one.code, one.action, one.subject, one.actor, one.actor_id, one.role)
            said = (code, asked.act, asked.address, identity.name, identity.id, identity.role)
            if found != said:
                self._wrong(caller, f"on record as {found}")
            if of_refusals[str(one.pk)][2:] != (one.source, "trail.act-refused", code):
                self._wrong(caller, f"its entry says {of_refusals[str(one.pk)]}")
        if others := {one[0] for one in written} - BESIDE - {"trail_refusal"}:
            self._wrong(None, f"written outside as well: {others}")

    def _wrong(self, caller: Caller | None, said: str) -> None:
        who = "everybody" if caller is None else caller.name
        self.ran.wrong.append(f"{self.state}: {self.step}, by {who}: {said}")


def _correlation() -> str:
    return f"matrix-{next(_numbers)}"


def _newest(alias: str) -> int:
    """Return the id of the newest entry that a connection sees: whatever is changed has a newer one."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT coalesce(max(entry_id), 0) FROM audit.entry")
        return int(cursor.fetchone()[0])


def _objection_of_the_database() -> str:
    """Let the guards that wait for the commit have their say now; after a no, only roll back.

    In the caller's own savepoint: PostgreSQL would not take back what a released one has set.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except DatabaseError as error:
        return str(error)
    return ""
