"""Twins as pure numerics: values in, values out, the same bytes in every process."""
