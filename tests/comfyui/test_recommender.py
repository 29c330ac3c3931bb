"""The recommender in a real ComfyUI: what it recommends, when it recommends again, and how it fails."""

from __future__ import annotations

import shutil
import uuid
from typing import Any

import pytest

from context_checkpoint.demo.comfyui.pack_graph import three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed, Refused
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, node
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .conftest import ComfyFactory, other_checkpoints, preferences_file
from .learned import cached_nodes, plan_of, teach

NINE = "red*, green*, blue*, yellow*, violet*, teal*, orange*, pink*, grey*"
RED, OTHERS = "red.safetensors", ("green.safetensors", "blue.safetensors")


def recommend(prompt: str, **inputs: Any) -> ApiGraph:
    """The recommender alone; a preview of its explanation makes ComfyUI run it."""
    inputs = {"include": NINE, **inputs}
    return {
        "recommender": node("ContextCheckpointRecommender", prompt=prompt, **inputs),
        "shown": node("PreviewAny", source=["recommender", 4]),
    }


def fresh_prompt(subject: str = "a harbour") -> str:
    """A prompt that no other test has used, so that ComfyUI has no answer to it in its cache."""
    return f"{subject}, {uuid.uuid4().hex[:8]}"


async def test_of_equally_good_checkpoints_the_loaded_one_goes_first(comfy: ComfyServer) -> None:
    """In the node and over HTTP; once it is released, they are alike again. No other test has drawn with these two."""
    prompt, names = fresh_prompt(), ["tie_one.safetensors", "tie_two.safetensors"]
    for winner, loser in (names, names[::-1]) * 3:
        await teach(comfy, prompt, winner, [loser], 1)
    asked = {"prompt": prompt, "candidates": names}
    with other_checkpoints(comfy) as folder:
        for seed, name in enumerate(names):
            tiny_checkpoints.write(folder / name, "sd3", color=(0.5, 0.5, 0.5), seed=seed)
        best, other = comfy.post("/context_checkpoint/recommend", asked)["checkpoints"]

        comfy.run(three_nodes(fresh_prompt("a ship"), recommender={"include": other}))
        over_http = comfy.post("/context_checkpoint/recommend", asked)
        plan = plan_of(comfy.run(recommend(prompt, include=", ".join(names))))
        comfy.post("/context_checkpoint/loaders/release", {})
        released = comfy.post("/context_checkpoint/recommend", asked)

    assert over_http["checkpoints"] == plan["checkpoints"] == [other, best]
    first = {"checkpoint": other, "best": best, "because": "loaded"}
    assert over_http["explanation_parts"]["precedence"] == plan["explanation_parts"]["precedence"] == first
    assert plan["explanation"].endswith("goes first because it is loaded already.")
    assert released["checkpoints"] == [best, other]


