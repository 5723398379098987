"""Must not reach the layer."""
