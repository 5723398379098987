"""Lambda's own runtime client, which writes down what the process has taken whenever it asks for an event.

Called as: python client.py MODULE.HANDLER. FIGURES names the file.
"""

import json
import os
import resource
import sys
from typing import Any

from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient


class MeasuredClient(LambdaRuntimeClient):  # type: ignore[misc]
    """Its first line is what the initialisation took."""

    def wait_next_invocation(self) -> Any:
        used = resource.getrusage(resource.RUSAGE_SELF)
        figures = {"cpu_ms": round((used.ru_utime + used.ru_stime) * 1000), "max_mb": round(used.ru_maxrss / 1024)}
        with open(os.environ["FIGURES"], "a") as file:
            file.write(json.dumps(figures) + "\n")
        return super().wait_next_invocation()


bootstrap.run(sys.argv[1], MeasuredClient(os.environ["AWS_LAMBDA_RUNTIME_API"]))
