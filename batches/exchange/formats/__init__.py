"""Formats of other systems, read into plain values: no Django, no database."""
