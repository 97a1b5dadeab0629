"""Bulk work while its workers are killed with kill -9; each prediction must be made, and once."""
