"""The layer of the small stack."""

VERSION = "1"
