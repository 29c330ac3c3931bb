"""The arena is fair and repeatable: what a table says follows from seeds, and from nothing else."""

from __future__ import annotations

import dataclasses
import itertools
import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any, ClassVar

import numpy
import pytest

from benchmarks.arena import __main__ as command
from benchmarks.arena.match import BIN, Cell, play
from benchmarks.arena.measures import advantage, calibration, recovery, window
from benchmarks.arena.players import PLAYERS, Entrant, Play
from benchmarks.arena.players.informed import Style
from benchmarks.arena.players.ours import OurPolicy, Told
from benchmarks.arena.players.simple import KNOWS, Chance
from benchmarks.arena.results_file import ResultsFile
from benchmarks.arena.table import boosters_cost, report
from benchmarks.arena.tournament import missing, play_job
from benchmarks.arena.wishes import BAR, Wish, regret, regret_of_chance, verdict
from benchmarks.arena.worlds import WORLDS
from benchmarks.arena.worlds.at_hand import by_any_of_eight, eight_of_fifty
from benchmarks.arena.worlds.drift import FLIP

NEED_NOTHING = [name for name, world in WORLDS.items() if not world.needs]
LOST = {"bayesian": 0.5, "thompson-blind": 0.3, "hindsight": 0.1}
BOOSTED = {"styles": 0.2, "boosters": 0.3}
EIGHT = eight_of_fifty(1)
HERE = [name for name, entrant in PLAYERS.items() if not entrant.missing]


def _wish(utilities: list[float], **changes: object) -> Wish:
    names = tuple("abcdefgh"[: len(utilities)])
    wish = Wish("a prompt", names, numpy.array(utilities), numpy.zeros((len(names), 4)), bar=-1.0)
    return dataclasses.replace(wish, **changes)


def _first(world: str, count: int, seed: int = 0) -> list[Wish]:
    return list(itertools.islice(WORLDS[world].wishes(seed, None), count))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder in the real files' form, with little in it."""
    templates = {
        f"{number}-{which}": {
            "prompt": f"style{number}{'xy'[which]} manner{number}, {{p}}{{np}}###blurry",
            "model": f"model {number}",
        }
        for number in range(14)
        for which in range(2)
    }
    (tmp_path / "prompts_ai_horde_styles.json").write_text(json.dumps(templates), "utf-8")
    (tmp_path / "prompts_sd_users_10k.txt").write_text("a castle\na portrait, highly detailed\n", "utf-8")
    rows = ["prompt_id,prompt,source,model,worker_id,rating"]
    rows += [f"1,a cat {p},s,{m},person{w},{1 + (p + m) % 5}" for p in range(9) for m in range(4) for w in (1, 2)]
    (tmp_path / "tifa160_dsg_workers_long.csv").write_text("\n".join(rows), "utf-8")
    rows = ["name,prompt,adj1,adj2,style,mos_quality,std_quality,mos_align,std_align"]
    rows += [f"{m}_normal_{p}.jpg,a dog {p},,,,{p % 4},0,{m},0" for p in range(9) for m in range(4)]
    (tmp_path / "agiqa3k_data.csv").write_text("\n".join(rows), "utf-8")
    return tmp_path


