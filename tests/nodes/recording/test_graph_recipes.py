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


INK, WASH, GRAIN = ("ink.pt", 0.8, 0.8), ("wash.pt", 0.5, 0.5), ("grain.pt", 1.0, 0.25)


def with_loras(loader: str, **inputs: object) -> dict[str, object]:
    """A stock LoRA loader between a loader and the sampler."""
    lora = {"lora_name": GRAIN[0], "strength_model": GRAIN[1], "strength_clip": GRAIN[2]}
    return prompt(model=["added", 0]) | {
        "loader": {"class_type": loader, "inputs": inputs},
        "added": {"class_type": "LoraLoader", "inputs": {"model": ["loader", 0], "clip": ["loader", 1], **lora}},
        "strange": {"class_type": "Random LoRAs", "inputs": {"seed": 5}},
        "planned": {"class_type": "ContextLoraRecommender", "inputs": {"plan": ["recommender", 0]}},
        "stacked": {
            "class_type": "CR Apply LoRA Stack",
            "inputs": {"model": ["loader", 0], "clip": ["loader", 1], "lora_stack": ["planned", 1]},
        },
    }


def test_loras_in_the_graph_are_known_although_the_checkpoint_is_the_plans():
    """Those between a stock loader and the sampler."""
    graph = with_loras("CheckpointLoaderSimple", ckpt_name=["recommender", 1])

    assert [recipe.loras for recipe in recipes_of(graph, "recorder", plan(Branch(A), Branch(B)), [A, B])] == [
        (GRAIN,)
    ] * 2
    assert [recipe.loras for recipe in recipes_of(prompt(), "recorder", plan(Branch(A)), [A])] == [()]


def test_our_loaders_loras_are_those_that_it_loaded():
    """For each entry of its lists; what the graph adds comes after. Where that is not known, nothing is said."""
    graph = with_loras("RecommendedCheckpointLoader", plan=["recommender", 0], lora_stack=["strange", 0])
    branches = plan(Branch(A), Branch(A))
    loaded = {"loader": ((INK, WASH), ())}

    recipes = recipes_of(graph, "recorder", branches, [A, A], loaded.get)
    unknown = recipes_of(graph, "recorder", branches, [A, A])
    fewer = recipes_of(graph, "recorder", branches, [A], loaded.get)

    assert [recipe.loras for recipe in recipes] == [(INK, WASH, GRAIN), (GRAIN,)]
    assert [recipe.loras for recipe in (*unknown, *fewer)] == [None, None, None]


def test_a_plans_loras_come_through_any_packs_loader():
    """By the stack of our node; a branch that cannot be told from another has none that are known."""
    graph = with_loras("CheckpointLoaderSimple", ckpt_name=["recommender", 1])
    graph["added"]["inputs"] |= {"model": ["stacked", 0], "clip": ["stacked", 1]}
    branches = plan(Branch(A, loras=(WASH,)), Branch(A), Branch(B, loras=(INK,)))

    recipes = recipes_of(graph, "recorder", branches, [A, A, B])
    one_dropped = recipes_of(graph, "recorder", branches, [A, B])

    assert [recipe.loras for recipe in recipes] == [(WASH, GRAIN), (GRAIN,), (INK, GRAIN)]
    assert [recipe.loras for recipe in one_dropped] == [None, (INK, GRAIN)]
