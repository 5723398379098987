"""boto3 at Bedrock's runtime."""

import base64
import json

import boto3
from run import Asked, run


def generate(asked: Asked) -> list[bytes]:
    """One call of `invoke_model`, with the SDK's own defaults."""
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=asked["base_url"],
        region_name="us-west-2",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="any",
    )
    body = {"prompt": asked["prompt"], "aspect_ratio": "16:9", "seed": 7, "output_format": "jpeg"}
    answer = client.invoke_model(modelId="stability.stable-image-core-v1:1", body=json.dumps(body))
    document = json.loads(answer["body"].read())
    if document["finish_reasons"][0]:
        raise ValueError(document["finish_reasons"][0])
    return [base64.b64decode(image) for image in document["images"]]


def describe(error: Exception) -> Asked:
    """The HTTP status, which boto3 has in a dictionary."""
    told = getattr(error, "response", None)
    return {"status": told["ResponseMetadata"]["HTTPStatusCode"]} if told else {}


run(generate, describe)
