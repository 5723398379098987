"""The interfaces that use cases and workflow need from the outside world. Small on purpose."""
