"""Deploying the template to AWS, and removing what was deployed."""
