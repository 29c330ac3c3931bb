"""Which checkpoints the rules leave, and the message when they leave none."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.checkpoints.fallback import (
    empty_pool_message,
    fallback_recommendation,
    no_pool_line,
    unlearned_recommendation,
)
from context_checkpoint.checkpoints.families import FAMILIES, family_of_class, family_of_gguf
from context_checkpoint.checkpoints.patterns import Patterns
from context_checkpoint.checkpoints.pool import DIFFUSION_MODELS, CheckpointFile, Part, PoolRules, select

ROOT = Path(__file__).parents[2]

VARIANTS = ("sdxl_inpaint", "sdxl_refiner", "sd15_instructpix2pix", "wan21_i2v", "sd2_5_channels")

FILES = (
    CheckpointFile("anime/counterfeit [v3].safetensors", "sd15"),
    CheckpointFile("dreamShaperXL.safetensors", "sdxl"),
    CheckpointFile("epicrealismXL_pureFix.safetensors", "sdxl"),
    CheckpointFile("fluxDev.safetensors", "flux"),
    CheckpointFile("old.ckpt", "unknown"),
    CheckpointFile("portrait/juggernautXL_v9.safetensors", "sdxl"),
    CheckpointFile("portrait/torn.safetensors", "unknown", "the file is cut short"),
)
NAMES = tuple(file.name for file in FILES)


def matching(pattern: str) -> list[str]:
    return [name for name in NAMES if Patterns.of(pattern).match(name)]


class TestBans:
    def test_a_banned_checkpoint_is_in_no_pool_and_no_fallback(self) -> None:
        """Not even where a rule names it; the family follows what is left, and the reason is given."""
        rules = PoolRules(include="anime/*, *XL*", fallback="counterfeit [v3].safetensors")
        pool = select(rules, FILES, banned=("anime/counterfeit [v3].safetensors",))

        assert (pool.family, pool.candidates) == ("sdxl", (NAMES[1], NAMES[2], NAMES[5]))
        assert pool.excluded["banned in the settings"] == (NAMES[0],)
        assert pool.fallback == ""
        assert pool.fallback_problem.endswith("is banned in the settings")


class TestFamily:
    def test_a_family_takes_its_own_checkpoints_only(self) -> None:
        """A graph wired for one architecture must not be given another."""
        pool = select(PoolRules(family="sdxl"), FILES)

        assert pool.candidates == (NAMES[1], NAMES[2], NAMES[5])
        assert pool.excluded["architecture flux, not sdxl"] == ("fluxDev.safetensors",)

    def test_auto_follows_the_first_included_checkpoint(self) -> None:
        """`auto` needs no knowledge of architectures: naming one checkpoint is enough."""
        assert select(PoolRules(), FILES).family == "sd15"
        assert select(PoolRules(include="*XL*, flux*"), FILES).family == "sdxl"

    def test_auto_passes_over_files_of_unknown_family_and_broken_ones(self) -> None:
        """A stray pickle that sorts first does not decide for all the others."""
        files = (CheckpointFile("a.ckpt"), CheckpointFile("b", "sd3", "broken"), CheckpointFile("c", "sdxl"))

        assert select(PoolRules(), files).candidates == ("c",)

    def test_auto_takes_unknown_files_where_there_is_nothing_else(self) -> None:
        """Someone who has only `.ckpt` files gets them recommended."""
        files = (CheckpointFile("a.ckpt"), CheckpointFile("b.ckpt"))

        assert select(PoolRules(), files).candidates == ("a.ckpt", "b.ckpt")

    def test_all_takes_every_family_but_nothing_broken(self) -> None:
        """`all` is for graphs that work with any architecture; a file that cannot load works with none."""
        pool = select(PoolRules(family="all"), FILES)

        assert pool.candidates == NAMES[:6]
        assert pool.excluded == {"broken: the file is cut short": ("portrait/torn.safetensors",)}

    @pytest.mark.parametrize(
        ("class_name", "family"),
        [
            ("SD15", "sd15"),
            ("SDXL", "sdxl"),
            ("KOALA_700M", "sdxl"),
            ("FluxSchnell", "flux"),
            ("FluxInpaint", "fluxinpaint"),
            ("SDXLRefiner", "sdxl_refiner"),
            ("SomethingNewIn2030", "somethingnewin2030"),
        ],
    )
    def test_comfyui_classes_have_short_names(self, class_name: str, family: str) -> None:
        """Classes that can replace one another share a family; one that needs other inputs, or is new, has its own."""
        assert family_of_class(class_name) == family

    @pytest.mark.parametrize(("architecture", "family"), [("sd1", "sd15"), ("flux", "flux"), ("", "unknown")])
    def test_gguf_architectures_share_the_names(self, architecture: str, family: str) -> None:
        """A quantised file belongs to the same pool as the checkpoint it was made from."""
        assert family_of_gguf(architecture) == family

    @pytest.mark.parametrize(
        ("class_name", "channels", "family"),
        [
            ("SD15", 4, "sd15"),
            ("SD15", 9, "sd15_inpaint"),
            ("SDXL", 9, "sdxl_inpaint"),
            ("SD20", 5, "sd2_5_channels"),
            ("SD15_instructpix2pix", 8, "sd15_instructpix2pix"),
            ("Flux", 16, "flux"),
        ],
    )
    def test_other_input_channels_are_another_family(self, class_name: str, channels: int, family: str) -> None:
        """Text alone does not drive such a model."""
        assert family_of_class(class_name, channels) == family

    def test_auto_is_not_a_variant_where_there_is_a_model_for_text(self) -> None:
        """Whatever comes first in the alphabet."""
        variants = [CheckpointFile(f"a{number}", family) for number, family in enumerate(VARIANTS)]
        assert select(PoolRules(), [*variants, CheckpointFile("z", "sdxl")]).family == "sdxl"
        assert select(PoolRules(), variants).family == VARIANTS[0]

    def test_every_choice_is_named_once_and_documented(self) -> None:
        """The choices are written into workflows."""
        documented = (ROOT / "docs" / "pools.md").read_text("utf-8")

        assert len(set(FAMILIES)) == len(FAMILIES)
        assert [family for family in FAMILIES if f"`{family}`" not in documented] == []


class TestFolderAndParts:
    FILES = (
        CheckpointFile("whole", "sdxl"),
        CheckpointFile("no clip", "sdxl", lacks=("clip",)),
        CheckpointFile("bare", "sdxl", lacks=("clip", "vae")),
        CheckpointFile("unet", "sdxl", folder=DIFFUSION_MODELS, lacks=("clip", "vae")),
    )

    @pytest.mark.parametrize(
        ("folder", "needs", "candidates"),
        [
            ("checkpoints", ("clip", "vae"), ("whole",)),
            ("checkpoints", ("vae",), ("whole", "no clip")),
            ("checkpoints", (), ("whole", "no clip", "bare")),
            ("diffusion_models", ("clip", "vae"), ("unet",)),
            ("checkpoints+diffusion_models", ("vae",), ("whole", "no clip", "unet")),
            ("unet_gguf", (), ()),
        ],
    )
    def test_a_pool_is_of_folders_and_of_files_that_hold_what_is_needed(
        self, folder: str, needs: tuple[Part, ...], candidates: tuple[str, ...]
    ) -> None:
        """A diffusion model holds no other part, and is not asked for one."""
        assert select(PoolRules(folder=folder, needs=needs), self.FILES).candidates == candidates

    def test_one_file_under_two_names_is_one_candidate(self) -> None:
        """By a link, a copy, or two folders; the first that the rules leave."""
        files = [CheckpointFile(name, "sdxl", fingerprint="same") for name in ("a", "b", "c")]
        files.append(CheckpointFile("d", "sdxl", fingerprint="other"))
        assert select(PoolRules(), files).candidates == ("a", "d")
        assert select(PoolRules(exclude="a"), files).candidates == ("b", "d")
        assert select(PoolRules(), files, banned=["a"]).excluded["the same file as b"] == ("c",)


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "names"),
        [
            ("epicrealismXL_pureFix.safetensors", ["epicrealismXL_pureFix.safetensors"]),
            ("EPICREALISM*", ["epicrealismXL_pureFix.safetensors"]),
            ("juggernautXL_v9.safetensors", ["portrait/juggernautXL_v9.safetensors"]),
            ("portrait/*", ["portrait/juggernautXL_v9.safetensors", "portrait/torn.safetensors"]),
            ("portrait\\*", ["portrait/juggernautXL_v9.safetensors", "portrait/torn.safetensors"]),
            ("portrait/", ["portrait/juggernautXL_v9.safetensors", "portrait/torn.safetensors"]),
            ("./portrait/torn*", ["portrait/torn.safetensors"]),
            ("*[v3]*", ["anime/counterfeit [v3].safetensors"]),
            ("[flux]*", []),
            ("old.ck?t", ["old.ckpt"]),
            ("old", []),
            ("*xl.safetensors,flux*", ["dreamShaperXL.safetensors", "fluxDev.safetensors"]),
            ("old.ckpt\n\n flux* \n", ["fluxDev.safetensors", "old.ckpt"]),
            ("", []),
            (" , ,\n", []),
        ],
    )
    def test_patterns_match_names_and_last_parts(self, pattern: str, names: list[str]) -> None:
        """Case, kind of slash and folder do not matter; only `*` and `?` are special."""
        assert matching(pattern) == names

    def test_names_of_windows_match_too(self) -> None:
        """ComfyUI lists checkpoints with backslashes there, and a shared workflow has slashes."""
        assert Patterns.of("portrait/*.safetensors").match("Portrait\\Juggernaut XL.safetensors")
        assert Patterns.of("juggernaut xl.*").match("portrait\\Juggernaut XL.safetensors")

    def test_a_name_with_a_comma_works_on_its_own_line(self) -> None:
        """Commas separate, and are allowed in file names."""
        assert Patterns.of("old*\nred, green.safetensors").match("red, green.safetensors")

    @pytest.mark.parametrize("name", ["ポニー.safetensors", "Müller.safetensors", "épique.safetensors"])
    def test_both_unicode_forms_of_a_name_are_the_same(self, name: str) -> None:
        """macOS writes decomposed names; a pattern typed elsewhere is composed."""
        decomposed = unicodedata.normalize("NFD", name)

        assert Patterns.of(name).match(decomposed)
        assert Patterns.of(decomposed.upper()).match(name)

    @given(
        st.text(
            st.characters(exclude_characters="\x00/\\", exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
            min_size=1,
        )
    )
    def test_every_name_is_a_pattern_for_itself(self, name: str) -> None:
        """Copying a file's name into `include` always finds it, whatever characters it has."""
        name = f"x{name}x"

        assert Patterns.of(name).match(name)
        assert Patterns.of(name).match(f"folder\\{name}")

    @given(st.text(max_size=200), st.text(max_size=60))
    def test_no_pattern_fails(self, pattern: str, name: str) -> None:
        """Nothing that a person types stops the workflow with an error of our own."""
        select(PoolRules(include=pattern, exclude=pattern), [CheckpointFile(name or "x", "sdxl")])

    def test_a_pattern_of_many_stars_comes_to_an_end(self) -> None:
        """Rules come over HTTP too; matching by backtracking would take hours for this one."""
        assert not Patterns.of("*a" * 30 + "*b").match("a" * 250)

    def test_exclude_wins_over_include(self) -> None:
        """So that a whole folder can be taken but for one file."""
        pool = select(PoolRules(include="*XL*", exclude="*epic*"), FILES)

        assert pool.candidates == (NAMES[1], NAMES[5])
        assert pool.excluded["matched by exclude"] == (NAMES[2],)


