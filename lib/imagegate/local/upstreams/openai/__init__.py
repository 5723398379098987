"""Stand-ins for OpenAI's Images API and servers compatible with it."""
