"""A simulated plant that posts what happens to its batches."""
