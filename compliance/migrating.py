"""Migrations of a room's first tables, at the price of one look at the models."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class Tables(migrations.Migration):
    """A migration of nothing but CreateModel: its models are rendered once, and no others.

    Django renders every model that is related to a new one again after each operation; here nearly
    all are related, by the person who acted. That took nine tenths of the time of a new database.
    Nothing refers to a model that is new, so the rendered ones stay as they are.
    """

    def apply(
        self,
        project_state: ProjectState,
        schema_editor: BaseDatabaseSchemaEditor,
        collect_sql: bool = False,
    ) -> Any:
        if collect_sql:
            return super().apply(project_state, schema_editor, collect_sql)
        before = project_state.clone()
        rendered, known = project_state.apps, set(project_state.models)
        del project_state.__dict__["apps"]  # or each operation would render them all
        self.mutate_state(project_state, preserve=False)
        rendered.render_multiple(
            [model for key, model in project_state.models.items() if key not in known]
        )
        project_state.__dict__["apps"] = rendered
        for operation in self.operations:
            operation.database_forwards(self.app_label, schema_editor, before, project_state)
        return project_state
