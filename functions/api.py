"""API Gateway -> the HTTP front."""

from mangum import Mangum

from imagegate.web.app import create_app
from imagegate.web.services import wired

# lifespan="off": Mangum would run startup and shutdown on every warm invocation.
handler = Mangum(create_app(wired()), lifespan="off")
