"""Teaches a running ComfyUI which checkpoint you like, without its page: queue, look, judge, ask again.

It needs Python's standard library, a ComfyUI with Context Checkpoint, and at least two checkpoints of one architecture.
docs/api.md explains the requests.
"""

import argparse
import json
import time
import urllib.error
import urllib.parse
import urllib.request

SUBJECTS = (
    "woman",
    "man",
    "child",
    "sailor",
    "queen",
    "dancer",
    "farmer",
    "singer",
    "monk",
    "pilot",
    "baker",
    "nurse",
)

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--server", default="http://127.0.0.1:8188", help="the address of ComfyUI")
parser.add_argument("--size", type=int, default=512, help="width and height of the images")
parser.add_argument("--steps", type=int, default=20, help="where a checkpoint's own number is not known")
options = parser.parse_args()


def call(path, body=None):
    """Send a GET, or a POST if there is a body; both return JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(options.server + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{path}: {error.status} {error.read().decode()}") from None
    except urllib.error.URLError as error:
        raise SystemExit(f"No ComfyUI answers at {options.server}: {error.reason}") from None


def graph(prompt, seed):
    """Recommend, sample with one to three checkpoints, record; no verdict yet."""
    return {
        "recommender": {
            "class_type": "ContextCheckpointRecommender",
            "inputs": {
                "prompt": prompt,
                "family": "auto",
                "include": "",
                "exclude": "",
                "fallback": "none",
                "stage": "final",
                "explore": True,
                "max_branches": 3,
                "seed": seed,
            },
        },
        "sampler": {
            "class_type": "MultiCheckpointSampler",
            "inputs": {
                "plan": ["recommender", 0],
                "positive": prompt,
                "negative": "",
                "width": options.size,
                "height": options.size,
                "seed": seed,
                "steps": options.steps,
                "cfg": 6.0,
                "sampler_name": "dpmpp_2m",
                "scheduler": "karras",
                "denoise": 1.0,
                "images_per_prompt": 3,
            },
        },
        "recorder": {
            "class_type": "FeedbackRecorder",
            "inputs": {
                "images": ["sampler", 0],
                "generation": ["sampler", 3],
                "mode": "record",
                "selected": "",
                "rejected": "",
            },
        },
    }


def run(prompt, seed):
    """Queue one prompt, wait for it, and return the generation that was logged for it."""
    prompt_id = call("/prompt", {"prompt": graph(prompt, seed)})["prompt_id"]
    while not (history := call(f"/history/{prompt_id}")):
        time.sleep(0.2)
    status = history[prompt_id]["status"]
    if status["status_str"] != "success":
        raise SystemExit(f"The prompt failed: {status['messages'][-1]}")
    return call(f"/context_checkpoint/generations?prompt_id={prompt_id}")["generations"][0]


def fetch(file):
    """Return the bytes of one image."""
    query = urllib.parse.urlencode({name: file[name] for name in ("filename", "subfolder", "type")})
    with urllib.request.urlopen(f"{options.server}/view?{query}") as response:
        return response.read()


def wanted(file, png):
    """Judge one image: a person, or a model that scores `png`. This example likes one checkpoint's images."""
    return bool(png) and file["checkpoint"] == favourite


# The checkpoints that there are; in this example the last one is the favourite.
pool = call("/context_checkpoint/recommend", {"prompt": "", "pool": {"family": "auto"}})["pool"]
favourite = pool["candidates"][-1]

for seed, subject in enumerate(SUBJECTS):
    generation = run(f"photorealistic portrait of a {subject}", seed)
    verdict = {"selected_images": [], "rejected_images": []}
    for image in generation["images"]:
        key = "selected_images" if wanted(image["file"], fetch(image["file"])) else "rejected_images"
        verdict[key].append(image["position"])
    call("/context_checkpoint/feedback", {"generation_id": generation["id"], **verdict})
    names = sorted({image["file"]["checkpoint"] for image in generation["images"]})
    print(f"{subject:8} {generation['strategy']:16} {generation['confidence']:.2f}  {', '.join(names)}")

# What the next similar prompt would get, and why.
plan = call("/context_checkpoint/recommend", {"prompt": "photorealistic portrait of a judge", "images": 3})
print(f"next     {plan['strategy']:16} {plan['confidence']:.2f}  {plan['images']}")
print(plan["explanation"])