class TestInputs:
    def test_everything_but_the_prompt_may_be_left_out(self, comfy: ComfyServer) -> None:
        """A script gives a prompt and gets what a new node would give."""
        graph = recommend(fresh_prompt())
        graph["recommender"] = node("ContextCheckpointRecommender", prompt=fresh_prompt())

        plan = plan_of(comfy.run(graph))

        assert len(plan["checkpoints"]) == 3
        assert plan["policy"] == "bayesian"

    def test_a_negative_prompt_counts(self, comfy: ComfyServer) -> None:
        """The inputs that came later are last, so that the values of older workflows keep their places."""
        plan = plan_of(comfy.run(recommend("a harbour at dusk", negative="blurry")))

        assert plan["keywords"][-1] == "-blurry"
        about = comfy.get("/object_info/ContextCheckpointRecommender")["ContextCheckpointRecommender"]
        assert about["input_order"]["optional"][-3:] == ["negative", "folder", "needs"]

    def test_every_input_and_output_explains_itself(self, comfy: ComfyServer) -> None:
        """Tooltips are the first documentation that people see."""
        about = comfy.get("/object_info/ContextCheckpointRecommender")["ContextCheckpointRecommender"]

        inputs = {**about["input"]["required"], **about["input"]["optional"]}
        assert [name for name, (_, options) in inputs.items() if not options.get("tooltip")] == []
        assert all(about["output_tooltips"])
        assert about["output_name"] == ["plan", "ckpt_name", "confidence", "strategy", "explanation", "prompt"]
        assert about["output_is_list"] == [False, True, False, False, False, False]
        advanced = {name for name, (_, options) in inputs.items() if options.get("advanced")}
        rules = {"family", "include", "exclude", "fallback", "folder", "needs"}
        assert advanced == rules | {"policy", "exploit_threshold", "explore_threshold"}

    @pytest.mark.parametrize(
        "prompt",
        [
            "",
            "x" * 100_000,
            "\ud83c",
        ],
        ids=[
            "empty",
            "100 kB",
            "half emoji",
        ],
    )
    def test_any_prompt_gets_a_plan(self, comfy: ComfyServer, prompt: str) -> None:
        """None, more than a page, and what UTF-8 cannot encode; other prompts are tested in `learning`."""
        plan = plan_of(comfy.run(recommend(prompt)))

        assert len(plan["checkpoints"]) == 3
        assert not plan["fallback"]

    def test_the_prompt_may_come_along_a_link(self, comfy: ComfyServer) -> None:
        """People keep one prompt and connect it to everything."""
        graph = recommend("")
        graph["text"] = node("PrimitiveStringMultiline", value="an old harbour")
        graph["recommender"]["inputs"]["prompt"] = ["text", 0]

        assert plan_of(comfy.run(graph))["keywords"] == ["old", "harbor", "old harbor"]

    def test_thresholds_the_wrong_way_round_are_refused_before_anything_runs(self, comfy: ComfyServer) -> None:
        """With the message that says how to choose them."""
        graph = recommend(fresh_prompt(), exploit_threshold=0.2, explore_threshold=0.6)

        with pytest.raises(Refused) as refused:
            comfy.run(graph)

        assert refused.value.status == 400
        (first, *_) = refused.value.body["node_errors"]["recommender"]["errors"]
        assert "Choose 0 <= explore <= exploit <= 1, for example 0.5 and 0.3." in first["details"]

    def test_the_settings_thresholds_fill_in_for_those_left_out(self, comfy: ComfyServer) -> None:
        """New nodes show them, and scripts that give none get them."""
        before = comfy.get("/context_checkpoint/settings")
        try:
            comfy.post("/context_checkpoint/settings", {"exploit_threshold": 0.9})
            about = comfy.get("/object_info/ContextCheckpointRecommender")["ContextCheckpointRecommender"]
        finally:
            comfy.post("/context_checkpoint/settings", {"exploit_threshold": before["exploit_threshold"]})

        assert about["input"]["optional"]["exploit_threshold"][1]["default"] == 0.9


class TestPlan:
    async def test_each_input_of_the_choice_reaches_the_recommendation(self, comfy: ComfyServer) -> None:
        """What they mean is tested in `learning`; here each changes the plan for the same learned data."""
        prompt = fresh_prompt("a stone castle")
        before = plan_of(comfy.run(recommend(prompt)))
        await teach(comfy, "a stone castle", RED, OTHERS, rounds=40)

        def plan(**inputs: Any) -> tuple[str, int]:
            shown = plan_of(comfy.run(recommend(prompt, **inputs)))
            assert shown["checkpoints"][0] == RED or inputs.get("stage") == "draft"
            return shown["strategy"], len(shown["checkpoints"])

        assert (before["strategy"], len(before["checkpoints"]), before["confidence"]) == ("explore", 3, 0.0)
        assert plan() == ("exploit", 1)
        assert plan(exploit_threshold=1.0, explore_threshold=0.3) == ("exploit_explore", 2)
        assert plan(stage="draft") == ("explore", 3)
        assert plan(stage="draft", max_branches=2) == ("explore", 2)
        assert plan(stage="draft", explore=False)[1] == 1


