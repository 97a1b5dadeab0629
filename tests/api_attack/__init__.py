"""Other people's tools attack the API: `make api-attack`."""
