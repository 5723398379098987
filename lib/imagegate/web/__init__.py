"""The HTTP API: one folder per client API, and what all of them share."""
