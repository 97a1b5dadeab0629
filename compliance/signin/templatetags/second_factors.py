"""Tell templates with what a person may confirm a signature beside the password."""

from django import template

from compliance.access.models import User
from compliance.signin import factors, providers
from compliance.signin.models import IdentityLink

register = template.Library()


@register.simple_tag
def has_security_key(person: object) -> bool:
    return isinstance(person, User) and bool(factors.keys(person))


@register.simple_tag
def can_sign_in_anew(person: object) -> bool:
    """Say whether the person has an identity at a provider that authenticates anew."""
    return (
        isinstance(person, User)
        and "oidc" in providers.names()
        and IdentityLink.objects.filter(person=person, provider="oidc", ended_at=None).exists()
    )
