"""Function URL -> the HTTP front, which sends nobody along redirects: it holds a POST until its pictures are there."""

from imagegate.web.app import create_app
from imagegate.web.lambda_handler import lambda_handler
from imagegate.web.services import build_services

handler = lambda_handler(create_app(build_services()))
