"""Pure numbers of a qualification: digests of data, metrics with intervals, skill and drift."""
