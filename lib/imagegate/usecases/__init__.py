"""One verb per file. Each takes its ports in the constructor and is called once per event."""
