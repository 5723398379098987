"""Stand-in upstreams: real protocols on loopback, pictures drawn instead of generated; no key, no internet."""
