"""Django's PostgreSQL backend, whose transactions can begin with an act of the trail."""

from django.db.backends.postgresql import base

from config.postgres.statement_at_begin import StatementAtBegin


class DatabaseWrapper(StatementAtBegin, base.DatabaseWrapper):
    pass