class TestFallback:
    def test_an_empty_pool_uses_the_fallback_with_the_documents_line(self) -> None:
        """The document's log line, with this pool's family and stage."""
        pool = select(PoolRules(family="sdxl", include="nothing*", fallback=NAMES[2]), FILES)

        assert pool.fallback_used
        assert (
            no_pool_line(pool, "final")
            == "No checkpoint pool for sdxl_final, using default: epicrealismXL_pureFix.safetensors"
        )

    def test_the_fallback_is_found_by_its_last_part_in_any_spelling(self) -> None:
        """A shared workflow names the file; its folder differs from machine to machine."""
        for asked in ("JUGGERNAUTXL_V9.safetensors", "portrait\\juggernautXL_v9.safetensors"):
            assert select(PoolRules(fallback=asked), FILES).fallback == "portrait/juggernautXL_v9.safetensors"

    def test_a_fallback_is_unused_while_there_are_candidates(self) -> None:
        """It bypasses learning, so it is the last resort."""
        assert not select(PoolRules(fallback="fluxDev.safetensors"), FILES).fallback_used

    @pytest.mark.parametrize(
        ("asked", "problem"),
        [("gone.safetensors", "is not among ComfyUI's checkpoints"), ("torn.safetensors", "cut short")],
    )
    def test_an_unusable_fallback_is_reported(self, asked: str, problem: str) -> None:
        """A fallback that would fail is no fallback."""
        pool = select(PoolRules(include="nothing*", fallback=asked), FILES)

        assert not pool.fallback_used
        assert problem in pool.fallback_problem

    def test_the_fallback_is_a_plan_that_says_so(self) -> None:
        """The sampler gets a plan like any other, and it is marked."""
        pool = select(PoolRules(family="sdxl", include="nothing*", fallback=NAMES[2]), FILES)

        plan = fallback_recommendation("a cat", pool, "draft")

        assert (plan.checkpoints, plan.strategy, plan.confidence) == ((NAMES[2],), "exploit", 0.0)
        assert plan.fallback
        assert "No checkpoint pool for sdxl_draft" in plan.explanation


