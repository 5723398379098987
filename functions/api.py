"""API Gateway -> the HTTP API."""

from imagegate.deployment import Deployment

handler = Deployment.from_environment().api
