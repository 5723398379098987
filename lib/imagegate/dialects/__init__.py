"""JSON of a client's API to the domain and back. Pure functions; each dialect has its own errors."""
