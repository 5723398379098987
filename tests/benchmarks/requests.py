"""CPU of an accepted request in the warm `api` function: `make bench NAME=requests [N=2000] [OTHER=<checkout>]`.

The handler gets real API Gateway events; DynamoDB and Step Functions are a stub in another process, so what is
counted is our own work and botocore's. Compared, in the same run, with its two AWS calls alone, and in three turns with
LiteLLM's proxy and g4f where they are installed (peers.py says how), and with OTHER.
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
    """This checkout, in turns with another one and with the peers if they are there."""
    from benchmarks.function_process import ROOT, aws_stub
    from benchmarks.peers import cpu_ms as cpu_of_peer
    from benchmarks.peers import installed

    n, other, others = int(os.environ.get("N", "2000")), os.environ.get("OTHER"), installed()
    ours, theirs = list[dict[str, float]](), dict[str, list[float]]()
    for _ in range(3 if other or others else 1):
        ours.append(measured(ROOT, n))
        if other:
            theirs.setdefault("other", []).append(measured(Path(other), n)["request_ms"])
        for name, python in others.items():
            with aws_stub() as upstream:
                theirs.setdefault(name, []).append(cpu_of_peer(name, python, upstream, n // 4))
    figures = min(ours, key=lambda each: each["request_ms"])
    print(f"CPU per accepted request, warm, {n} requests")
    print(f"  imagegate api              {figures['request_ms']:6.2f} ms   = {figures['ratio']:.2f} x its AWS calls")
    print(f"    of which AWS calls       {figures['aws_calls_ms']:6.2f} ms   (transaction, StartExecution)")
    for name, times in theirs.items():
        ratios = [mine["request_ms"] / theirs_ms for mine, theirs_ms in zip(ours, times, strict=True)]
        figures[f"by_{name}"] = round(statistics.median(ratios), 3)
        figures[f"{name}_ms"] = round(statistics.median(times), 3)
        print(f"  {name:26} {figures[f'{name}_ms']:6.2f} ms   ours by it: {[round(ratio, 2) for ratio in ratios]}")
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(int(sys.argv[2]))
    else:
        main()
