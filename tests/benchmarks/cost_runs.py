"""Batches of operations on an embedded stack of their own, counted."""

import json
import os
import random
import re
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import openai

from benchmarks.cost_counting import CountingProxy
from benchmarks.cost_usage import FUNCTIONS, Usage
from benchmarks.schedule_simulation import lognormal, trained
from imagegate.adapters.dynamodb_api_keys import DynamoDBApiKeys
from imagegate.domain.access.api_key import issue
from imagegate.domain.timing.latency import Histogram
from imagegate.domain.timing.schedule import POLL_PRICE
from imagegate.local.ministack.credentials import access_key_of
from imagegate.local.ports import listen
from imagegate.local.stack.server_thread import ServerThread
from imagegate.local.stack.settings import StandIns
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.stack_settings import on_free_ports

STAGGER = 0.4
"""Seconds between two operations of a batch."""
_REPORT = re.compile(r"REPORT .*Billed Duration: (\d+) ms\s+Memory Size: (\d+) MB")


@dataclass(frozen=True)
class Case:
    """One latency at one kind of upstream."""

    name: str
    seconds: float
    model: str
    provider: str
    upstream_model: str
    waits: bool = False
    """True for the openai package, which waits for its picture; else the client starts it and reads it once."""
    hooks: bool = False
    """True when the upstream may say that the job has ended."""

    @property
    def polled(self) -> bool:
        return self.provider == "yandexart"


