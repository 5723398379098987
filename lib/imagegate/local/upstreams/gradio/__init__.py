"""Stand-in for FLUX.1-schnell Spaces."""
