"""What drives a browser."""