class TestWorlds:
    @pytest.mark.parametrize("world", NEED_NOTHING)
    def test_the_same_seed_is_the_same_world(self, world: str):
        """Prompts, tastes and moods repeat for a seed, and differ for another one."""
        one, again, other = _first(world, 60), _first(world, 60), _first(world, 60, seed=1)
        for wish, same in zip(one, again, strict=True):
            assert (wish.prompt, wish.candidates, wish.bar) == (same.prompt, same.candidates, same.bar)
            assert numpy.array_equal(wish.utilities, same.utilities)
            assert numpy.array_equal(wish.noise, same.noise)
        assert [wish.prompt for wish in one] != [wish.prompt for wish in other]

    @pytest.mark.parametrize("world", list(WORLDS))
    def test_a_world_is_as_long_as_it_says_and_fits_together(self, world: str, data: Path):
        """One utility and enough moods for each candidate, and windows that lie inside."""
        wishes = list(WORLDS[world].wishes(3, data))
        lengths = {"rated": 9, "panel": 9}
        assert len(wishes) == lengths.get(world, WORLDS[world].prompts)
        assert all(len(wish.candidates) == len(wish.utilities) == len(wish.noise) for wish in wishes)
        assert all(wish.noise.shape[1] >= wish.images for wish in wishes)
        assert all(0 <= first < last <= WORLDS[world].prompts for first, last in WORLDS[world].windows)

    def test_boosters_change_the_writing_and_nothing_else(self):
        """The person who writes "masterpiece" has the same wishes and the same moods."""
        for plain, boosted in zip(_first("styles", 40), _first("boosters", 40), strict=True):
            assert boosted.prompt.startswith("masterpiece, best quality, (highly detailed:1.2)")
            assert numpy.array_equal(plain.utilities, boosted.utilities)
            assert numpy.array_equal(plain.noise, boosted.noise)

    def test_tastes_turn_round_at_the_flip(self):
        """What some styles like best before it, they like least after it; other styles keep their taste."""
        wishes = list(WORLDS["drift"].wishes(0, None))
        before = {tuple(wish.utilities) for wish in wishes[:FLIP]}
        after = {tuple(wish.utilities) for wish in wishes[FLIP:]}
        assert len(before & after) == 4
        gone, come = before - after, after - before
        turned = {(int(numpy.argmax(one)), int(numpy.argmin(one))) for one in gone}
        assert turned == {(int(numpy.argmin(one)), int(numpy.argmax(one))) for one in come}

    def test_checkpoints_come_and_go(self):
        """A newcomer every hundred prompts, and the oldest one gone fifty prompts later."""
        wishes = list(WORLDS["shelf"].wishes(0, None))
        assert set(wishes[100].candidates) - set(wishes[99].candidates) == {"checkpoint-7.safetensors"}
        assert set(wishes[149].candidates) - set(wishes[150].candidates) == {"checkpoint-1.safetensors"}

    def test_the_author_of_a_template_is_right(self, data: Path):
        """In the world of templates the best checkpoint is the one that the template was made for."""
        for wish in itertools.islice(WORLDS["templates"].wishes(0, data), 50):
            best = wish.candidates[int(wish.utilities.argmax())]
            assert f"manner{best.removeprefix('model ')}," in wish.prompt
            assert "blurry" not in wish.prompt

    def test_a_world_without_its_data_says_what_it_needs(self, tmp_path: Path):
        """And names the file."""
        assert "agiqa3k_data.csv" in WORLDS["panel"].missing(tmp_path)
        assert WORLDS["styles"].missing(None) == ""


class TestThePerson:
    def test_keeps_the_best_picture_and_rejects_the_others(self):
        """One image each: what is seen best is selected."""
        parts = verdict(_wish([0.0, 2.0, 1.0]), [("a", 1), ("b", 1), ("c", 1)])
        assert [(part.selected, part.rejected) for part in parts] == [(0, 1), (1, 0), (0, 1)]

    def test_rejects_everything_when_nothing_is_good_enough(self):
        """Reject-all is a verdict."""
        parts = verdict(_wish([0.0, 2.0], bar=3.0), [("a", 1), ("b", 1)])
        assert [(part.selected, part.rejected) for part in parts] == [(0, 1), (0, 1)]

    def test_says_nothing_where_it_is_lazy(self):
        """Then no image is judged."""
        assert not any(part.judged for part in verdict(_wish([0.0, 1.0], judged=False), [("a", 1), ("b", 1)]))

    def test_keeps_several_images_that_are_about_as_good(self):
        """Of several images of one checkpoint, those close to the best are kept with it."""
        wish = _wish([0.0, 2.0], noise=numpy.array([[0.0, 0.0, 0.0], [0.0, 0.3, -2.0]]))
        parts = verdict(wish, [("a", 1), ("b", 3)])
        assert [(part.selected, part.rejected) for part in parts] == [(0, 1), (2, 1)]


