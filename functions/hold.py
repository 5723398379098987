"""Function URL -> the HTTP API without redirects: a POST is held until its pictures are there."""

from imagegate.deployment import Deployment

handler = Deployment.from_environment().api
