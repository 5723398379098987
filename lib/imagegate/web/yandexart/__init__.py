"""YandexART's asynchronous API over HTTP."""