class TestRegret:
    def test_who_knows_the_person_has_none(self):
        """Perfect knowledge, one image, no regret, in every world that can be had without data."""
        for world in NEED_NOTHING:
            cell = play(WORLDS[world], KNOWS, 0, prompts=50)
            assert sum(cell.regret) == 0.0
            assert sum(cell.branches) == 50

    def test_chance_has_the_regret_that_enumeration_gives(self):
        """The formula equals the mean over all draws of three from six."""
        wish = _wish([0.3, -1.2, 2.2, 0.1, 0.9, -0.4])
        draws = [regret(wish, drawn) for drawn in itertools.combinations(wish.candidates, 3)]
        assert regret_of_chance(wish) == pytest.approx(sum(draws) / len(draws))
        assert regret_of_chance(_wish([0.0, 1.0, 5.0])) == 0.0

    def test_three_at_random_meet_their_formula(self):
        """Over a thousand prompts the player's mean is the computed one, within a few standard errors."""
        cells = [play(WORLDS["styles"], PLAYERS["random"], seed, prompts=500) for seed in range(6)]
        share = window(cells, 0, 500).share
        assert share.mean == pytest.approx(1.0, abs=4 * share.error)
        assert share.error < 0.03

    def test_the_same_settings_for_all_cost_some_checkpoints_their_chance(self):
        """Three of nine lose by them: showing the best of all is no longer without regret."""
        wish = _first("fast", 1)[0]
        fast = wish.loss > 0.0
        assert int(fast.sum()) == 3
        best = wish.candidates[int(wish.utilities.argmax())]
        assert regret(wish, [best]) == 0.0
        assert regret(wish, [best], same_settings=True) == wish.loss[wish.utilities.argmax()]
        assert (wish.with_same_settings().utilities == wish.utilities - 2.0 * fast).all()

    def test_whoever_draws_with_the_same_settings_is_judged_by_what_is_seen(self):
        """Verdicts and regret are those of the worse pictures."""
        own, same = (play(WORLDS["fast"], PLAYERS[name], 1) for name in ("bayesian", "same-settings"))
        assert sum(same.regret) > 2.0 * sum(own.regret)
        assert same.chance == own.chance


class TestPlayers:
    # The two others differ from files-4 in a number alone.
    @pytest.mark.parametrize("name", [name for name in HERE if name not in ("files-1", "files-16")])
    def test_every_player_repeats_itself(self, name: str):
        """The same world and seed give the same cell, bit for bit."""
        for world in PLAYERS[name].worlds or ("shelf", "lazy"):
            one, again = (play(WORLDS[world], PLAYERS[name], 2, pace=[3, 2, 1] * 40, prompts=120) for _ in range(2))
            assert one == again

    @pytest.mark.parametrize("name", [name for name in HERE if PLAYERS[name].paced])
    def test_a_paced_player_shows_as_many_as_ours(self, name: str):
        """So that regret is compared at equal images."""
        pace = [3, 2, 1, 1] * 5
        assert play(WORLDS["styles"], PLAYERS[name], 0, pace=pace, prompts=20).counts == "3211" * 5

    def test_who_shows_more_than_it_may_is_sent_off(self):
        """A paced player cannot win by showing three where ours showed one."""

        class Greedy(Chance):
            def show(self, prompt: str, candidates: object, images: int, branches: int) -> Play:
                return super().show(prompt, candidates, images, 3)

        greedy = Entrant("greedy", "shows three", paced=True, peer=True, make=lambda *_: Greedy(0))
        with pytest.raises(RuntimeError, match="may show 1"):
            play(WORLDS["styles"], greedy, 0, pace=[1], prompts=1)

    def test_who_reads_or_knows_learns_more_than_chance_and_blindness(self):
        """A small run tells them apart."""
        shares = {}
        for name in ("bayesian", "informed", "thompson-blind"):
            cells = [play(WORLDS["styles"], PLAYERS[name], seed, pace=[2] * 240, prompts=240) for seed in (0, 1)]
            shares[name] = window(cells, 120, 240).share.mean
        for name in ("bayesian", "informed"):
            assert shares[name] < min(0.5, 0.5 * shares["thompson-blind"])

    def test_the_informed_one_has_the_exact_posterior(self):
        """Of two checkpoints, as integrating over a grid gives it, with the bar among what can be kept."""
        style = Style(numpy.zeros((4000, 2)), numpy.random.default_rng(5))
        for shown, kept in (([0, 1], 0), ([1, 0], 0), ([0, 1], 1), ([1], None), ([1], None)):
            style.learn(shown, kept, numpy.zeros((4000, 2)))

        at = numpy.linspace(-8.0, 8.0, 321)
        first, second, bar = at[:, None], at[None, :], numpy.exp(BAR)
        either = numpy.log(numpy.exp(first) + numpy.exp(second) + bar)
        logs = 2.0 * first + second - 3.0 * either + 2.0 * (BAR - numpy.log(numpy.exp(second) + bar))
        mass = numpy.exp(logs - (first**2 + second**2) / (2.0 * 1.4**2))
        mass /= mass.sum()
        exact = [(mass * first).sum(), (mass * second).sum(), (mass * first**2).sum()]
        drawn = style.utilities
        moments = [drawn[:, 0].mean(), drawn[:, 1].mean(), (drawn[:, 0] ** 2).mean()]
        assert moments == pytest.approx(exact, abs=0.12)


