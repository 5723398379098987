"""CPU of an accepted request in the warm `api` function: `make bench NAME=requests [N=2000] [OTHER=<checkout>]`.

The handler gets real API Gateway events; DynamoDB and Step Functions are a stub in another process, so what is
counted is our own work and botocore's. Compared, in the same run, with its two AWS calls alone, and with OTHER in
three turns. docs/protocols/openai-images.md#measured (LiteLLM) and docs/protocols/gradio-spaces.md#g4f-measured have
what other gateways take, measured elsewhere.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cpu_ms(call: Callable[[], Any], n: int) -> float:
    """Median CPU milliseconds of `call`, over batches."""
    batches, size = [], max(1, n // 20)
    for _ in range(20):
        began = time.process_time()
        for _ in range(size):
            call()
        batches.append((time.process_time() - began) / size * 1000)
    return statistics.median(batches)


def measure(n: int) -> None:
    """In the function's process: print the figures."""
    import boto3

    import api
    from support.gateway import event

    body = json.dumps({"model": "flux", "prompt": "a red fox in the snow", "size": "1024x768"}).encode()
    posted = event("POST", "/v1/images/generations", body, {"prefer": "respond-async", "user-agent": "OpenAI/Python"})
    assert api.handler(posted, None)["statusCode"] == 202
    dynamodb, workflow = boto3.client("dynamodb"), boto3.client("stepfunctions")
    item = {"pk": {"S": "op#x"}, "body": {"S": "x" * 700}}

    def bare() -> None:
        put = {"Put": {"TableName": "t", "Item": item}}
        dynamodb.transact_write_items(TransactItems=[put, put])
        workflow.start_execution(stateMachineArn=os.environ["STATE_MACHINE_ARN"], name="x", input="{}")

    bare()
    request, calls = cpu_ms(lambda: api.handler(posted, None), n), cpu_ms(bare, n)
    figures = {
        "request_ms": round(request, 3),
        "aws_calls_ms": round(calls, 3),
        "ours_ms": round(request - calls, 3),
        "ratio": round(request / calls, 3),
    }
    print(json.dumps(figures))


def measured(root: Path, n: int) -> dict[str, float]:
    """The figures of the function in that checkout, in a process of its own."""
    from benchmarks.function_process import aws_stub, environment

    with aws_stub() as url:
        folders = ":".join(str(root / name) for name in ("lib", "functions", "tests"))
        done = subprocess.run(
            [sys.executable, "-P", "-m", "benchmarks.requests", "measure", str(n)],
            env=environment(AWS_ENDPOINT_URL=url, PYTHONPATH=folders),
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """This checkout, in turns with another one if there is one, and the peers."""
    from benchmarks.function_process import ROOT

    n, other = int(os.environ.get("N", "2000")), os.environ.get("OTHER")
    rounds = [(measured(ROOT, n), measured(Path(other), n) if other else None) for _ in range(3 if other else 1)]
    figures = min((ours for ours, _ in rounds), key=lambda each: each["request_ms"])
    print(f"CPU per accepted request, warm, {n} requests")
    print(f"  imagegate api              {figures['request_ms']:6.2f} ms   = {figures['ratio']:.2f} x its AWS calls")
    print(f"    of which AWS calls       {figures['aws_calls_ms']:6.2f} ms   (transaction, StartExecution)")
    if other:
        ratios = [ours["request_ms"] / theirs["request_ms"] for ours, theirs in rounds if theirs]
        figures["by_other"] = round(statistics.median(ratios), 3)
        print(f"  by the other checkout      {figures['by_other']:6.2f}      {[round(ratio, 2) for ratio in ratios]}")
    print("  LiteLLM proxy, elsewhere   5.4-6.3 ms")
    print("  g4f, elsewhere             1.3-3.9 ms")
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(int(sys.argv[2]))
    else:
        main()
