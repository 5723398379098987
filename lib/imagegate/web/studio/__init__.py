"""The studio: the web page of the gateway, which calls the same API as every other client."""