class TestResults:
    def test_who_knows_the_style_plays_only_where_there_are_styles(self):
        """The others play all the same."""
        played = {job.world: job.players for job in missing(["drift", "shelf"], ["informed"], [0], {})}
        assert set(played) == {"drift"}

    def test_a_run_goes_on_where_it_stopped(self, tmp_path: Path):
        """Finished cells are not played again, also when the last line was torn off."""
        file = tmp_path / "cells.jsonl"
        results = ResultsFile(file, code="one")
        results.add(play_job(_job(["bayesian"], results, seeds=[0])[0]))
        with file.open("a", encoding="utf-8") as torn:
            torn.write('{"code":"one","world":"sty')

        (job,) = _job(["bayesian", "random", "hindsight"], results, seeds=[0])
        assert set(job.players) == {"random", "hindsight"}
        results.add(play_job(job))

        assert _job(["bayesian", "random", "hindsight"], results, seeds=[0]) == []
        assert len(results.cells()) == 3

    def test_resumed_is_as_if_never_stopped(self, tmp_path: Path):
        """A peer keeps the pace of a default policy that played in an earlier run."""
        whole, parts = ResultsFile(tmp_path / "whole", code="x"), ResultsFile(tmp_path / "parts", code="x")
        whole.add(play_job(_job(["bayesian", "thompson-blind"], whole, seeds=[1])[0]))
        for player in ("bayesian", "thompson-blind"):
            parts.add(play_job(_job([player], parts, seeds=[1])[0]))
        assert parts.cells() == whole.cells()

    def test_cells_of_other_code_are_not_used(self, tmp_path: Path):
        """Whoever changes a policy sees its new numbers."""
        ResultsFile(tmp_path / "cells", code="old").add([Cell("styles", "random", 0)])
        assert ResultsFile(tmp_path / "cells", code="new").cells() == {}
        assert ResultsFile(tmp_path / "cells", code="old").cells()

    def test_a_peer_brings_the_default_policy_along(self, tmp_path: Path):
        """Without its pace a peer would not know how many to show."""
        (job,) = _job(["hindsight"], ResultsFile(tmp_path / "none"), seeds=[0])
        assert set(job.players) == {"hindsight", "bayesian"}


def _job(players: list[str], results: ResultsFile, seeds: list[int]) -> list:
    return missing(["styles"], players, seeds, results.cells(), prompts=60)


