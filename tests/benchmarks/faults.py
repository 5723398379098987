"""The fault campaign: `make bench NAME=faults [N=500] [SEED=1]`.

N operations on the embedded stack while everything goes wrong with set probabilities, repeatably by seed: upstreams
throttle, fail, fall silent, drop connections and answer nonsense (directives in the prompts), functions are refused,
killed, stopped for seconds and run twice (local/ministack/chaos.py), and of all that functions send to AWS and to
upstreams a share is harmed on its way (fault_proxies.py). Every provider has its turn, with faults of its own stand-
in: half the operations insist on it, the others may fail over along its model's route. The clients of half of them
wait. Afterwards every operation is held against what the upstreams counted, what the bus carried and what is in S3.

- lost: accepted and unknown afterwards, or succeeded without its picture in S3
- stuck: not ended although deadline and grace are over
- silent_duplicates: submissions an upstream accepted beyond the attempts on the operation's record
- unharvested (reported, not required): jobs that an upstream certainly has and whose end no poll had seen when all
  operations had ended; sweep goes on looking for their pictures until the upstream forgets them
- unannounced: terminal states that the bus did not carry
- ambiguous_for_nothing: failed because it is unknown whether a submission arrived, although it would have been free
"""

import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks.fault_counts import ambiguous_for_nothing, count_silent, id_in, over, read, unharvested
from benchmarks.fault_jobs import Job, draw_jobs
from benchmarks.fault_proxies import aws_proxy, upstream_proxy
from benchmarks.faulty_proxy import FaultyProxy
from imagegate.local.ministack.chaos import VARIABLE
from imagegate.local.stack.settings import StandIns, TemplateParameter
from imagegate.local.stack.stack import Stack
from imagegate.local.upstreams.app import STAND_IN_SECRETS, build_app
from support.stack_settings import on_free_ports

CHAOS = {"fail": 0.02, "kill": 0.06, "hang": 0.02, "repeat": 0.05, "spare": ["api", "sweep"]}
OPEN = 24
"""Operations under way at once."""
DEADLINE = 240.0
GRACE = 420.0
"""Seconds after the deadline within which sweep must have ended whatever stood still."""
ZERO = ("lost", "stuck", "silent_duplicates", "unannounced", "unstable_event_ids", "ambiguous_for_nothing")
"""Figures that must be."""
TERMINAL = {"succeeded": "Succeeded", "failed": "Failed", "cancelled": "Cancelled"}


