"""A process that answers DynamoDB and Step Functions calls at once, so that only our own work is measured.

Started by benchmarks as `python aws_stub.py`; prints its port and ends with its standard input.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTED = {"executionArn": "arn:aws:states:us-east-1:000000000000:execution:m:x", "startDate": 1.0}


class Answers(BaseHTTPRequestHandler):
    """Says yes to everything."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer by the operation's name in `x-amz-target`."""
        self.rfile.read(int(self.headers["content-length"]))
        answer = STARTED if self.headers["x-amz-target"].endswith("StartExecution") else {}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
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
