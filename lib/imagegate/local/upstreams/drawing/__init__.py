"""The stand-ins' pictures."""
