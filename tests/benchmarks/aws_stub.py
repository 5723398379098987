"""A process that answers DynamoDB and Step Functions calls at once, and requests for pictures as an upstream.

So only the work of who calls it is measured.

Started by benchmarks as `python aws_stub.py`; prints its port and ends with its standard input.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTED = {"executionArn": "arn:aws:states:us-east-1:000000000000:execution:m:x", "startDate": 1.0}

MADE = {"created": 1, "data": [{"url": "http://127.0.0.1/p.png"}]}


class Answers(BaseHTTPRequestHandler):
    """Says yes to everything."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer by the operation's name in `x-amz-target`; without one, as OpenAI's API for pictures."""
        self.rfile.read(int(self.headers["content-length"]))
        target = self.headers["x-amz-target"]
        if target is None:
            answer, kind = MADE, "application/json"
        else:
            answer, kind = STARTED if target.endswith("StartExecution") else {}, "application/x-amz-json-1.0"
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