@dataclass
class Campaign:
    """One campaign on a running stack."""

    stack: Stack
    n: int
    dice: random.Random
    accepted: dict[str, Job] = field(default_factory=dict)
    """By operation id."""
    heard: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Start everything, wait for the end, count."""
        stop = threading.Event()
        listener = threading.Thread(target=self._listen, args=(self._queue(), stop), daemon=True)
        listener.start()
        with ThreadPoolExecutor(max_workers=OPEN) as pool:
            list(pool.map(self._see_through, draw_jobs(self.n, self.dice, DEADLINE)))
        ended = self._wait()
        self._wait_for_announcements(ended)
        stop.set()
        listener.join()
        return self._report(ended)

    def _see_through(self, job: Job) -> None:
        """Start one at a time, because MiniStack fails with hundreds of workers."""
        with httpx.Client(base_url=self.stack.base_url, timeout=35, headers=job.headers) as client:
            operation_id = self._start(client, job)
            until = time.monotonic() + DEADLINE + GRACE
            while time.monotonic() < until:
                if over(read(client, operation_id)):
                    break
                time.sleep(3)
        print(f"\r{len(self.accepted)} of {self.n} started ", end="", flush=True)

    def _start(self, client: httpx.Client, job: Job) -> str:
        """Post until it is accepted, as a client with an Idempotency-Key does; gives the operation's id.

        A client that waits does so along the redirects, until there is an end or the line breaks.
        """
        refusal = ""
        for _ in range(30):
            try:
                answer = client.post(job.path, json=job.body)
            except httpx.TransportError as error:
                refusal = repr(error)
                continue
            refusal = f"{answer.status_code} {answer.text[:200]}"
            if operation_id := id_in(answer):
                self.accepted[operation_id] = job
                with suppress(httpx.TransportError):
                    while answer.status_code == 303:
                        answer = client.get(answer.headers["location"])
                return operation_id
        raise RuntimeError(f"never accepted: {job} {refusal}")

    def _wait(self) -> dict[str, dict[str, Any]]:
        """Every operation as it ended, or as it is when all time is over."""
        until, found = time.monotonic() + DEADLINE + GRACE, dict[str, dict[str, Any]]()
        with httpx.Client(base_url=self.stack.base_url, timeout=35) as client:
            while True:
                for operation_id in self.accepted:
                    if not over(found.get(operation_id)):
                        shown = read(client, operation_id)
                        found |= {operation_id: shown} if shown else {}
                open_ones = [entry for entry in self.accepted if not over(found.get(entry))]
                print(f"\r{len(self.accepted) - len(open_ones)} of {len(self.accepted)} ended ", end="", flush=True)
                if not open_ones or time.monotonic() > until:
                    print()
                    return found
                time.sleep(1)

    def _queue(self) -> str:
        """A queue of our own on the bus; gives its URL."""
        sqs, events = self.stack.client("sqs"), self.stack.client("events")
        url: str = sqs.create_queue(QueueName="campaign")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        bus = self.stack.outputs["EventBusName"]
        events.put_rule(Name="campaign", EventBusName=bus, EventPattern=json.dumps({"source": ["imagegate"]}))
        events.put_targets(Rule="campaign", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def _listen(self, queue: str, stop: threading.Event) -> None:
        sqs = self.stack.client("sqs")
        while not stop.is_set():
            answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self.heard.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def _wait_for_announcements(self, ended: dict[str, dict[str, Any]]) -> None:
        until = time.monotonic() + 120
        while self._unannounced(ended) and time.monotonic() < until:
            time.sleep(0.5)

    def _unannounced(self, ended: dict[str, dict[str, Any]]) -> list[str]:
        message = {(event["detail"]["operation"]["id"], event["detail-type"].split()[-1]) for event in list(self.heard)}
        return [
            entry
            for entry, document in ended.items()
            if document["done"] and (entry, TERMINAL[document["state"]]) not in message
        ]

    def _report(self, ended: dict[str, dict[str, Any]]) -> dict[str, Any]:
        ledger = httpx.get(f"{self.stack.upstreams_url}/_standin/submissions", timeout=60).json()["submissions"]
        submissions = Counter((call["prompt"], call["upstream"]) for call in ledger)
        duplicates = unknown = 0
        for operation_id, document in ended.items():
            if document["error"] and document["error"]["code"] == "deadline_exceeded":
                print(f"overdue: {self.accepted[operation_id].body} {json.dumps(document['attempts'])}")
            if ambiguous_for_nothing(document):
                print(f"ambiguous for nothing: {self.accepted[operation_id].body} {json.dumps(document['attempts'])}")
            duplicates += count_silent(document, self.accepted[operation_id], submissions)
            unknown += sum(attempt["state"] == "unknown" for attempt in document["attempts"])
        ids: dict[str, set[str]] = {}
        for event in self.heard:
            ids.setdefault(event["detail"]["event_id"], set()).add(json.dumps(event["detail"], sort_keys=True))
        return {
            "operations": len(self.accepted),
            "providers": len({job.provider for job in self.accepted.values()}),
            "upstreams_that_accepted": len({call["upstream"] for call in ledger}),
            "providers_without_success": sorted(self._without_success(ended)),
            "states": dict(Counter(document["state"] for document in ended.values())),
            "failures": dict(Counter(document["error"]["code"] for document in ended.values() if document["error"])),
            "lost": len(set(self.accepted) - set(ended)) + self._without_pictures(ended),
            "stuck": sum(not document["done"] for document in ended.values()),
            "silent_duplicates": duplicates,
            "unharvested": sum(map(unharvested, ended.values())),
            "ambiguous_for_nothing": sum(map(ambiguous_for_nothing, ended.values())),
            "unannounced": len(self._unannounced(ended)),
            "unstable_event_ids": sum(len(details) > 1 for details in ids.values()),
            "unknown_submissions": unknown,
            "submissions": sum(submissions.values()),
            "events": len(self.heard),
            "events_repeated": len(self.heard) - len(ids),
        }

    def _without_success(self, ended: dict[str, dict[str, Any]]) -> set[str]:
        """Providers whose turn it was, and that made no picture of any operation."""
        made = {image["provider"] for document in ended.values() for image in document["images"]}
        return {job.provider for job in self.accepted.values()} - made

    def _without_pictures(self, ended: dict[str, dict[str, Any]]) -> int:
        """Operations that say `succeeded` and whose picture is not in S3 as they say."""
        s3, bucket, missing = self.stack.client("s3"), self.stack.outputs["BucketName"], 0
        for document in ended.values():
            if document["state"] != "succeeded":
                continue
            sizes = [s3.head_object(Bucket=bucket, Key=entry["key"])["ContentLength"] for entry in document["images"]]
            missing += sizes != [entry["bytes"] for entry in document["images"]] or len(sizes) != document["n"]
        return missing


class StackBehindProxy(Stack):
    """A stack whose functions reach upstreams through a proxy."""

    upstream_proxy: FaultyProxy

    def _parameters(self) -> dict[str, str]:
        parameters = super()._parameters()
        return {**parameters, TemplateParameter.STAND_IN_URL: self.upstream_proxy.url}


def main() -> None:
    """Run a campaign on a stack of its own."""
    n, seed = int(os.environ.get("N", "500")), int(os.environ.get("SEED", "1"))
    print(f"fault campaign: {n} operations, seed {seed}")
    with tempfile.TemporaryDirectory() as folder, aws_proxy(seed) as to_aws, upstream_proxy(seed) as to_upstreams:
        settings = replace(
            on_free_ports(Path(folder)),
            stand_ins=StandIns(build_app(latency_seconds=0.2), STAND_IN_SECRETS),
            environment={VARIABLE: json.dumps({"seed": seed, **CHAOS}), "AWS_ENDPOINT_URL": to_aws.url},
        )
        stack = StackBehindProxy(settings)
        stack.upstream_proxy = to_upstreams
        with stack:
            to_aws.lead_to(stack.ministack.port)
            assert stack.upstreams
            to_upstreams.lead_to(stack.upstreams.port)
            figures = Campaign(stack, n, random.Random(seed)).run()
    figures |= {"aws": to_aws.fates(), "upstreams": to_upstreams.fates()}
    for name, value in figures.items():
        print(f"  {name:22} {value}")
    print(json.dumps(figures))
    if any(figures[name] for name in ZERO):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
