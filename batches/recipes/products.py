"""Register products, and revise what is registered of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from batches.recipes.actions import Action
from batches.recipes.models import Product
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_MARKET = re.compile(r"[A-Z]{2}")


class ProductKnown(Refused):
    """Codes of products are never used twice."""

    code = "product-known"


class ProductInvalid(Refused):
    code = "product-invalid"
    status = 422


@dataclass(frozen=True)
class Registered:
    """What is registered of a product."""

    strength: str = ""
    dosage_form: str = ""
    shelf_life_months: int | None = None
    markets: Sequence[str] = ()


def create(
    *, code: str, name: str, actor: User, at: datetime, registered: Registered = Registered()
) -> Product:
    """Register a product; raise `ProductKnown` or `ProductInvalid`."""
    authority.demand(actor, Duty.AUTHOR_RECIPE)
    if not _CODE.fullmatch(code):
        raise ProductInvalid(
            f"“{code}” is no product code: 1 to 40 letters, digits, dots, dashes, underscores"
        )
    if not name.strip():
        raise ProductInvalid(f"{code}: a product needs a name")
    _demand_valid(registered)
    with recording.recording(Action.PRODUCT_CREATED, actor=actor, at=at, reason=f"product {code}"):
        if Product.objects.filter(code=code).exists():
            raise ProductKnown(f"{code} is registered already; choose another code")
        return Product.objects.create(code=code, name=name.strip(), **_fields(registered))


def revise(
    product: Product, *, name: str, registered: Registered, actor: User, at: datetime, reason: str
) -> Product:
    """Record what is registered now. Versions of recipes that left their draft keep what they say."""
    authority.demand(actor, Duty.AUTHOR_RECIPE)
    text = recording.demand_reason(reason)
    if not name.strip():
        raise ProductInvalid(f"{product}: a product needs a name")
    _demand_valid(registered)
    with recording.recording(Action.PRODUCT_REVISED, actor=actor, at=at, reason=text):
        locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
        locked.name = name.strip()
        for field, value in _fields(registered).items():
            setattr(locked, field, value)
        locked.save()
    return locked


def _fields(registered: Registered) -> dict[str, object]:
    return {**vars(registered), "markets": sorted(set(registered.markets))}


def _demand_valid(registered: Registered) -> None:
    wrong = [market for market in registered.markets if not _MARKET.fullmatch(market)]
    if wrong:
        raise ProductInvalid(
            f"{', '.join(wrong)}: write markets as two capital letters (ISO 3166-1), e.g. DE, US"
        )
    if registered.shelf_life_months is not None and registered.shelf_life_months < 1:
        raise ProductInvalid("a shelf life is one month or more")
