"""Stand-in for YandexART."""
