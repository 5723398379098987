"""MiniStack as a child process, and what is mended in it."""
