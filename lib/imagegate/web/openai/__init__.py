"""OpenAI's Images API over HTTP."""
