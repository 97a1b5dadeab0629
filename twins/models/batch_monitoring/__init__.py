"""A data-driven batch twin: says while a batch runs whether it deviates, and what it will yield."""
