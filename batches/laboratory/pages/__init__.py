"""The laboratory's pages in the admin: one module a kind of record, and the acts on them."""
