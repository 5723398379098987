"""Picture files: their containers and metadata, read and edited without decoding a pixel."""