class TestMeasures:
    def test_a_share_is_a_ratio_of_means_with_its_error(self):
        """Two seeds, regret 1 of 4 and 3 of 4 per prompt: one half, plus or minus a quarter."""
        cells = [Cell("w", "p", seed, 10, [10.0 * lost], [40.0], [20], [20], [0.0]) for seed, lost in ((0, 1), (1, 3))]
        result = window(cells, 0, 10)
        assert (result.share.mean, result.share.error) == (0.5, pytest.approx(0.25))
        assert result.images.mean == 2.0

    def test_players_are_compared_seed_by_seed(self):
        """A peer that is better by the same in every seed is certainly better."""
        ours = [Cell("w", "p", seed, 10, [10.0 * seed], [40.0]) for seed in (1, 2, 3)]
        theirs = [Cell("w", "q", seed, 10, [10.0 * seed - 4.0], [40.0]) for seed in (1, 2, 3)]
        less = advantage(theirs, ours, 0, 10)
        assert (less.mean, less.error) == (pytest.approx(0.1), pytest.approx(0.0))

    def test_recovery_counts_from_the_flip(self):
        """Regret 1 before, 5 for sixty prompts, then 1 again."""
        lost = [10.0] * 60 + [50.0] * 6 + [10.0] * 30
        assert recovery([Cell("w", "p", 0, 960, lost)], 600) == 80
        assert recovery([Cell("w", "p", 0, 960, lost[:66] + [50.0] * 30)], 600) is None

    def test_recovery_may_be_held_against_what_another_had(self):
        """Whoever had less before has farther to come back."""
        good = [Cell("w", "p", 0, 960, [10.0] * 60 + [50.0] * 6 + [20.0] * 30)]
        other = [Cell("w", "q", 0, 960, [20.0] * 96)]
        assert recovery(good, 600) is None
        assert recovery(good, 600, of=other) == 80

    def test_a_hit_is_a_favourite_or_as_good_as_one(self):
        """Rounds that show one checkpoint are sorted by stated confidence; others do not count."""
        cell = Cell("w", "p", 0)
        wish = _wish([2.0, 1.95, -1.0, 0.0])
        for name in ("a", "b", "c"):
            cell.record(wish, Play((name,), (1,), 0.55))
        cell.record(wish, Play(("a", "c"), (1, 1), 0.45))
        (tenth,) = calibration([cell])
        assert (tenth.rounds, tenth.confidence, tenth.hits) == (3, pytest.approx(0.55), pytest.approx(2 / 3))