class TestEmptyPool:
    def test_the_message_names_folder_rule_and_what_was_left_out(self) -> None:
        """A person can see at once which part of the rule to loosen."""
        rules = PoolRules(family="sd3", include="*XL*\nportrait/*", fallback="gone.safetensors")

        message = empty_pool_message(rules, select(rules, FILES), ["/models/checkpoints", "/more"])

        assert "Looked in /models/checkpoints, /more: 7 files" in message
        assert "family sd3, include '*XL*, portrait/*', exclude nothing" in message
        assert "architecture sdxl, not sd3: dreamShaperXL.safetensors" in message
        assert "broken: the file is cut short: portrait/torn.safetensors" in message
        assert "gone.safetensors is not among" in message
        assert message.endswith("Loosen the rule or choose a fallback checkpoint.")

    def test_no_checkpoints_at_all_says_where_to_put_some(self) -> None:
        """The first start of a fresh installation."""
        pool = select(PoolRules(), ())

        message = empty_pool_message(PoolRules(), pool, ["/models/checkpoints"])

        assert pool.candidates == ()
        assert "no files" in message
        assert message.endswith("Put a checkpoint there.")

    def test_a_long_list_is_cut(self) -> None:
        """Three hundred names in an error dialog help nobody."""
        files = [CheckpointFile(f"{number:03}.safetensors", "sdxl") for number in range(300)]

        message = empty_pool_message(PoolRules("flux"), select(PoolRules("flux"), files), ["/m"])

        assert "004.safetensors and 295 more" in message
        assert len(message) < 500


