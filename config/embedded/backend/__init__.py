"""A Django database backend that starts its own PostgreSQL when something connects."""