def _cell(world: str, player: str, seed: int, lost: float, first: float = 0.0) -> Cell:
    """A match of full length with the same regret and the same value everywhere; chance has 1."""
    count = WORLDS[world].prompts
    bins = -(-count // 10)
    sums = [[10.0 * lost] * bins, [10.0] * bins, [20] * bins, [20] * bins, [10.0 * first] * bins]
    return Cell(world, player, seed, count, *sums)


class TestReport:
    def test_it_says_which_peer_is_better_and_which_figure_is_missed(self):
        """A worse policy than its figures, and a peer that beats it in every seed."""
        players = {name: [_cell("styles", name, seed, lost) for seed in (0, 1)] for name, lost in LOST.items()}
        text = report(WORLDS["styles"], players)
        assert "bayesian 150-300: 0.500 at 2.00 images [0.30 at 2.5, aim 0.20 at 2]: MISSED" in text
        assert "thompson-blind beats bayesian in 150-300 by 0.200" in text
        assert "vw" not in text
        assert "hindsight beats" not in text

    def test_it_says_how_soon_one_would_be_back_who_knew_of_the_flip(self):
        """As a bound for what is required of the default."""
        players = {name: [_cell("drift", name, 0, 0.2)] for name in ("bayesian", "informed")}
        text = report(WORLDS["drift"], players)
        assert "informed: within 20 % of what bayesian had before the flip in 20 prompts" in text
        assert "informed beats" not in text

    def test_it_says_where_reading_the_prompt_does_harm(self):
        """In the rated worlds the first recommendation is compared with the prompt-blind ones."""
        players = {
            "bayesian": [_cell("panel", "bayesian", 0, 0.5, 3.1)],
            "global": [_cell("panel", "global", 0, 0.5, 3.0)],
            "thompson-blind": [_cell("panel", "thompson-blind", 0, 0.5, 3.2)],
        }
        text = report(WORLDS["panel"], players)
        assert "of bayesian 3.100, of global 3.000: not below" in text
        assert "of bayesian 3.100, of thompson-blind 3.200: BELOW by 0.100" in text

    def test_it_says_what_boosters_cost(self):
        """As a part of the regret without them."""
        players = {world: {"bayesian": [_cell(world, "bayesian", 0, lost)]} for world, lost in BOOSTED.items()}
        assert "boosters cost bayesian 0.100 in 150-300, +50% [10% of it]" in boosters_cost(players)


class TestCommand:
    def test_it_prints_a_table_and_draws_a_picture(self, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture):
        """One command: play what is missing, print, draw; the second time nothing is left to play."""
        arguments = [
            "--world",
            "rated",
            "--player",
            "bayesian",
            "--player",
            "random",
            "--seeds",
            "2",
            "--quick",
        ]
        arguments += ["--data", str(data), "--results", str(tmp_path / "cells"), "--processes", "1"]
        assert command.main([*arguments, "--picture", str(tmp_path / "curves.svg")]) == 0
        text = capsys.readouterr().out
        assert "| three at random |" in text
        picture = xml.etree.ElementTree.parse(tmp_path / "curves.svg").getroot()  # noqa: S314
        assert picture.tag.endswith("svg")
        size = (tmp_path / "cells").stat().st_size
        assert command.main(arguments) == 0
        assert (tmp_path / "cells").stat().st_size == size

    def test_what_cannot_be_played_is_named_loudly(self, tmp_path: Path, capsys: pytest.CaptureFixture):
        """No data, nothing played, and an exit that says so."""
        assert command.main(["--world", "panel", "--quick", "--results", str(tmp_path / "cells")]) == 1
        assert "NOT PLAYED: panel: needs --data DIR with agiqa3k_data.csv" in capsys.readouterr().err


class TestImagesAtHand:
    """What was there before the first prompt."""

    @pytest.mark.parametrize("world", ["fifty", "habit", "starred"])
    def test_they_repeat_for_a_seed_and_are_of_candidates(self, world: str):
        """Days in order; ratings in one world alone."""
        before = WORLDS[world].before(4, None)
        (first,) = _first(world, 1, seed=4)
        assert before == WORLDS[world].before(4, None)
        assert before != WORLDS[world].before(5, None)
        assert [image.day for image in before] == sorted(image.day for image in before)
        assert {image.checkpoint for image in before} <= set(first.candidates)
        assert {image.rating for image in before} == ({0.0, 1.0} if world == "starred" else {None})

    def test_eight_of_fifty_are_those_that_suit(self):
        """They are better over all than the rest, and the images by any of them are by the same eight."""
        better = []
        for seed in range(6):
            used = {image.checkpoint for image in WORLDS["fifty"].before(seed, None)}
            wishes = _first("fifty", 200, seed=seed)
            means = numpy.mean([wish.utilities for wish in wishes], axis=0)
            eight = numpy.isin(wishes[0].candidates, eight_of_fifty(seed))
            assert used <= set(eight_of_fifty(seed))
            assert {image.checkpoint for image in by_any_of_eight(seed, None)} == set(eight_of_fifty(seed))
            better.append(means[eight].mean() - means[~eight].mean())
        assert min(better) > 0.0
        assert numpy.mean(better) > 0.6

    def test_who_is_told_the_eight_shows_no_others(self):
        """And all of them, in the end."""

        class Noted(Told):
            shown: ClassVar[set[str]] = set()

            def show(self, *question: Any) -> Play:
                played = super().show(*question)
                self.shown.update(played.checkpoints)
                return played

        told = Entrant("told", "", paced=False, peer=False, make=lambda *_: Noted(OurPolicy("bayesian", 1), EIGHT))
        play(WORLDS["fifty"], told, 1, prompts=40)
        assert Noted.shown == set(EIGHT)

    def test_what_is_used_by_habit_is_not_what_is_better(self):
        """Four images in five are one's, and another is better for every prompt."""
        for seed in range(3):
            made = [image.checkpoint for image in WORLDS["habit"].before(seed, None)]
            most = max(set(made), key=made.count)
            wishes = _first("habit", 60, seed)
            best = max(wishes[0].candidates, key=lambda name: sum(wish.utility(name) for wish in wishes))
            assert 0.7 < made.count(most) / len(made) < 0.92
            assert best != most

    @pytest.mark.parametrize(
        ("world", "people", "first", "last", "most"),
        [("fifty", 6, 0, 50, 0.5), ("habit", 20, 30, 100, 1.05), ("starred", 6, 0, 50, 0.5)],
    )
    def test_they_help_or_do_no_harm(self, world: str, people: int, first: int, last: int, most: float):
        """Regret as a part of what the same policy has without them."""
        lost = {}
        for name in ("bayesian", "cold"):
            cells = [play(WORLDS[world], PLAYERS[name], seed, prompts=last) for seed in range(people)]
            lost[name] = sum(sum(cell.regret[first // BIN :]) for cell in cells)
        assert lost["bayesian"] < most * lost["cold"]