class TestUnlearned:
    def test_a_failed_recommendation_uses_the_fallback(self) -> None:
        """The checkpoint that a person named is the safest bet."""
        pool = select(PoolRules(family="sdxl", fallback="dreamShaperXL.safetensors"), FILES)

        plan = unlearned_recommendation("", pool, "final", explore=True, max_branches=3, reason="Locked.")

        assert plan.checkpoints == ("dreamShaperXL.safetensors",)
        assert plan.explanation.startswith("Nothing learned was used: Locked.")

    @pytest.mark.parametrize(
        ("explore", "stage", "branches", "strategy"),
        [(True, "final", 2, "explore"), (False, "final", 1, "exploit"), (False, "draft", 2, "explore")],
    )
    def test_without_a_fallback_the_first_candidates_are_used(
        self, explore: bool, stage: str, branches: int, strategy: str
    ) -> None:
        """As many as the rules for exploring allow."""
        pool = select(PoolRules(family="sdxl"), FILES)

        plan = unlearned_recommendation("", pool, stage, explore=explore, max_branches=2, reason="Locked.")

        assert plan.checkpoints == pool.candidates[:branches]
        assert plan.strategy == strategy
        assert plan.fallback


def test_three_hundred_checkpoints_are_all_candidates() -> None:
    """Large collections are common."""
    files = [CheckpointFile(f"{number}.safetensors", "sdxl") for number in range(300)]

    assert len(select(PoolRules(), files).candidates) == 300
