"""A client that openapi-python-client makes of the schema does a whole batch."""
