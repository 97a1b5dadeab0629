"""`check --deploy` says when people may sign in with a password alone."""

from typing import Any

import pytest

from config import checks


@pytest.mark.requirement("A11D-11")
def test_a_deployment_without_compulsory_second_factors_is_warned(settings: Any) -> None:
    settings.SECOND_FACTOR_COMPULSORY = False
    (warning,) = checks.second_factor_is_compulsory()
    assert warning.id == "gmp.W010"

    settings.SECOND_FACTOR_COMPULSORY = True
    assert checks.second_factor_is_compulsory() == []


@pytest.mark.parametrize(
    ("hosts", "domain", "is_good"),
    [
        (["localhost"], "localhost", True),
        (["gmp.plant.example"], "plant.example", True),
        ([".plant.example"], "plant.example", True),
        (["gmp.plant.example"], "localhost", False),
        (["notplant.example"], "plant.example", False),
    ],
)
def test_the_domain_of_security_keys_is_the_site_s(
    settings: Any, hosts: list[str], domain: str, is_good: bool
) -> None:
    settings.ALLOWED_HOSTS, settings.SITE_DOMAIN = hosts, domain

    assert (checks.security_keys_fit_the_site() == []) == is_good
