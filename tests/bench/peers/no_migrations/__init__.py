"""Empty: the tables of the measured records are made as they are, without migrations."""
