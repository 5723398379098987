"""`imagegate routes`, `providers` and `models`: which upstreams make which pictures."""
