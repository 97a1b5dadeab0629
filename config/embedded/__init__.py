"""Real servers from wheels: PostgreSQL and Valkey that run in a folder, for whoever uses them."""
