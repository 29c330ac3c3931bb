"""What a person's own graph says of the images that are recorded."""

from __future__ import annotations

from context_checkpoint.learning.values import Branch, Recommendation
from context_checkpoint.nodes.recording.graph_recipes import recipes_of
from context_checkpoint.recipes.settings import Settings

A, B = "a.safetensors", "b.safetensors"


def plan(*branches: Branch) -> Recommendation:
    names = tuple(dict.fromkeys(branch.checkpoint for branch in branches))
    return Recommendation("", names, 0.0, "explore", {}, "bayesian", (), "", branches=branches)


def prompt(**sampler: object) -> dict[str, object]:
    inputs = {"steps": 20, "cfg": 6.5, "sampler_name": "euler", "scheduler": "karras", "denoise": 1.0, "seed": 1}
    links = {"model": ["loader", 0], "positive": ["text", 0], "negative": ["text", 0], "latent_image": ["latent", 0]}
    return {
        "recommender": {"class_type": "ContextCheckpointRecommender", "inputs": {"prompt": "a castle"}},
        "settings": {"class_type": "ContextSettingsRecommender", "inputs": {"plan": ["recommender", 0], "steps": 9}},
        "other": {"class_type": "RandomInteger", "inputs": {}},
        "loader": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": ["recommender", 1]}},
        "text": {"class_type": "CLIPTextEncode", "inputs": {"text": "a castle", "clip": ["loader", 1]}},
        "latent": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768}},
        "sampler": {"class_type": "KSampler", "inputs": inputs | links | sampler},
        "decode": {"class_type": "VAEDecode", "inputs": {"samples": ["sampler", 0]}},
        "recorder": {"class_type": "FeedbackRecorder", "inputs": {"images": ["decode", 0]}},
    }


def test_typed_values_are_those_of_all_checkpoints():
    """The plan's own settings are not drawn by a sampler that is not linked to them."""
    recipes = recipes_of(prompt(), "recorder", plan(Branch(A, Settings(steps=4)), Branch(B)), [A, B])

    assert [(recipe.model, recipe.steps, recipe.width) for recipe in recipes] == [(A, 20, 512), (B, 20, 512)]


def test_values_of_the_settings_node_are_each_branchs_own():
    """Also where two branches have the same checkpoint."""
    asked = plan(Branch(A, Settings(steps=20)), Branch(A, Settings(steps=30)))

    recipes = recipes_of(prompt(steps=["settings", 1]), "recorder", asked, [A, A])

    assert [recipe.steps for recipe in recipes] == [20, 30]


def test_where_the_plan_says_nothing_the_settings_nodes_own_values_are_drawn():
    """As its lists give them."""
    (recipe,) = recipes_of(prompt(steps=["settings", 1]), "recorder", plan(Branch(A)), [A])

    assert recipe.steps == 9


def test_a_branch_that_dropped_out_leaves_the_others_theirs():
    """By the checkpoint; two of one checkpoint can then not be told apart, and nothing is said."""
    three = plan(Branch(A, Settings(steps=20)), Branch(A, Settings(steps=30)), Branch(B, Settings(steps=4)))

    recipes = recipes_of(prompt(steps=["settings", 1]), "recorder", three, [A, B])

    assert [recipe.steps for recipe in recipes] == [None, 4]


def test_what_another_node_computes_is_not_known():
    """Only our own node's values are in the plan."""
    (recipe,) = recipes_of(prompt(steps=["other", 0]), "recorder", plan(Branch(A, Settings(steps=4))), [A])

    assert (recipe.steps, recipe.cfg) == (None, 6.5)


def test_a_graph_without_a_sampler_says_nothing():
    """A picture that was loaded, say."""
    loaded = prompt() | {"decode": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}}

    assert all(recipe.steps is None for recipe in recipes_of(loaded, "recorder", plan(Branch(A)), [A]))
    assert recipes_of({}, "recorder", plan(Branch(A)), [A]) == ()
