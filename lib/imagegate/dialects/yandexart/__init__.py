"""YandexART's asynchronous API."""
