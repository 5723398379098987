"""The words of the business in plain Python: requests, operations, outcomes, errors. Imports nothing else."""
