"""A Django database backend for PostgreSQL servers, as the trail needs it."""
