"""Second factors and single sign-on as a Django app."""

from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "compliance.signin"
    label = "signin"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        from compliance.access import credentials
        from compliance.signin import factors

        credentials.more_is_asked_of(factors.is_asked)
