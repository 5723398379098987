"""OpenAI's Responses API, for pictures."""
