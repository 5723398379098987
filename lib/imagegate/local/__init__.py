"""The embedded stack. Nothing here goes into the Lambda layer."""
