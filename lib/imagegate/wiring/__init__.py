"""The only place that names concrete adapters. Everything is made on first use and kept for the process.

One module for each side, so that no function loads what it does not need.
"""
