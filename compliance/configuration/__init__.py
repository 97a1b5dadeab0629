"""What the installation runs with: each change of it on record, and assessed by quality."""
