"""OpenAI's Images API, with g4f's additions."""
