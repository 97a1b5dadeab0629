"""Twin hub as a Django app."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "twins.hub"
    label = "hub"
    verbose_name = "Twin hub"

    def ready(self) -> None:
        from compliance.access import segregation
        from compliance.access.segregation import Rule

        clause = "EU GMP Annex 22 (draft 2025) 6"
        segregation.add(
            Rule("trains a model", "who opens its test set", "every look", clause,
                 "trigger custody_look_allowed")
        )  # fmt: skip
        segregation.add(
            Rule("writes the criteria of a qualification", "who approves them",
                 "every qualification", clause, "constraint qualification_author_is_not_approver")
        )  # fmt: skip
        segregation.add(
            Rule("prepares, trains or tests a model", "who qualifies it", "every version", clause,
                 "trigger model_version_lives")
        )  # fmt: skip
