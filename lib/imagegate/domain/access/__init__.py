"""Who may do what: API keys, limits, signed links, encryption of secrets."""