class Bench:
    """One case on a stack of its own."""

    def __init__(self, stack: Stack, proxy: CountingProxy, case: Case) -> None:
        self.stack, self.proxy, self.case = stack, proxy, case
        self.dice = random.Random(case.name)
        self.table = stack.outputs["TableName"]
        self.names = {name: self._function(name) for name in FUNCTIONS}
        key, self.key = issue("bench", time.time())
        DynamoDBApiKeys(stack.client("dynamodb"), self.table).put(key)
        self.http = httpx.Client(
            headers={"authorization": f"Bearer {self.key}"}, timeout=40, event_hooks={"response": [self._measure]}
        )
        self.client = openai.OpenAI(
            base_url=f"{stack.base_url}/v1",
            api_key=self.key,
            http_client=openai.DefaultHttpxClient(event_hooks={"response": [self._measure]}),
        )
        self.answered = 0
        self.seconds: dict[str, float] = {}
        """What each job takes, by operation."""

    def _measure(self, answer: httpx.Response) -> None:
        lines = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
        self.answered += lines + int(answer.headers.get("content-length", 0))

    def _function(self, name: str) -> dict[str, Any]:
        pages = self.stack.client("lambda").get_paginator("list_functions").paginate()
        found = [other for page in pages for other in page["Functions"] if other["Handler"] == f"{name}.handler"]
        self.proxy.functions[access_key_of(found[0])] = name
        return dict(found[0])

    def train(self) -> None:
        """Put what 200 observations teach into the table."""
        histogram = Histogram()
        if self.case.polled:
            histogram = trained(lognormal(self.case.seconds), POLL_PRICE, seed=1)
        else:
            source = random.Random(1)
            for _ in range(200):
                histogram = histogram.with_observation(lognormal(self.case.seconds).draw(source))
        item = {
            "pk": {"S": f"latency#{self.case.provider}#{self.case.upstream_model}"},
            "body": {"S": json.dumps(histogram.to_document(), separators=(",", ":"))},
            "version": {"N": "200"},
            "written_at": {"N": "0"},
        }
        self.stack.client("dynamodb").put_item(TableName=self.table, Item=item)

    def batch(self, n: int) -> Usage:
        """Run n operations, a little apart, and count."""
        self.proxy.reset()
        self.answered = 0
        began, cpu = int(time.time() * 1000), self._cpu()
        with ThreadPoolExecutor(n) as pool:
            ids = list(pool.map(self._one, range(n)))
        self._settle(ids)
        names = [name for name in self._executions() if name[:20] in ids]
        transitions = sum((self._entered(name) for name in names), Counter())
        milliseconds, logged = self._reports(began)
        after = self._cpu()
        spent = {name: after[name] - cpu[name] for name in FUNCTIONS}
        memory = {name: entry["MemorySize"] for name, entry in self.names.items()}
        counts = self.proxy.reset()
        assert counts.units["api"]["dynamodb_write_unit"], f"the calls are not those of a function: {counts.calls}"
        delays = [] if self.case.waits else [self._delay(operation_id) for operation_id in ids]
        return Usage(n, transitions, counts, milliseconds, memory, spent, logged, self.answered, delays)

    def _delay(self, operation_id: str) -> float:
        """Seconds from the end of the job to that of its attempt."""
        document = self.http.get(f"{self.stack.base_url}/v1/operations/{operation_id}").json()
        [attempt] = document["attempts"]
        began, ended = (datetime.fromisoformat(attempt[name]) for name in ("started_at", "ended_at"))
        return (ended - began).total_seconds() - self.seconds[operation_id]

    def _executions(self) -> list[str]:
        """The names of all executions: hints start some of their own."""
        pages = self.stack.client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.stack.outputs["StateMachineArn"])
        return [entry["name"] for page in found for entry in page["executions"]]

    def _one(self, number: int) -> str:
        time.sleep(number * STAGGER)
        seconds = lognormal(self.case.seconds).draw(self.dice)
        prompt = f"[delay {round(seconds * 1000)}ms] a picture {number} of {time.time()}"
        if self.case.waits:
            provider = {"provider": self.case.provider}
            made = self.client.images.generate(
                model=self.case.model, prompt=prompt, size="512x512", extra_body=provider
            )
            return str((made.model_extra or {})["operation_id"])
        body = {
            "model": self.case.model,
            "prompt": prompt,
            "provider": self.case.provider,
            "size": {"width": 512, "height": 512},
            "deadline": 3600,
        }
        answer = self.http.post(f"{self.stack.base_url}/v1/operations", json=body)
        answer.raise_for_status()
        self.seconds[answer.json()["id"]] = seconds
        return str(answer.json()["id"])

    def _settle(self, ids: list[str]) -> None:
        """Until every workflow has ended, then until the bus has carried what there is to tell."""
        states, arn = self.stack.client("stepfunctions"), self.stack.outputs["StateMachineArn"]
        for name in (name for name in self._executions() if name[:20] in ids):
            execution = arn.replace(":stateMachine:", ":execution:") + f":{name}"
            while (status := states.describe_execution(executionArn=execution)["status"]) == "RUNNING":
                time.sleep(0.3)
            assert status == "SUCCEEDED", f"{name} {status}"
        until = time.monotonic() + 30
        while self.proxy.events < 3 * len(ids) and time.monotonic() < until:
            time.sleep(0.2)
        for operation_id in () if self.case.waits else ids:  # that of a client that waited has ended
            answer = self.http.get(f"{self.stack.base_url}/v1/operations/{operation_id}").json()
            assert answer["state"] == "succeeded", answer

    def _entered(self, operation_id: str) -> Counter[str]:
        arn = self.stack.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{operation_id}"
        pages = self.stack.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        details = [entry.get("stateEnteredEventDetails") for page in pages for entry in page["events"]]
        return Counter(detail["name"] for detail in details if detail)

    def _reports(self, began: int) -> tuple[dict[str, list[int]], Counter[str]]:
        logs, found, size = self.stack.client("logs"), {}, Counter[str]()
        for name, function in self.names.items():
            group = function["LoggingConfig"]["LogGroup"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=began)
            lines = [event["message"] for page in pages for event in page["events"]]
            found[name] = [int(match.group(1)) for line in lines if (match := _REPORT.match(line))]
            size[name] = sum(len(line) + 26 for line in lines)
        return found, size

    def _cpu(self) -> Counter[str]:
        """Seconds of CPU that the workers of each function have used: MiniStack's, each in a folder of its own."""
        used, ticks = Counter[str](), os.sysconf("SC_CLK_TCK")
        for process in Path("/proc").glob("[0-9]*"):
            try:
                folder = str((process / "cwd").readlink())
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            for name, function in self.names.items():
                if int(fields[2]) == self.stack.ministack.pid and f"-{function['FunctionName']}-" in folder:
                    used[name] += (int(fields[11]) + int(fields[12])) / ticks  # type: ignore[assignment]
        return used


def run(case: Case, n: int) -> Usage:
    """Warm up, then count."""
    proxy = CountingProxy()
    server = ServerThread(proxy, listen(0), "counter")
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        settings = on_free_ports(Path(folder))
        settings = replace(
            settings,
            parameters={
                **settings.parameters,
                "Access": "keys",
                "IntakeKey": "",
                "LongHold": "off",
                "Monitoring": "none",
                "UpstreamHooks": "on" if case.hooks else "off",
                "PublicUrl": "",
            },
            stand_ins=StandIns(build_app(latency_seconds=0.1), STAND_IN_SECRETS),
            environment={"AWS_ENDPOINT_URL": server.url},
            say=lambda line: None,
        )
        with Stack(settings) as stack:
            proxy.target = stack.aws_endpoint
            bench = Bench(stack, proxy, case)
            bench.train()
            bench.batch(n)
            usage = bench.batch(n)
    server.stop()
    return usage
