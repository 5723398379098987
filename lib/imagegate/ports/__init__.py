"""What the use cases need from the outside world. Small on purpose."""
