"""`imagegate doctor`: one check a file, each with what it found and what to do."""
