"""The Model Context Protocol, by which language models call tools."""
