"""An industrial penicillin fed-batch, after Goldrick et al. (2015, 2019)."""
