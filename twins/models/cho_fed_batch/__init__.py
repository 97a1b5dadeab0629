"""A fed-batch of CHO cells that make a monoclonal antibody, after Kornecki and Strube (2018)."""
