"""The only modules that talk to AWS or open a socket."""
