"""Commands that use a gateway through its HTTP API, wherever it runs."""
