"""Refuse to start with checks that the rule pack does not describe, or the other way round."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from compliance.inspection import rule_packs
from compliance.inspection.registry import CHECKS
from compliance.inspection.rule_packs import PackFaulty


@checks.register("inspection")
def rule_pack_matches(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Compare the rule pack with the registered checks."""
    try:
        rule_packs.load().demand_complete(CHECKS.ids())
    except PackFaulty as error:
        return [checks.Error(str(error), id="inspection.E001")]
    return []
