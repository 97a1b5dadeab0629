"""Verify an evidence bundle offline: no Django, no database, no network."""
