"""The embedded stack: deployment, state, the front door."""
