"""Advice beside a running batch: the smallest move of the feed that keeps a limit, and until when."""
