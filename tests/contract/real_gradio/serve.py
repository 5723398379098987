"""A small real Gradio Space, shaped like FLUX.1-schnell's, that draws a gradient instead of running a model.

Run it with the interpreter of `.venvs/gradio4` or `.venvs/gradio6`, never with the project's own: it imports nothing of
imagegate. It prints one line of JSON, `{"url": ..., "version": ...}`, when it answers, and serves on 127.0.0.1 (port
`PORT`, or a free one) until it is stopped. Signature, sliders and seed
handling: docs/protocols/gradio-spaces.md#function.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import threading
import time

os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_SERVER_NAME="127.0.0.1",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    # Gradio asks itself whether it is up, through httpx, which would honour a proxy set outside.
    NO_PROXY="127.0.0.1,localhost",
    no_proxy="127.0.0.1,localhost",
)

import gradio as gr
from PIL import Image

MAX_SEED = 2147483647
MAX_IMAGE_SIZE = 2048
DELAY = re.compile(r"\[delay ([\d.]+)s?\]")


def infer(
    prompt: str,
    seed: int = 42,
    randomize_seed: bool = False,
    width: int = 1024,
    height: int = 1024,
    num_inference_steps: int = 4,
) -> tuple[Image.Image, int]:
    """Draw a gradient of the asked size; `[error]`, `[crash]` and `[delay N]` in the prompt do what they say."""
    del num_inference_steps
    if delay := DELAY.search(prompt):
        time.sleep(float(delay[1]))
    if "[error]" in prompt:
        raise gr.Error("The prompt asked for an error.")
    if "[crash]" in prompt:
        raise ValueError("The prompt asked for a crash.")
    if randomize_seed:
        seed = random.randint(0, MAX_SEED)
    picture = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (picture, picture.rotate(180), Image.new("L", picture.size, seed % 256))), seed


def build() -> gr.Blocks:
    """The Space's form: six inputs in the order of `infer`, an image and the seed as outputs."""
    with gr.Blocks() as demo:
        prompt = gr.Text(label="Prompt")
        run = gr.Button("Run")
        result = gr.Image(label="Result")
        seed = gr.Slider(label="Seed", minimum=0, maximum=MAX_SEED, step=1, value=0)
        randomize = gr.Checkbox(label="Randomize seed", value=True)
        width = gr.Slider(label="Width", minimum=256, maximum=MAX_IMAGE_SIZE, step=32, value=1024)
        height = gr.Slider(label="Height", minimum=256, maximum=MAX_IMAGE_SIZE, step=32, value=1024)
        steps = gr.Slider(label="Number of inference steps", minimum=1, maximum=50, step=1, value=4)
        inputs = [prompt, seed, randomize, width, height, steps]
        run.click(infer, inputs=inputs, outputs=[result, seed], api_name="infer", concurrency_limit=8)
    return demo


def free_port() -> int:
    """A free port: by default Gradio takes 7860 and up, where two servers can collide."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve() -> None:
    """Start, say where, and stay until stopped."""
    _, url, _ = (
        build()
        .queue()
        .launch(
            server_name="127.0.0.1",
            server_port=int(os.environ.get("PORT") or free_port()),
            share=False,
            quiet=True,
            prevent_thread_lock=True,
        )
    )
    print(json.dumps({"url": url.rstrip("/"), "version": gr.__version__}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve()
