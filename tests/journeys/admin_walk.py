"""The same batch as over the API, on the pages of the admin only; machines post as they do."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.journeys import api_walk, plan, records
from tests.journeys.pages import Desk
from tests.journeys.records import Left
from tests.journeys.site import Caller, Person

BATCH, PHASE = "execution/batch", "execution/batchphase"


@dataclass
class Walk:
    """Whose windows are open."""

    opened: Any
    url: str
    pictures: Path
    desks: dict[str, Desk] = field(default_factory=dict)
    historian: Caller | None = None

    def open(self, username: str, password: str) -> Desk:
        """Sign somebody in for the first time: they choose a password of their own."""
        desk = Desk(self.opened, self.url, username, self.pictures)
        desk.sign_in(password)
        desk.answer({"present": password, "new": plan.OWN, "again": plan.OWN})
        self.desks[username] = desk
        return desk

    def __getattr__(self, name: str) -> Desk:
        try:
            return self.desks[name.replace("_", ".")]
        except KeyError as error:
            raise AttributeError(name) from error


def walk(opened: Any, url: str, first_password: str, pictures: Path) -> Left:
    made = Walk(opened, url, pictures)
    accounts(made, first_password)
    for step in (
        training, materials, equipment, specification, recipe, issue, inoculation, growth,
        labelling, laboratory, deviation, trail_review, disposition,
    ):  # fmt: skip
        step(made)
    assert [one for desk in made.desks.values() for one in desk.said] == []
    reader = Person(url, "q.second")
    try:
        return records.read(reader)
    finally:
        reader.close()
        if made.historian is not None:
            made.historian.close()


def accounts(walk: Walk, first_password: str) -> None:
    root = walk.open(plan.ADMINISTRATOR, first_password)
    for username, (full_name, role) in plan.PEOPLE.items():
        root.go("access/user/")
        root.act("create", {
            "username": username, "full_name": full_name, "roles": [role],
            "password": plan.FIRST, "reason": plan.REASON,
        })  # fmt: skip
        walk.open(username, plan.FIRST)
    for username in plan.PEOPLE:
        prover = walk.q_second if username == "q.first" else walk.q_first
        prover.look_up("access/user", username)
        prover.act("prove-identity", plan.PROOF)
    for username in plan.PEOPLE:
        desk = walk.desks[username]
        desk.newest("signatures/statement")
        desk.sign("acknowledge", {"has_read": True})
    root.go("access/user/")
    root.picture("people")
    root.go("access/device/")
    root.act("enrol", {**plan.DEVICE, "reason": plan.REASON})
    token = root.page.inner_text(".secret code")
    walk.q_first.look_up("access/device", plan.DEVICE["name"])
    walk.q_first.act("qualify", {"bound_to": plan.DEVICE["bound_to"], "reason": plan.REASON})
    walk.historian = Caller(walk.url, Authorization=f"Bearer {token}")


def training(walk: Walk) -> None:
    quality = walk.q_first
    for code, (title, trained) in plan.PROCEDURES.items():
        quality.go("access/procedure/")
        quality.act("create", {"code": code, "title": title})
        quality.act("add-version", plan.PROCEDURE_VERSION)
        for username in trained:
            quality.go("access/training/")
            full_name = plan.PEOPLE[username][0]
            quality.act("record", {**plan.TRAINING, "person": full_name, "version": code})


def materials(walk: Walk) -> None:
    author, quality = walk.e_author, walk.q_first
    author.go("recipes/product/")
    author.act("create", {**plan.PRODUCT, "markets": " ".join(plan.PRODUCT["markets"])})
    quality.go("assets/supplier/")
    quality.act("register", plan.SUPPLIER)
    for material in plan.MATERIALS:
        author.go("assets/material/")
        author.act("create", material)
        quality.look_up("assets/supplier", plan.SUPPLIER["code"])
        quality.act("approve", {**plan.APPROVAL, "material": material["code"]})
    for lot in plan.LOTS:
        walk.w_store.go("assets/materiallot/")
        walk.w_store.act("receive", {
            **lot, "supplier": plan.SUPPLIER["name"], "expires_on": plan.in_a_year(),
        })  # fmt: skip
        quality.look_up("assets/materiallot", lot["number"])
        quality.sign("release", {"reason": plan.REASON})
        assert "Nothing stands against its use" in quality.text()
    quality.picture("lot")


def equipment(walk: Walk) -> None:
    tech, quality = walk.m_tech, walk.q_first
    for said in plan.EQUIPMENT:
        tech.go("assets/equipment/")
        tech.act("register", said)
        for stage in said["needed_stages"]:
            tech.act("record-stage", {**plan.STAGE, "stage": stage, "performed_on": plan.today()})
            quality.newest("assets/qualification")
            quality.sign("approve")
            tech.look_up("assets/equipment", said["code"])
        quality.sign("qualify", {"reason": plan.REASON})
        if "calibration_interval_days" in said:
            tech.act("calibrate", plan.CALIBRATION)
            quality.newest("assets/calibration")
            quality.act("verify-as-quality", {"reason": plan.REASON})
        if said.get("is_cleaned"):
            _clean(walk, said["code"])
        tech.look_up("assets/equipment", said["code"])
        assert "Nothing stands against its use" in tech.text()
        tech.picture(f"equipment-{said['code']}")


def _clean(walk: Walk, code: str) -> None:
    walk.p_operator.look_up("assets/equipment", code)
    method = {"procedure": "SOP-CLN-001", "next_product": plan.PRODUCT["code"]}
    walk.p_operator.act("clean", method)
    for desk in (walk.p_operator, walk.p_super):
        desk.newest("assets/cleaning")
    walk.p_operator.act("finish")
    walk.p_super.page.reload()
    walk.p_super.act("verify", {"is_clean": "yes", "reason": plan.REASON})


def specification(walk: Walk) -> None:
    test, point = plan.TEST, plan.POINT
    said = [
        test["tag"], test["name"], f"{test['method_code']} v{test['method_version']}",
        test["unit"], f"{test['low']} to {test['high']}", "", str(test["decimals"]),
        str(test["replicates"]),
    ]  # fmt: skip
    author = walk.l_super
    author.go("laboratory/specification/")
    author.act("create", plan.SPECIFICATION)
    author.act("draft", {
        "tests": " | ".join(said), "reason": plan.REASON,
        "plan": f"{point['point']} | {point['samples']} | {point['amount']}",
    })  # fmt: skip
    walk.q_first.look_up("laboratory/specificationversion", plan.SPECIFICATION["code"])
    walk.q_first.sign("approve")
    walk.q_first.picture("specification")


def recipe(walk: Walk) -> None:
    """Drafted with its phases, written part by part, reviewed and approved by two others."""
    author = walk.e_author
    author.go("recipes/masterrecipe/")
    phases = [
        f"{one['unit_procedure']} / {one['operation']} / {one['name']}" for one in plan.PHASES
    ]
    author.act("draft", {
        "product": plan.PRODUCT["code"], "title": plan.TITLE, "phases": "\n".join(phases),
    })  # fmt: skip
    author.act("header", {**plan.HEADER, "reason": plan.REASON})
    for phase in plan.PHASES:
        line = f"{phase['unit_procedure']}/{phase['name']}"
        author.press(author.page.locator(f"a[href*='acts/write-phases/?line={line}']"))
        author.answer({**phase, "reason": plan.REASON})
    for part, lines in plan.PARTS.items():
        for line in lines:
            values = {**line, "reason": plan.REASON}
            if "tests" in values:
                values["tests"] = "\n".join(values["tests"])
            author.press(author.page.locator(f"a[href$='acts/write-{part}/']"))
            author.answer(values)
    assert "Complete: it can be submitted" in author.text()
    author.picture("recipe-draft")
    author.sign("submit")
    walk.e_reviewer.look_up("recipes/masterrecipe", plan.PRODUCT["code"])
    walk.e_reviewer.sign("review", {"comment": plan.REASON})
    walk.q_first.look_up("recipes/masterrecipe", plan.PRODUCT["code"])
    walk.q_first.sign("approve")
    walk.q_first.picture("recipe")


def issue(walk: Walk) -> None:
    for number in (plan.BATCH, plan.NEIGHBOUR):
        walk.p_super.go(f"{BATCH}/")
        walk.p_super.act("issue", {
            "recipe": plan.PRODUCT["code"], "number": number, "reason": plan.REASON,
        })  # fmt: skip
    walk.q_first.look_up(BATCH, plan.BATCH)
    walk.q_first.sign("check-copy")
    walk.p_operator.look_up(BATCH, plan.BATCH)
    walk.p_operator.act("start")


def _at(desk: Desk, order: int) -> None:
    """Open a phase from the page of the batch."""
    desk.look_up(BATCH, plan.BATCH)
    desk.follow(plan.PHASES[order - 1]["name"])


def _end(walk: Walk, order: int) -> None:
    walk.p_operator.act("end")
    _at(walk.p_super, order)
    walk.p_super.sign("verify")
    walk.p_super.picture(f"phase-{order}")


def _charge(walk: Walk, order: int) -> None:
    said = {**plan.CHARGES[order], "verifier": "p.super", "verifier_password": plan.OWN}
    walk.p_operator.act("charge", said)
    account = {
        "charged": f"{said['lot']}, line {order}", "unit": said["unit"], **plan.ACCOUNTS[order],
    }  # fmt: skip
    walk.p_operator.act("reconcile-material", account)
    _verify_newest(walk, "materialaccount")


def inoculation(walk: Walk) -> None:
    _at(walk.p_operator, 1)
    walk.p_operator.act("start")
    walk.p_operator.act("use-equipment", {"equipment": "BR-01", "need": "Vessel"})
    _charge(walk, 1)
    _end(walk, 1)


def _verify_newest(walk: Walk, kind: str) -> None:
    walk.p_super.newest(f"execution/{kind}")
    walk.p_super.sign("verify")


def growth(walk: Walk) -> None:
    _at(walk.p_operator, 2)
    walk.p_operator.act("start")
    _charge(walk, 2)
    api_walk.post_readings(walk.historian)
    for entry in plan.PH:
        walk.p_operator.act("enter-result", entry)
        _verify_newest(walk, "inprocessresult")
    walk.p_operator.act("draw-sample", {"point": plan.SAMPLE["point"]})
    walk.p_operator.picture("phase-open")
    _end(walk, 2)


def labelling(walk: Walk) -> None:
    operator = walk.p_operator
    _at(operator, 3)
    operator.act("start")
    _examine(walk, *plan.EXAMINATIONS[0])
    _charge(walk, 3)
    name, content, media_type = plan.SPECIMEN
    specimen = {"name": name, "mimeType": media_type, "buffer": content}
    operator.act("account-labels", {**plan.LABELS, "specimen": specimen})
    _verify_newest(walk, "labeluse")
    operator.act("record-yield", plan.YIELD)
    for kind, finding in plan.EXAMINATIONS[1:]:
        _examine(walk, kind, finding)
    _end(walk, 3)
    operator.newest("execution/equipmentassignment")
    operator.act("give-back")
    operator.look_up(BATCH, plan.BATCH)
    operator.act("end")


def _examine(walk: Walk, kind: str, finding: str) -> None:
    said = {"kind": kind, "is_conforming": True, "finding": finding}
    walk.p_operator.act("examine", said)
    _verify_newest(walk, "examination")


def laboratory(walk: Walk) -> None:
    analyst, second = walk.l_analyst, walk.l_super
    analyst.look_up(BATCH, plan.BATCH)
    analyst.act("register-sample", plan.SAMPLE)
    analyst.act("move", {"kind": "received", "location": "Fridge 4", "reason": plan.REASON})
    analyst.go("laboratory/reagent/")
    analyst.act("register", {**plan.REAGENT, "expires_on": plan.in_a_year()})
    analyst.go("laboratory/run/")
    analyst.press(analyst.page.locator("a[href*='/acts/start/']"))
    analyst.page.check("#content [name=reagents]")
    analyst.answer(plan.RUN)
    for number, kind in enumerate(("suitability", "suitability", "sample", "sample"), start=1):
        of = {"sample": plan.SAMPLE["number"]} if kind == "sample" else {}
        analyst.act("inject", {"number": number, "kind": kind, **of})
        if number == 2:
            analyst.act("judge", plan.SUITABILITY)
    run = analyst.page.url
    values = [f"{value} injection {number}" for number, value in enumerate(plan.VALUES, start=3)]
    analyst.act("report", {
        "sample": plan.SAMPLE["number"], "tag": "mab_g_l", "unit": "g/L",
        "replicates": "\n".join(values),
    })  # fmt: skip
    result = analyst.page.url
    analyst.page.goto(run)
    analyst.act("end")
    second.page.goto(run)
    seen = second.page.locator("dt", has_text="Entries of its audit trail").locator("+ dd")
    second.sign("review", {"entries_seen": seen.inner_text()})
    second.picture("run")
    second.page.goto(result)
    second.sign("review")
    second.picture("result")


def deviation(walk: Walk) -> None:
    operator, author = walk.p_operator, walk.e_author
    operator.go("quality/deviation/")
    operator.act("open", plan.DEVIATION)
    address = operator.page.url
    operator.look_up(BATCH, plan.BATCH)
    operator.act("link-deviation", {"deviation": plan.DEVIATION["title"], "reason": plan.REASON})
    walk.q_first.page.goto(address)
    walk.q_first.act("classify", {**plan.ANSWERS, "rationale": plan.RATIONALE})
    author.page.goto(address)
    author.act("investigate", {**plan.FINDINGS, "reason": plan.REASON})
    author.act("extend-scope")
    author.act("decide-neighbour", {"neighbour": plan.NEIGHBOUR, **plan.UNAFFECTED})
    author.newest("execution/batchexception")
    author.act("link-deviation", {"deviation": plan.DEVIATION["title"]})
    author.sign("assess", {"assessment": plan.ASSESSMENT})
    author.picture("exception")
    author.page.goto(address)
    author.sign("sign-investigation")
    walk.q_second.page.goto(address)
    walk.q_second.sign("close", {"reason": plan.REASON})
    walk.q_second.picture("deviation")


def trail_review(walk: Walk) -> None:
    reviewer = walk.q_third
    reviewer.go("quality/trailreview/")
    reviewer.act("open", {"kind": "batch", "name": plan.BATCH, "seed": plan.SEED})
    reviewer.picture("trail-review-open")
    reviewer.press(reviewer.page.locator("a[href*='/acts/assess-alike/']"))
    for drawn in reviewer.page.locator("#content [name=sampled]").all():
        drawn.check()
    reviewer.answer({})
    reviewer.sign("conclude", {"conclusion": plan.CONCLUSION})
    reviewer.picture("trail-review")


def disposition(walk: Walk) -> None:
    quality = walk.q_first
    quality.look_up(BATCH, plan.BATCH)
    quality.picture("batch-before-release")
    quality.follow("Review the batch record by exception")
    quality.picture("review-by-exception")
    quality.answer({"remarks": plan.ASSESSMENT, "password": plan.OWN})
    quality.sign("released", {"reason": plan.REASON, "expires_on": plan.in_a_year()})
    walk.q_person.look_up(BATCH, plan.BATCH)
    walk.q_person.sign("certify", {"assessment": plan.IMPACT})
    walk.q_person.picture("certificate")
    walk.w_store.look_up(BATCH, plan.BATCH)
    walk.w_store.act("ship", plan.SHIPMENT)
    quality.look_up(BATCH, plan.BATCH)
    quality.picture("batch")
