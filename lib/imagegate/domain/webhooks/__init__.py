"""Webhooks: addresses, signatures, deliveries."""
