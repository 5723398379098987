"""The workflow's states, one module each, and the parts they share. Scenarios: tests/scenarios."""
