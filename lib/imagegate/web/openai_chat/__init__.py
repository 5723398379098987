"""OpenAI's Chat Completions API over HTTP."""
