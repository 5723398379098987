"""Stand-in for a language model."""
