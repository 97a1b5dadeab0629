"""The contract of the REST API: what holds for every endpoint of every room, each rule in its module.

strict_json      which bodies are read at all
queries          which parameters a query may have
encodings        which bodies may be packed, and how
problems         what a refusal looks like (RFC 9457)
error_codes      every code a refusal can have
correlation      the id that one request carries everywhere
idempotency      a write sent twice happens once
versions         ETag, If-Match, If-None-Match
rates            how often a client may ask
lifetimes        Deprecation and Sunset
endpoint         the order in which all of it is asked
routes           how every view comes under it
openapi          how the schema says so
"""
