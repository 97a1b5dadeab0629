"""Models of others as FMUs (FMI 2 and 3, co-simulation): checked, confined, run, and not believed."""
