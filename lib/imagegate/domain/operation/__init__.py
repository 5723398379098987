"""Operations: their states, attempts and results, how they are stored, listed and announced."""
