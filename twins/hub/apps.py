"""Twin hub as a Django app."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "twins.hub"
    label = "hub"
    verbose_name = "Twin hub"

    def ready(self) -> None:
        from compliance.access import segregation
        from compliance.access.segregation import Rule
        from twins.hub import qualification_report  # noqa: F401 -- it registers itself

        clause = "EU GMP Annex 22 (draft 2025) 6"
        segregation.add(
            Rule("trains or prepares a model", "who seals or opens its test set", "every look",
                 clause, "triggers custody_look_allowed, custody_look_apart")
        )  # fmt: skip
        segregation.add(
            Rule("writes the criteria of a qualification", "who approves them",
                 "every qualification", clause, "constraint qualification_author_is_not_approver")
        )  # fmt: skip
        segregation.add(
            Rule("prepares, trains or tests a model", "who qualifies it", "every version", clause,
                 "trigger model_version_lives")
        )  # fmt: skip
