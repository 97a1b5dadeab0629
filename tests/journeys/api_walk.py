"""One batch from recipe to certification, by thirteen people and a historian, over the API only."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.journeys import plan, records
from tests.journeys.records import Left
from tests.journeys.site import Caller, Person

ONE = f"batches/{plan.BATCH}"


@dataclass
class Walk:
    """Who is signed in, and what was found on the way."""

    url: str
    person: type[Person] = Person  # how people call, and how machines do
    machine: type[Caller] = Caller
    people: dict[str, Person] = field(default_factory=dict)
    historian: Caller | None = None

    def close(self) -> None:
        for caller in (*self.people.values(), self.historian):
            if caller is not None:
                caller.close()

    def __getattr__(self, name: str) -> Person:
        """Return a person: `walk.q_first` is who signs in as q.first."""
        try:
            return self.people[name.replace("_", ".")]
        except KeyError as error:
            raise AttributeError(name) from error


def walk(
    url: str, first_password: str, *, person: type[Person] = Person, machine: type[Caller] = Caller
) -> Left:
    """Walk the whole way; every step is a request of the person who may make it."""
    made = Walk(url, person, machine)
    try:
        accounts(made, first_password)
        for step in STEPS:
            step(made)
        return records.read(made.q_second)
    finally:
        made.close()


def accounts(walk: Walk, first_password: str) -> None:
    """The administrator makes everybody; quality sees who they are; everybody acknowledges."""
    root = walk.person(walk.url, plan.ADMINISTRATOR, first_password)
    root.choose_password(first_password)
    walk.people[plan.ADMINISTRATOR] = root
    for username, (full_name, role) in plan.PEOPLE.items():
        root.post("access/people", {
            "username": username, "full_name": full_name, "password": plan.FIRST,
            "roles": [role], "reason": plan.REASON,
        })  # fmt: skip
        walk.people[username] = walk.person(walk.url, username, plan.FIRST)
        walk.people[username].choose_password(plan.FIRST)
    for username in plan.PEOPLE:
        prover = walk.q_second if username == "q.first" else walk.q_first
        proof = {**plan.PROOF, "proven_at": plan.now()}
        prover.post(f"access/people/{username}/identity-proofs", proof)
    for username in plan.PEOPLE:
        person = walk.people[username]
        version = person.get("accountability")["statement"]["version"]
        person.sign("accountability", version=version)
    device = root.post("access/devices", {**plan.DEVICE, "reason": plan.REASON})
    walk.q_first.post(
        f"access/devices/{plan.DEVICE['name']}/qualification",
        {"bound_to": plan.DEVICE["bound_to"], "reason": plan.REASON},
    )
    walk.historian = walk.machine(walk.url, Authorization=f"Bearer {device['token']}")


def training(walk: Walk) -> None:
    for code, (title, trained) in plan.PROCEDURES.items():
        walk.q_first.post("access/procedures", {"code": code, "title": title})
        version = {**plan.PROCEDURE_VERSION, "effective_from": plan.now()}
        walk.q_first.post(f"access/procedures/{code}/versions", version)
        for username in trained:
            walk.q_first.post("access/trainings", {
                **plan.TRAINING, "person": username, "procedure": code, "version": 1,
                "trained_at": plan.now(),
            })  # fmt: skip


def materials(walk: Walk) -> None:
    """Materials, an approved supplier, and lots that quality released."""
    walk.e_author.post("products", plan.PRODUCT)
    walk.q_first.post("suppliers", plan.SUPPLIER)
    for material in plan.MATERIALS:
        walk.e_author.post("materials", material)
        walk.q_first.post(
            f"suppliers/{plan.SUPPLIER['code']}/approvals",
            {**plan.APPROVAL, "material": material["code"], "valid_from": plan.today()},
        )
    for lot in plan.LOTS:
        walk.w_store.post("material-lots", {
            **lot, "supplier": plan.SUPPLIER["code"], "received_at": plan.now(),
            "expires_on": plan.in_a_year(),
        })  # fmt: skip
        walk.q_first.sign(
            f"material-lots/{lot['number']}/decisions", outcome="released", reason=plan.REASON
        )
        assert walk.w_store.get(f"material-lots/{lot['number']}")["objections"] == []


def equipment(walk: Walk) -> None:
    """Each piece is qualified, calibrated and cleaned as it needs it, by one and by another."""
    for said in plan.EQUIPMENT:
        one = f"equipment/{said['code']}"
        walk.m_tech.post("equipment", said)
        for stage in said["needed_stages"]:
            report = {**plan.STAGE, "stage": stage, "performed_on": plan.today()}
            made = walk.m_tech.post(f"{one}/qualifications", report)
            walk.q_first.sign(f"{one}/qualifications/{made['id']}/approval")
        walk.q_first.sign(f"{one}/declaration", reason=plan.REASON)
        if "calibration_interval_days" in said:
            measured = {**plan.CALIBRATION, "performed_at": plan.now()}
            made = walk.m_tech.post(f"{one}/calibrations", measured)
            checked = {"reason": plan.REASON}
            walk.q_first.post(f"{one}/calibrations/{made['id']}/verification", checked)
        if said.get("is_cleaned"):
            method = {"procedure": "SOP-CLN-001", "next_product": plan.PRODUCT["code"]}
            made = walk.p_operator.post(f"{one}/cleanings", method)
            walk.p_operator.post(f"{one}/cleanings/{made['id']}/finish")
            verified = {"is_clean": True, "reason": plan.REASON}
            walk.p_super.post(f"{one}/cleanings/{made['id']}/verification", verified)
        assert walk.m_tech.get(one)["objections"] == []


def specification(walk: Walk) -> None:
    code = plan.SPECIFICATION["code"]
    walk.l_super.post("specifications", plan.SPECIFICATION)
    version = {"tests": [plan.TEST], "plan": [plan.POINT], "reason": plan.REASON}
    walk.l_super.post(f"specifications/{code}/versions", version)
    walk.q_first.sign(f"specifications/{code}/versions/1/approval")


def recipe(walk: Walk) -> None:
    content = {"title": plan.TITLE, **plan.HEADER, "phases": plan.PHASES, **plan.PARTS}
    one = f"recipes/{plan.PRODUCT['code']}/1"
    walk.e_author.post("recipes", {"product": plan.PRODUCT["code"], "content": content})
    assert walk.e_author.get(f"{one}/completeness") == []
    walk.e_author.sign(f"{one}/submission")
    walk.e_reviewer.sign(f"{one}/review", comment=plan.REASON)
    approved = walk.q_first.sign(f"{one}/approval")
    assert approved["state"] == "effective"


def issue(walk: Walk) -> None:
    """The batch, whose copy is checked, and one of the same product that stays issued."""
    for number in (plan.BATCH, plan.NEIGHBOUR):
        walk.p_super.post("batches", {"number": number, "product": plan.PRODUCT["code"]})
    walk.q_first.sign(f"{ONE}/copy-check")
    walk.p_operator.post(f"{ONE}/events", {"kind": "batch-started", "occurred_at": plan.now()})


def _start(walk: Walk, order: int) -> None:
    walk.p_operator.post(f"{ONE}/phases/{order}/moves", {"step": "start"})


def _end(walk: Walk, order: int) -> None:
    walk.p_operator.post(f"{ONE}/phases/{order}/moves", {"step": "end"})
    walk.p_super.sign(f"{ONE}/phases/{order}/verification")


def _charge(walk: Walk, order: int) -> None:
    said: dict[str, Any] = {**plan.CHARGES[order], "line": order, "verifier": "p.super"}
    walk.p_operator.sign(f"{ONE}/charges", **said)
    account = {name: said[name] for name in ("line", "lot", "unit")}
    made = walk.p_operator.post(f"{ONE}/material-accounts", {**account, **plan.ACCOUNTS[order]})
    assert made["is_within"]
    walk.p_super.sign(f"{ONE}/material-accounts/{made['id']}/verification")


def inoculation(walk: Walk) -> None:
    _start(walk, 1)
    walk.p_operator.post(f"{ONE}/equipment", {"phase": 1, "equipment": "BR-01", "need": "Vessel"})
    _charge(walk, 1)
    _end(walk, 1)


def growth(walk: Walk) -> None:
    """The historian posts; people check the pH, which is too high once, and draw the sample."""
    _start(walk, 2)
    _charge(walk, 2)
    post_readings(walk.historian)
    for entry in plan.PH:
        made = walk.p_operator.post(f"{ONE}/in-process-results", {**entry, "phase": 2})
        walk.p_super.sign(f"{ONE}/in-process-results/{made['id']}/verification")
    walk.p_operator.post(f"{ONE}/events", {
        "kind": "sampling", "phase": plan.GROWTH, "occurred_at": plan.now(),
        "details": {"point": plan.SAMPLE["point"]},
    })  # fmt: skip
    _end(walk, 2)


def post_readings(historian: Caller | None) -> None:
    """What a machine measures a machine posts, in both walks."""
    assert historian is not None
    rows = [
        {"tag": "temperature_c", "at": plan.now(), "value": 36.8, "unit": "Cel"} for _ in range(3)
    ]
    lines = "\n".join(json.dumps(row) for row in rows)
    historian.lines(f"{ONE}/readings", lines, key="walk-1")


def labelling(walk: Walk) -> None:
    _start(walk, 3)
    kind, finding = plan.EXAMINATIONS[0]
    _examine(walk, kind, finding)
    _charge(walk, 3)
    made = walk.p_operator.post(
        f"{ONE}/label-uses", {**plan.LABELS, "phase": 3}, file={"specimen": plan.SPECIMEN}
    )
    walk.p_super.sign(f"{ONE}/label-uses/{made['id']}/verification")
    walk.p_operator.post(f"{ONE}/yields", {**plan.YIELD, "phase": 3})
    for kind, finding in plan.EXAMINATIONS[1:]:
        _examine(walk, kind, finding)
    _end(walk, 3)
    used = walk.p_operator.get(f"{ONE}/equipment")["results"]
    walk.p_operator.post(f"{ONE}/equipment/{used[0]['id']}/return")
    walk.p_operator.post(f"{ONE}/events", {"kind": "batch-ended", "occurred_at": plan.now()})


def _examine(walk: Walk, kind: str, finding: str) -> None:
    said = {"phase": 3, "kind": kind, "is_conforming": True, "finding": finding}
    made = walk.p_operator.post(f"{ONE}/examinations", said)
    walk.p_super.sign(f"{ONE}/examinations/{made['id']}/verification")


def laboratory(walk: Walk) -> None:
    """A sample in a run whose suitability passed, two determinations, and two reviews."""
    analyst, second = walk.l_analyst, walk.l_super
    analyst.post(f"{ONE}/samples", {**plan.SAMPLE, "taken_at": plan.now()})
    received = {
        "kind": "received", "happened_at": plan.now(), "location": "Fridge 4",
        "reason": plan.REASON,
    }  # fmt: skip
    analyst.post(f"{ONE}/samples/{plan.SAMPLE['number']}/custody", received)
    analyst.post("reagents", {**plan.REAGENT, "expires_on": plan.in_a_year()})
    lot = {name: plan.REAGENT[name] for name in ("code", "lot")}
    started = analyst.post("runs", {**plan.RUN, "started_at": plan.now(), "reagents": [lot]})
    run = f"runs/{started['number']}"
    for number, kind in enumerate(("suitability", "suitability", "sample", "sample"), start=1):
        of = {"batch": plan.BATCH, "sample": plan.SAMPLE["number"]} if kind == "sample" else {}
        said = {"number": number, "kind": kind, "injected_at": plan.now(), **of}
        analyst.post(f"{run}/injections", said)
        if number == 2:
            analyst.post(f"{run}/suitability", plan.SUITABILITY)
    result = analyst.post(f"{run}/results", {
        "batch": plan.BATCH, "sample": plan.SAMPLE["number"], "tag": "mab_g_l", "unit": "g/L",
        "reported_at": plan.now(),
        "replicates": [
            {"value": value, "injection": number}
            for number, value in enumerate(plan.VALUES, start=3)
        ],
    })  # fmt: skip
    analyst.post(f"{run}/end", {"ended_at": plan.now()})
    seen = second.get(run)["trail_entries"]
    second.sign(f"{run}/review", entries_seen=seen)
    second.sign(f"results/{result['id']}/review")


def deviation(walk: Walk) -> None:
    """Opened by one, classified by another, investigated by a third, closed by a fourth."""
    opened = walk.p_operator.post("deviations", {**plan.DEVIATION, "occurred_at": plan.now()})
    number = opened["number"]
    one = f"deviations/{number}"
    linked = {"deviation": number, "reason": plan.REASON}
    walk.p_operator.post(f"{ONE}/deviations", linked)
    walk.q_first.post(f"{one}/classifications", {**plan.ANSWERS, "rationale": plan.RATIONALE})
    walk.e_author.put(f"{one}/investigation", {**plan.FINDINGS, "reason": plan.REASON})
    for neighbour in walk.e_author.post(f"{one}/scope"):
        assert neighbour["name"] == plan.NEIGHBOUR
        walk.e_author.post(f"{one}/neighbours/{neighbour['id']}/decision", plan.UNAFFECTED)
    flagged = walk.e_author.get(f"{ONE}/exceptions", state="open")["results"]
    assert [one["kind"] for one in flagged] == ["out-of-limits"]
    exception = f"{ONE}/exceptions/{flagged[0]['id']}"
    walk.e_author.post(f"{exception}/deviation", {"deviation": number})
    walk.e_author.sign(f"{exception}/assessment", assessment=plan.ASSESSMENT)
    walk.e_author.sign(f"{one}/signatures", meaning="investigated")
    assert walk.q_second.get(one)["missing"] == []
    walk.q_second.sign(f"{one}/closure", reason=plan.REASON)


def trail_review(walk: Walk) -> None:
    """Somebody who had no part in it reviews the audit trail of the batch (PI 041, 9.6)."""
    asked = {"kind": "batch", "name": plan.BATCH, "seed": plan.SEED}
    opened = walk.q_third.post("trail-reviews", asked)
    one = f"trail-reviews/{opened['number']}"
    first, *others = walk.q_third.get(one)["sample"]
    outcome = {"outcome": "no-concern"}
    walk.q_third.post(f"{one}/sample/{first['id']}/assessment", outcome)
    if others:
        each = [outcome | {"sampled": drawn["id"]} for drawn in others]
        walk.q_third.post(f"{one}/assessments", {"assessments": each})
    walk.q_third.sign(f"{one}/conclusion", conclusion=plan.CONCLUSION)


def disposition(walk: Walk) -> None:
    """Reviewed by exception and released by quality, certified by the QP, shipped."""
    shown = walk.q_first.get(f"{ONE}/review")
    assert {one["name"] for one in shown["blockers"]} == {"record-not-reviewed"}, shown
    walk.q_first.sign(f"{ONE}/review", digest=shown["digest"], remarks=plan.ASSESSMENT)
    walk.q_first.sign(
        f"{ONE}/disposition", outcome="released", reason=plan.REASON, expires_on=plan.in_a_year()
    )
    walk.q_person.sign(f"{ONE}/certificates", assessment=plan.IMPACT)
    walk.w_store.post(f"{ONE}/shipments", {**plan.SHIPMENT, "shipped_at": plan.now()})


STEPS = (
    training, materials, equipment, specification, recipe, issue, inoculation, growth,
    labelling, laboratory, deviation, trail_review, disposition,
)  # fmt: skip
