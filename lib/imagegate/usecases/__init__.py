"""What callers ask for, one verb per file. Each has its ports as fields and is called once per request or event."""
