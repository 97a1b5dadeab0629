"""A data-driven twin of any process: monitoring of batches and of continuous runs, and quality."""