class TestCache:
    """ComfyUI serves the same answer as long as nothing that it rests on has changed."""

    def test_queueing_the_same_again_is_served_from_the_cache_and_still_shown(self, comfy: ComfyServer) -> None:
        """All that hangs on the plan stays as it is, and the node shows the plan again."""
        graph = recommend(fresh_prompt())

        first, second = comfy.run(graph), comfy.run(graph)

        assert "recommender" in cached_nodes(second)
        assert plan_of(second) == plan_of(first)

    async def test_a_verdict_makes_the_next_run_retry_at(self, comfy: ComfyServer) -> None:
        """Whoever gave it and whatever it was for: what was learned is shared by all prompts."""
        graph = recommend(fresh_prompt("a stone castle"))
        first = comfy.run(graph)

        await teach(comfy, "a stone castle", RED, OTHERS, rounds=10)
        second = comfy.run(graph)

        assert "recommender" not in cached_nodes(second)
        assert plan_of(second)["evidence"] > plan_of(first)["evidence"] == 0.0

    def test_another_policy_in_the_settings_makes_it_retry_at(self, comfy: ComfyServer) -> None:
        """The node says `default (as in settings)`."""
        graph = recommend(fresh_prompt())
        comfy.run(graph)
        try:
            comfy.post("/context_checkpoint/settings", {"policy": "counts"})
            second = comfy.run(graph)
        finally:
            comfy.post("/context_checkpoint/settings", {"policy": "bayesian"})

        assert plan_of(second)["policy"] == "counts"

    def test_a_new_checkpoint_makes_it_retry_at(self, comfy: ComfyServer) -> None:
        """It may be the best one yet."""
        graph = recommend(fresh_prompt(), include="new*, red*")
        assert plan_of(comfy.run(graph))["checkpoints"] == [RED]

        added = comfy.checkpoints / "new.safetensors"
        shutil.copyfile(comfy.checkpoints / "blue.safetensors", added)
        try:
            plan = plan_of(comfy.run(graph))
        finally:
            added.unlink()

        assert sorted(plan["checkpoints"]) == ["new.safetensors", RED]

    def test_the_seed_repeats_a_choice(self, comfy: ComfyServer) -> None:
        """The same seed in another node explores the same; other seeds find other checkpoints for a draft."""
        prompt = fresh_prompt()

        def chosen(seed: int, **inputs: Any) -> list[str]:
            return list(plan_of(comfy.run(recommend(prompt, seed=seed, **inputs)))["checkpoints"])

        assert chosen(7) == chosen(7, exploit_threshold=0.6)
        assert len({tuple(chosen(seed, stage="draft")) for seed in range(6)}) > 1


class TestEmptyPool:
    def test_the_fallback_is_used_with_the_documents_line(self, comfy: ComfyServer) -> None:
        """A shared workflow whose family this machine has not."""
        graph = recommend(fresh_prompt(), family="sdxl", stage="standard", fallback=RED)

        plan = plan_of(comfy.run(graph))

        assert (plan["checkpoints"], plan["fallback"]) == ([RED], True)
        assert "No checkpoint pool for sdxl_standard, using default: red.safetensors" in comfy.log

    def test_without_a_fallback_the_message_says_what_to_change(self, comfy: ComfyServer) -> None:
        """Folder, rule, and what it left out."""
        with pytest.raises(PromptFailed) as failed:
            comfy.run(recommend(fresh_prompt(), family="flux", exclude="*e*"))

        message = str(failed.value)
        assert str(comfy.checkpoints) in message
        assert "family flux" in message
        assert "matched by exclude" in message
        assert "choose a fallback" in message

    def test_a_fallback_that_this_machine_lacks_does_not_keep_the_workflow_from_running(
        self, comfy: ComfyServer
    ) -> None:
        """ComfyUI would refuse the name; a rule that is not needed must not stop anything."""
        plan = plan_of(comfy.run(recommend(fresh_prompt(), fallback="only/elsewhere.safetensors")))

        assert len(plan["checkpoints"]) == 3


@pytest.fixture(scope="module")
def without_data_folder(comfy_factory: ComfyFactory) -> ComfyServer:
    """A server that cannot create its data folder: no database, no settings, no stored file list."""
    server = comfy_factory(start=False)
    (server.base_directory / "user").mkdir(exist_ok=True)
    (server.base_directory / "user" / "__context_checkpoint").write_text("in the way")
    return server.start()


class TestWithoutData:
    """The learned data cannot be read: the nodes load, the workflow runs, and the failure is shown everywhere."""

    def test_the_first_candidates_are_used_and_the_failure_is_shown(self, without_data_folder: ComfyServer) -> None:
        """On the node, in the explanation output and in the log."""
        plan = plan_of(without_data_folder.run(recommend(fresh_prompt())))

        assert plan["checkpoints"] == ["blue.safetensors", "green.safetensors", "grey.safetensors"]
        assert plan["fallback"]
        assert plan["explanation"].startswith("Nothing learned was used: ")
        assert "context_checkpoint" in plan["explanation"]
        assert "Cannot recommend from what was learned" in without_data_folder.log

    def test_the_fallback_is_used_where_there_is_one(self, without_data_folder: ComfyServer) -> None:
        """A person names it for this case."""
        plan = plan_of(without_data_folder.run(recommend(fresh_prompt(), fallback=RED)))

        assert (plan["checkpoints"], plan["fallback"]) == ([RED], True)


def test_a_database_deleted_while_running_is_no_failure(comfy: ComfyServer) -> None:
    """The next prompt still runs."""
    comfy.run(recommend(fresh_prompt()))
    for file in preferences_file(comfy).parent.glob("preferences.db*"):
        file.unlink()

    plan = plan_of(comfy.run(recommend(fresh_prompt())))

    assert len(plan["checkpoints"]) == 3
