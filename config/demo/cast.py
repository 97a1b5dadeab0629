"""Make what a demonstration needs: people of every role, devices and effective recipes."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from batches.assets import materials
from batches.assets.materials import MaterialDraft
from batches.assets.models import Material
from batches.laboratory import specifications
from batches.laboratory.models import Specification, SpecificationUse
from batches.recipes import master_recipes, products, versions
from batches.recipes.models import Product, RecipeState
from compliance.access import devices, identity, people
from compliance.access.duties import LABELS, Role
from compliance.access.models import Device, DeviceKind, ProofMethod, Qualification, User
from compliance.signatures import accountability, signing, statements
from compliance.signatures.signing import Confirmed
from compliance.trail.recording import System
from config.demo import master_records, stock, workshop
from config.demo.master_records import Made

INSTALLATION = System("installation")
REASON = "set up for the demonstration"
REVIEWER = "demo.reviewer"
USERNAMES = {
    Role.OPERATOR: "demo.operator",
    Role.SUPERVISOR: "demo.supervisor",
    Role.WAREHOUSE: "demo.warehouse",
    Role.MAINTENANCE: "demo.maintenance",
    Role.QC_ANALYST: "demo.qc",
    Role.QUALITY_ASSURANCE: "demo.qa",
    Role.QUALIFIED_PERSON: "demo.qp",
    Role.PROCESS_ENGINEER: "demo.engineer",
    Role.SYSTEM_ADMINISTRATOR: "demo.admin",
    Role.AUDITOR: "demo.auditor",
}


@dataclass(frozen=True)
class Cast:
    """The demonstration's people share one password, drawn at random for this installation."""

    password: str
    tokens: dict[str, str]

    def person(self, role: Role) -> User:
        return User.objects.get(username=USERNAMES[role])

    def sign(self, signer: User, *, at: datetime) -> Confirmed:
        """Confirm one signature of a person by the password."""
        return signing.confirm(signer=signer, password=self.password, address="", at=at)


def assemble(folder: Path, *, at: datetime) -> Cast:
    """Make what is missing, and renew the devices' tokens; safe to run again."""
    password = _password(folder)
    for username, role in people_of_the_plant():
        person = User.objects.filter(username=username).first()
        if person is None:
            person = people.create(
                username=username,
                full_name=_full_name(username, role),
                password=password,
                roles=frozenset({role}),
                actor=INSTALLATION,
                at=at,
                reason=REASON,
                must_change_password=False,
            )
        if not identity.is_proven(person, at=at):
            identity.prove(
                person,
                method=ProofMethod.INSTALLATION,
                document="an invented person of the demonstration",
                proven_at=at,
                actor=INSTALLATION,
                at=at,
            )
        _acknowledge(person, password=password, at=at)
    tokens = {
        "plant": _token("demo-plant", DeviceKind.TWIN, at=at),
        "mes": _token("demo-mes", DeviceKind.MES, at=at),
    }
    _materials(at=at)
    for made in master_records.everything():
        _recipe(made, password=password, at=at)
    return Cast(password=password, tokens=tokens)


def furnish(players: Cast, *, at: datetime) -> None:
    """Fill the store and install the equipment, each act by the role that does it; repeatable."""

    def sign(signer: User) -> Confirmed:
        return players.sign(signer, at=at)

    quality = players.person(Role.QUALITY_ASSURANCE)
    stock.fill(warehouse=players.person(Role.WAREHOUSE), quality=quality, sign=sign, at=at)
    workshop.install(
        maintenance=players.person(Role.MAINTENANCE), quality=quality,
        operator=players.person(Role.OPERATOR), sign=sign, at=at,
    )  # fmt: skip


def _acknowledge(person: User, *, password: str, at: datetime) -> None:
    """Let a person sign the accountability statement in force: nobody signs anything before."""
    statement = accountability.effective()
    if statement is not None and accountability.acknowledgement(person) is None:
        confirmed = signing.confirm(signer=person, password=password, address="", at=at)
        statements.acknowledge(statement, confirmed=confirmed)


def people_of_the_plant() -> list[tuple[str, Role]]:
    """Return who there is: one of each role, and a second engineer who reviews recipes."""
    return [*((name, role) for role, name in USERNAMES.items()), (REVIEWER, Role.PROCESS_ENGINEER)]


def _full_name(username: str, role: Role) -> str:
    return (
        "Demo Reviewer of recipes"
        if username == REVIEWER
        else f"Demo {LABELS[role].split(' (')[0]}"
    )


def _materials(*, at: datetime) -> None:
    engineer = User.objects.get(username=USERNAMES[Role.PROCESS_ENGINEER])
    for code, name, unit, kind in master_records.MATERIALS:
        if not Material.objects.filter(code=code).exists():
            material = MaterialDraft(code=code, name=name, unit=unit, kind=kind)
            materials.create(material, actor=engineer, at=at)


def _recipe(made: Made, *, password: str, at: datetime) -> None:
    """Draft, review and approve a recipe, each by a person of their own (21 CFR 211.186(a))."""
    engineer = User.objects.get(username=USERNAMES[Role.PROCESS_ENGINEER])
    product = Product.objects.filter(code=made.code).first() or products.create(
        code=made.code, name=made.name, registered=made.registered, actor=engineer, at=at
    )
    if product.recipes.filter(state=RecipeState.EFFECTIVE).exists():
        return

    def sign(username: str) -> Confirmed:
        signer = User.objects.get(username=username)
        return signing.confirm(signer=signer, password=password, address="", at=at)

    _specification(product, made, sign, at=at)
    recipe = master_recipes.draft(product, content=made.recipe, actor=engineer, at=at)
    versions.submit(recipe, confirmed=sign(engineer.username))
    versions.review(recipe, confirmed=sign(REVIEWER))
    versions.approve(recipe, confirmed=sign(USERNAMES[Role.QUALITY_ASSURANCE]))


def _specification(
    product: Product, made: Made, sign: Callable[[str], Confirmed], *, at: datetime
) -> None:
    """Make effective what the product is released by: a recipe names no other (211.160(a))."""
    if Specification.objects.filter(code=made.recipe.specification).exists():
        return
    author = User.objects.get(username=USERNAMES[Role.PROCESS_ENGINEER])
    specification = specifications.create(
        code=made.recipe.specification, title=made.name, use=SpecificationUse.RELEASE,
        product=product, actor=author, at=at,
    )  # fmt: skip
    version = specifications.draft(
        specification, tests=master_records.RELEASE_TESTS, actor=author, at=at, reason=REASON
    )
    specifications.approve(version, confirmed=sign(USERNAMES[Role.QUALITY_ASSURANCE]))


def _token(name: str, kind: DeviceKind, *, at: datetime) -> str:
    device = Device.objects.filter(name=name).first()
    if device is not None:
        if device.qualification == Qualification.UNQUALIFIED:  # of an earlier build
            devices.qualify(device, actor=INSTALLATION, at=at, reason=REASON, bound_to=name.upper())
        return devices.renew_token(
            device, actor=INSTALLATION, at=at, reason="token renewed for the demonstration"
        )
    device, token = devices.enrol(
        name=name, kind=kind, actor=INSTALLATION, at=at, reason=REASON, bound_to=name.upper()
    )
    devices.qualify(device, actor=INSTALLATION, at=at, reason=REASON)
    return token


def _password(folder: Path) -> str:
    """Return this installation's demonstration password, drawn at the first run."""
    path = folder / "demo.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps({"password": f"demo-{secrets.token_urlsafe(9)}"}))
    return str(json.loads(path.read_text())["password"])
