"""The business rules in plain Python: requests, operations, outcomes, errors. Imports nothing else."""
