"""API Gateway -> the wait route."""

from imagegate.deployment import Deployment

handler = Deployment.from_environment().wait
