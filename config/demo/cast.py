"""Make what a demonstration needs: people of every role, devices and two effective recipes."""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from batches.exchange.formats.series_parquet import PENICILLIN, SeriesMapping
from batches.recipes import master_recipes
from batches.recipes.master_recipes import ParameterDraft, RecipeDraft
from batches.recipes.models import Criticality, ParameterKind, Product, RecipeState
from compliance.access import devices, identity, people
from compliance.access.duties import LABELS, Role
from compliance.access.models import Device, DeviceKind, ProofMethod, Qualification, User
from compliance.signatures import accountability, signing, statements
from compliance.trail.recording import System
from twins.plant import recipe_draft

INSTALLATION = System("installation")
REASON = "set up for the demonstration"
VIALS = "VIAL-50"
USERNAMES = {
    Role.OPERATOR: "demo.operator",
    Role.SUPERVISOR: "demo.supervisor",
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


def assemble(folder: Path, *, at: datetime) -> Cast:
    """Make what is missing, and renew the devices' tokens; safe to run again."""
    password = _password(folder)
    for role, username in USERNAMES.items():
        person = User.objects.filter(username=username).first()
        if person is None:
            person = people.create(
                username=username,
                full_name=f"Demo {LABELS[role].split(' (')[0]}",
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
    engineer = User.objects.get(username=USERNAMES[Role.PROCESS_ENGINEER])
    quality = User.objects.get(username=USERNAMES[Role.QUALITY_ASSURANCE])
    for code, name, content in (
        (recipe_draft.PRODUCT_CODE, recipe_draft.PRODUCT_NAME, cho_recipe()),
        (VIALS, "Vials, 50 mg fill", vial_recipe()),
        (PENICILLIN.product, "Penicillin, simulated plant", series_recipe(PENICILLIN)),
    ):
        product = Product.objects.filter(code=code).first() or master_recipes.create_product(
            code=code, name=name, actor=engineer, at=at
        )
        if not product.recipes.filter(state=RecipeState.EFFECTIVE).exists():
            recipe = master_recipes.draft(product, content=content, actor=engineer, at=at)
            confirmed = signing.confirm(signer=quality, password=password, address="", at=at)
            master_recipes.approve(recipe, confirmed=confirmed)
    return Cast(password=password, tokens=tokens)


def _acknowledge(person: User, *, password: str, at: datetime) -> None:
    """Let a person sign the accountability statement in force: nobody signs anything before."""
    statement = accountability.effective()
    if statement is not None and accountability.acknowledgement(person) is None:
        confirmed = signing.confirm(signer=person, password=password, address="", at=at)
        statements.acknowledge(statement, confirmed=confirmed)


def cho_recipe() -> RecipeDraft:
    """Return the fed-batch recipe; its twin runs every 12 hours, as often as the laboratory samples."""
    drafted = recipe_draft.draft()
    return replace(drafted, twin_settings={**drafted.twin_settings, "every_h": 12})


def vial_recipe() -> RecipeDraft:
    """Return the vial line's recipe: fill target 50 mg, limits 49.5 to 50.5 mg."""
    return RecipeDraft(
        title="Vial filling, 50 mg",
        phases=tuple(
            ("Vial line", phase)
            for phase in ("Check_Tare", "Fill_Vial", "Weight_Final", "Capping", "Labeling")
        ),
        parameters=[
            ParameterDraft(
                tag="fill_weight_mg", name="Fill weight", kind=ParameterKind.READING, unit="mg",
                criticality=Criticality.CQA, low=Decimal("49.5"), high=Decimal("50.5"),
                target=Decimal(50),
            )
        ],
    )  # fmt: skip


def series_recipe(mapping: SeriesMapping) -> RecipeDraft:
    """Return a recipe for series whose source states no limits: measured, not judged."""
    return RecipeDraft(
        title=mapping.title,
        phases=(("Fermenter", "Fermentation"),),
        parameters=[
            ParameterDraft(
                tag=tag, name=column, kind=ParameterKind.READING, unit=unit,
                criticality=Criticality.OTHER,
            )
            for tag, (column, unit) in mapping.tags.items()
        ],
    )  # fmt: skip


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
