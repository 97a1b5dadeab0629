"""Many writers and kill -9 of everything at once; afterwards the log must be whole."""
