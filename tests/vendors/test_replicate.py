"""Replicate's packages at the stand-in for Replicate."""

from vendors.cases import FourCases, Raised

SCHNELL = "black-forest-labs/flux-schnell"
FLAGGED = "flagged as sensitive"


class TestReplicateForPython(FourCases):
    script = "replicate_run.py"
    provider = "replicate"
    base_path = "/replicate"  # it puts /v1 behind it
    asked = {"model": SCHNELL, "input": {"aspect_ratio": "16:9", "num_outputs": 2}}
    pictures = 2
    size = (1344, 768)
    refusal = Raised("ModelError", None, FLAGGED)
    throttle = Raised("ReplicateError", 429)


class TestReplicateVersionForPython(FourCases):
    """A model by its version, without `Prefer: wait`: every state is seen."""

    script = "replicate_run.py"
    provider = "replicate"
    base_path = "/replicate"
    asked = {"model": f"owner/name:{'5c7d' * 16}", "wait": False}
    size = (1024, 1024)
    refusal = Raised("ModelError", None, FLAGGED)
    throttle = Raised("ReplicateError", 429)


class TestReplicateForNode(FourCases):
    script = "replicate.mjs"
    provider = "replicate"
    asked = {"model": SCHNELL, "input": {"aspect_ratio": "2:3"}}
    size = (832, 1216)
    refusal = Raised("Error", None, FLAGGED)
    throttle = Raised("ApiError", 429)
