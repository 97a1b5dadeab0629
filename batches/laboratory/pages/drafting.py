"""Begin a specification and write its versions, on the pages of specifications."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms

from batches.laboratory import specifications
from batches.laboratory.models import Specification, SpecificationUse, TestKind
from batches.laboratory.pages import fields
from batches.laboratory.specifications import PointDraft, SpecificationInvalid, TestDraft
from batches.recipes.models import Product
from compliance.access import acts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty

COLUMNS = (
    "tag", "name", "method", "unit", "limits", "alert limits", "decimals", "determinations", "point",
)  # fmt: skip
NEEDED = 5
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_METHOD = re.compile(r"(\S+) v(\S+)")


class CreateForm(forms.Form):
    code = forms.CharField(max_length=40)
    title = forms.CharField(max_length=200)
    use = forms.ChoiceField(choices=SpecificationUse.choices)
    product = forms.ChoiceField(required=False)
    material = forms.CharField(max_length=100, required=False, help_text="Where it is no product.")


class DraftForm(ReasonForm):
    tests = fields.text(
        rows=6,
        help_text=f"One test a line: {' | '.join(COLUMNS)}. The last four may be left out. Limits: "
        "“2.50 to 3.50”, “at least 2.5”, “at most 0.1”, or “text: clear, colourless”. "
        "Method: “HPLC-12 v3”.",
    )
    plan = fields.text(
        rows=3, required=False, label="Sampling plan",
        help_text="One point a line: point | samples | amount of each | storage.",
    )  # fmt: skip
    field_order = ("tests", "plan", "reason")


def _create(occasion: Occasion) -> Done:
    said = dict(occasion.values)
    product = Product.objects.filter(code=said.pop("product")).first()
    made = specifications.create(
        **{**said, "use": SpecificationUse(said["use"])}, product=product, actor=occasion.actor,
        at=occasion.at,
    )  # fmt: skip
    return Done(f"{made} is begun. Write its first version.", made)


def _draft(occasion: Occasion) -> Done:
    made = specifications.draft(
        occasion.record,
        tests=[_test(line) for line in _lines(occasion.values["tests"])],
        plan=[_point(line) for line in _lines(occasion.values["plan"])],
        reason=occasion.values["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )
    return Done(f"{made} is drafted. Another person of quality approves it.", made)


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.strip():
            yield [word.strip() for word in line.split("|")]


def _test(words: list[str]) -> TestDraft:
    if not NEEDED <= len(words) <= len(COLUMNS):
        raise _wrong(words, f"write {' | '.join(COLUMNS)}")
    said = dict(zip(COLUMNS, [*words, *[""] * len(COLUMNS)], strict=False))
    method = _METHOD.fullmatch(said["method"])
    if method is None:
        raise _wrong(words, "name the method as in “HPLC-12 v3”")
    limits: dict[str, Any]
    if said["limits"].startswith("text:"):
        conforming = said["limits"].removeprefix("text:").strip()
        limits = {"kind": TestKind.TEXT, "conforming_text": conforming}
    else:
        low, high = _range(words, said["limits"])
        alert_low, alert_high = _range(words, said["alert limits"])
        limits = {"low": low, "high": high, "alert_low": alert_low, "alert_high": alert_high}
    return TestDraft(
        tag=said["tag"], name=said["name"], method_code=method[1], method_version=method[2],
        unit=said["unit"], point=said["point"], decimals=_whole(words, said["decimals"], 0),
        replicates=_whole(words, said["determinations"], 1), **limits,
    )  # fmt: skip


def _range(words: list[str], text: str) -> tuple[Decimal | None, Decimal | None]:
    if not text:
        return None, None
    for pattern, sides in (
        (f"{_NUMBER} to {_NUMBER}", (1, 2)),
        (f"at least {_NUMBER}", (1, 0)),
        (f"at most {_NUMBER}", (0, 1)),
    ):
        if found := re.fullmatch(pattern, text):
            low, high = (Decimal(found[side]) if side else None for side in sides)
            return low, high
    raise _wrong(words, f"“{text}” is no range: write “2.5 to 3.5”, “at least 2.5” or “at most 3”")


def _whole(words: list[str], text: str, default: int) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise _wrong(words, f"“{text}” is no whole number")
    return int(text) if text else default


def _point(words: list[str]) -> PointDraft:
    if not 3 <= len(words) <= 4:
        raise _wrong(words, "write point | samples | amount of each | storage")
    return PointDraft(
        point=words[0], samples=_whole(words, words[1], 1), amount=words[2],
        storage=words[3] if len(words) == 4 else "",
    )  # fmt: skip


def _wrong(words: list[str], why: str) -> SpecificationInvalid:
    return SpecificationInvalid(f"“{' | '.join(words)}”: {why}")


def _products(record: None) -> list[tuple[str, str]]:
    found = Product.objects.order_by("code")
    return [("", "none: a material"), *((one.code, f"{one.code} {one.name}") for one in found)]


acts.offer(
    Specification,
    Act(
        "create", "Begin a specification", Duty.AUTHOR_SPECIFICATION, _create, form=CreateForm,
        is_for_list=True, choices={"product": _products},
    ),
    Act(
        "draft", "Write the next version", Duty.AUTHOR_SPECIFICATION, _draft, form=DraftForm,
        explanation="A version says all tests and the whole sampling plan; it is never changed.",
    ),
)  # fmt: skip
