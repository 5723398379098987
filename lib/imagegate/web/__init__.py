"""The HTTP front: one router per dialect, one way of waiting."""
