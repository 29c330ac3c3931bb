"""Mode `pause` in a real ComfyUI: what holds the queue, what ends it, and which images go on."""

from __future__ import annotations

import time
from typing import Any

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, HistoryEntry, error_message
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, node

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft", "seed": 1}
PENDING = "/context_checkpoint/pending"


def pausing(*, timeout_s: float = 60.0, wait_without_browser: bool = True, **options: Any) -> ApiGraph:
    """The three nodes with the recorder in mode pause, and previews of what it passes on."""
    graph = three_nodes(recommender=RED_GREEN_BLUE, **options)
    graph["recorder"]["inputs"] |= {
        "mode": "pause",
        "timeout_s": timeout_s,
        "wait_without_browser": wait_without_browser,
    }
    graph["kept"] = node("PreviewImage", images=["recorder", 0])
    graph["thrown_away"] = node("PreviewImage", images=["recorder", 1])
    return graph


def waiting(comfy: ComfyServer, prompt_id: str) -> dict[str, Any]:
    """Wait until this prompt waits for a pick."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for pick in comfy.get(PENDING)["pending"]:
            if pick["prompt_id"] == prompt_id:
                return dict(pick)
        time.sleep(0.05)
    raise AssertionError(f"{prompt_id} does not wait: {comfy.log[-2000:]}")


def passed_on(comfy: ComfyServer, entry: HistoryEntry) -> tuple[int, int]:
    return len(comfy.images(entry, "kept")), len(comfy.images(entry, "thrown_away"))


def verdicts(comfy: ComfyServer, entry: HistoryEntry) -> list[str | None]:
    """What is stored."""
    [shown] = generations(entry)
    [stored] = comfy.get(f"/context_checkpoint/generations?id={shown['generation_id']}")["generations"]
    return [image["verdict"] for image in stored["images"]]


def test_a_pick_over_http_lets_only_the_chosen_images_go_on_and_is_learned_from(comfy: ComfyServer) -> None:
    """Selected to the first output with their names, rejected to the second, and the verdict is stored."""
    graph = pausing()
    graph["kept_names"] = node("PreviewAny", source=["recorder", 3])
    prompt_id = comfy.post_prompt(graph)
    pick = waiting(comfy, prompt_id)
    [part] = pick["rounds"]
    assert all(comfy.pixels(image).shape == (128, 128, 3) for image in part["images"])

    comfy.post(f"{PENDING}/{pick['id']}", {"selected_images": [1], "rejected_images": [0, 2]})
    entry = comfy.wait(prompt_id)

    assert passed_on(comfy, entry) == (1, 2)
    assert entry["outputs"]["kept_names"]["text"] == [part["images"][1]["checkpoint"]]
    assert verdicts(comfy, entry) == ["rejected", "selected", "rejected"]
    assert comfy.get(PENDING) == {"pending": []}


def test_all_can_be_sent_on_without_a_verdict(comfy: ComfyServer) -> None:
    """The run continues, and nothing is learned."""
    prompt_id = comfy.post_prompt(pausing(seed=2))

    comfy.post(f"{PENDING}/{waiting(comfy, prompt_id)['id']}", {"send_all": True})
    entry = comfy.wait(prompt_id)

    assert passed_on(comfy, entry) == (3, 0)
    assert verdicts(comfy, entry) == [None] * 3


def test_after_the_time_limit_all_images_go_on_unjudged(comfy: ComfyServer) -> None:
    """The stated default, where nobody has picked."""
    entry = comfy.run(pausing(seed=3, timeout_s=0.5))

    assert passed_on(comfy, entry) == (3, 0)
    assert verdicts(comfy, entry) == [None] * 3
    assert "Nobody picked within 0.5 s" in comfy.log


def test_what_was_picked_by_then_counts_when_the_time_is_over(comfy: ComfyServer) -> None:
    """A verdict by the buttons is saved at once; it decides, although nobody pressed continue."""
    prompt_id = comfy.post_prompt(pausing(seed=4, timeout_s=2.0))
    [part] = waiting(comfy, prompt_id)["rounds"]
    comfy.post(
        "/context_checkpoint/feedback",
        {"generation_id": part["generation_id"], "selected_images": [2], "rejected_images": [0]},
    )

    entry = comfy.wait(prompt_id)

    assert passed_on(comfy, entry) == (1, 1)


def test_without_a_browser_it_does_not_wait_unless_it_was_asked_to(comfy: ComfyServer) -> None:
    """A script that knows nothing of pausing must not stop the queue for everybody."""
    entry = comfy.run(pausing(seed=5, wait_without_browser=False, timeout_s=0.0), "a script that is not connected")

    assert passed_on(comfy, entry) == (3, 0)


def test_an_interrupt_ends_the_waiting_and_the_next_prompt_runs(comfy: ComfyServer) -> None:
    """Nothing is passed on, nothing is judged, and the pick is gone."""
    prompt_id = comfy.post_prompt(pausing(seed=6))
    pick = waiting(comfy, prompt_id)

    comfy.post("/interrupt", {})
    entry = comfy.wait(prompt_id)

    assert error_message(entry).startswith("interrupted in FeedbackRecorder")
    assert comfy.get(PENDING) == {"pending": []}
    generation = pick["rounds"][0]["generation_id"]
    [stored] = comfy.get(f"/context_checkpoint/generations?id={generation}")["generations"]
    assert stored["judged_at"] is None
    assert comfy.run(three_nodes(seed=7, recommender=RED_GREEN_BLUE))["status"]["status_str"] == "success"


def test_runs_in_the_queue_wait_one_after_the_other_each_with_a_pick_of_its_own(comfy: ComfyServer) -> None:
    """The answer to one never reaches the other."""
    prompts = [comfy.post_prompt(pausing(seed=8)), comfy.post_prompt(pausing(seed=9))]

    picks = []
    for number, prompt_id in enumerate(prompts):
        pick = waiting(comfy, prompt_id)
        assert len(comfy.get(PENDING)["pending"]) == 1
        comfy.post(f"{PENDING}/{pick['id']}", {"selected_images": [number]})
        picks.append(pick["id"])

    entries = [comfy.wait(prompt_id) for prompt_id in prompts]
    assert picks[0] != picks[1]
    assert [verdicts(comfy, entry) for entry in entries] == [
        ["selected", None, None],
        [None, "selected", None],
    ]


def test_two_recorders_of_one_run_wait_at_the_same_time(comfy: ComfyServer) -> None:
    """Each is answered by its own id, in any order."""
    graph = pausing(seed=10)
    graph["second"] = node(
        "FeedbackRecorder",
        images=["sampler", 0],
        generation=["sampler", 3],
        mode="pause",
        selected="",
        rejected="",
        timeout_s=60.0,
        wait_without_browser=True,
    )
    prompt_id = comfy.post_prompt(graph)
    deadline = time.monotonic() + 60
    while len(comfy.get(PENDING)["pending"]) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    by_node = {pick["node_id"]: pick["id"] for pick in comfy.get(PENDING)["pending"]}

    comfy.post(f"{PENDING}/{by_node['second']}", {"send_all": True})
    comfy.post(f"{PENDING}/{by_node['recorder']}", {"rejected_images": [0, 1, 2]})

    assert passed_on(comfy, comfy.wait(prompt_id)) == (0, 3)


def test_a_verdict_by_inputs_needs_no_waiting(comfy: ComfyServer) -> None:
    """It was said already."""
    entry = comfy.run(pausing(seed=11, selected="0", rejected="all"))

    assert passed_on(comfy, entry) == (1, 2)
