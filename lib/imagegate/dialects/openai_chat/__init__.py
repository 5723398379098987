"""OpenAI's Chat Completions API with pictures in the answer."""
