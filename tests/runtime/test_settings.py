"""The settings and the file that remembers them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from context_checkpoint.learning.policies import DEFAULT_POLICY
from context_checkpoint.recipes.settings import Settings as Profile
from context_checkpoint.runtime.settings import DEFINITIONS, Definition, Settings, SettingsFile, default_settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "settings.json"


def test_without_a_file_the_defaults_hold(path: Path) -> None:
    """The document's thresholds, and the default policy."""
    settings = SettingsFile(path).read()

    assert settings == Settings()
    assert (settings.policy, settings.exploit_threshold, settings.explore_threshold) == (
        DEFAULT_POLICY,
        0.5,
        0.3,
    )
    assert not path.exists()


def test_what_was_written_is_read_by_another_process(path: Path) -> None:
    """The folder is created, the file is plain JSON."""
    SettingsFile(path).write(Settings(policy="counts", kept_loaders=1))

    assert SettingsFile(path).read() == Settings(policy="counts", kept_loaders=1)
    assert json.loads(path.read_text())["policy"] == "counts"
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


def test_a_change_by_another_process_is_seen(path: Path) -> None:
    """The command line changes them while ComfyUI runs."""
    here, there = SettingsFile(path), SettingsFile(path)
    here.write(Settings(kept_loaders=1))
    assert there.read().kept_loaders == 1

    here.write(Settings(kept_loaders=2))
    assert there.read().kept_loaders == 2

    path.unlink()
    assert there.read() == Settings()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policy": "magic"}, "choose one of: "),
        ({"exploit_threshold": 0.2}, "wrong way round"),
        ({"explore_threshold": 0.9}, "wrong way round"),
        ({"exploit_threshold": 1.5}, "from 0 to 1"),
        ({"explore_threshold": float("nan")}, "from 0 to 1"),
        ({"exploit_threshold": "high"}, "from 0 to 1"),
        ({"kept_loaders": -1}, "from 0 to 20"),
        ({"kept_loaders": 2.5}, "whole number"),
        ({"kept_loaders": True}, "whole number"),
        ({"backups_kept": -1}, "from 0 to 100"),
        ({"kept_loaders_memory_share": 2}, "from 0 to 1"),
        ({"pinned": ["a.ckpt"], "banned": ["a.ckpt"]}, "choose one"),
        ({"colour": "red"}, "There is no setting 'colour'; there are: policy, exploit_threshold"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_the_choices(changes: dict[str, object], message: str) -> None:
    """Before anything is written."""
    with pytest.raises(ValueError, match=message):
        Settings().changed(**changes)


def test_both_thresholds_can_be_moved_past_the_old_ones_at_once() -> None:
    """The order of the two changes must not matter."""
    assert Settings().changed(exploit_threshold=0.2, explore_threshold=0.1).thresholds.exploit == 0.2


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"x"', "\x00\x01"])
def test_an_unreadable_file_gives_the_defaults_and_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    """ComfyUI starts all the same."""
    path.parent.mkdir()
    path.write_text(content)

    assert SettingsFile(path).read() == Settings(keep_prompts=False)
    assert str(path) in caplog.text


def test_while_it_cannot_be_read_what_was_read_before_holds(path: Path) -> None:
    """Half a comma must not turn on what somebody turned off."""
    own = SettingsFile(path)
    SettingsFile(path).write(Settings(keep_prompts=False, banned=("old",), retention_days=30))
    before = own.read()
    path.write_text("{")

    assert own.read() == own.read() == before


def test_a_change_does_not_write_over_what_could_not_be_read(path: Path) -> None:
    """The pins in it are a minute's work to mend, and a year's to remember."""
    path.parent.mkdir()
    path.write_text('{"pinned": ["a"],}')
    file = SettingsFile(path)

    file.write(file.read().changed(policy="counts"))

    assert path.with_name("settings.json.unreadable").read_text() == '{"pinned": ["a"],}'
    assert SettingsFile(path).read() == Settings(policy="counts", keep_prompts=False)


@pytest.mark.parametrize("value", ["no", None, 7, []])
def test_whether_prompts_are_kept_is_never_taken_for_yes(path: Path, value: object) -> None:
    """Where it makes no sense, somebody meant something by it."""
    path.parent.mkdir()
    path.write_text(json.dumps({"policy": "counts", "keep_prompts": value}))

    assert SettingsFile(path).read() == Settings(policy="counts", keep_prompts=False)


def test_what_is_valid_in_a_half_valid_file_is_used(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody edited it, or a newer version wrote it: only what makes no sense is left out, and logged."""
    path.parent.mkdir()
    path.write_text(json.dumps({"policy": "counts", "kept_loaders": "many", "later": 1}))

    assert SettingsFile(path).read() == Settings(policy="counts")
    assert "kept_loaders is 'many'" in caplog.text
    assert "'later'" in caplog.text


def test_the_file_is_opened_only_when_it_has_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are read for every recommendation."""
    file = SettingsFile(path)
    file.write(Settings(kept_loaders=1))
    monkeypatch.setattr(Path, "read_text", None)

    assert file.read().kept_loaders == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps folders writable for their owner")
def test_a_folder_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """A plain file where the folder should be."""
    (tmp_path / "data").write_text("in the way")

    with pytest.raises(OSError, match="data"):
        SettingsFile(tmp_path / "data" / "settings.json").write(Settings())

    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_pins_and_bans_are_lists_of_names_in_one_spelling(path: Path) -> None:
    """JSON has lists only, systems differ in slashes, and a name counts once."""
    SettingsFile(path).write(Settings(pinned=("sub\\a.ckpt", "sub/a.ckpt"), banned=("b.ckpt",)))

    read = SettingsFile(path).read()

    assert (read.pinned, read.banned) == (("sub/a.ckpt",), ("b.ckpt",))
    assert json.loads(path.read_text())["pinned"] == ["sub/a.ckpt"]


@pytest.mark.parametrize("value", ["a.ckpt", 3, [1], None])
def test_pins_that_are_no_list_of_names_are_refused(value: object) -> None:
    """A single name would otherwise count as a list of letters."""
    with pytest.raises(ValueError, match="list of checkpoints' names"):
        Settings().changed(pinned=value)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_a_setting_is_read_as_it_is_spelled(definition: Definition) -> None:
    """The command line prints what it takes, and so does the environment."""
    assert definition.checked(definition.parse(definition.spell(definition.default))) == definition.default


def test_an_environment_variable_gives_another_default(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the setting's name; what was saved counts more."""
    monkeypatch.setenv("CONTEXT_CHECKPOINT_KEPT_LOADERS", "1")
    monkeypatch.setenv("CONTEXT_CHECKPOINT_KEEP_PROMPTS", "false")
    monkeypatch.setenv("CONTEXT_CHECKPOINT_BANNED", "a.ckpt, b.ckpt")
    expected = Settings(kept_loaders=1, keep_prompts=False, banned=("a.ckpt", "b.ckpt"))
    assert SettingsFile(path).read() == expected

    path.parent.mkdir()
    path.write_text('{"kept_loaders": 2}')

    assert SettingsFile(path).read() == expected.changed(kept_loaders=2)


def test_a_variable_that_makes_no_sense_is_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Whether prompts are kept is never taken for yes, here too."""
    environment = {"CONTEXT_CHECKPOINT_KEPT_LOADERS": "many", "CONTEXT_CHECKPOINT_KEEP_PROMPTS": "perhaps"}

    assert default_settings(environment) == Settings(keep_prompts=False)
    assert "kept_loaders is 'many'" in caplog.text


def test_the_settings_of_a_checkpoint_are_a_table_in_the_file(path: Path) -> None:
    """Only what is set, under the name as the store spells it."""
    file = SettingsFile(path)
    file.write(file.read().with_profile("xl\\a.ckpt", {"steps": 4, "sampler": "DPM++ SDE Karras"}))
    file.write(file.read().with_profile("xl/a.ckpt", {"cfg": 2, "before": "score_9"}))
    file.write(file.read().with_profile("b.ckpt", {"cfg": 5}))
    file.write(file.read().with_profile("b.ckpt", {"cfg": None}))

    assert SettingsFile(path).read().profiles == {"xl/a.ckpt": Profile(4, 2.0, "dpmpp_sde", "karras", before="score_9")}
    assert json.loads(path.read_text())["profiles"]["xl/a.ckpt"]["sampler"] == "dpmpp_sde"


def test_another_sampler_with_its_schedule_replaces_both() -> None:
    """And `clear` takes back what is not named."""
    settings = Settings().with_profile("a", {"sampler": "euler", "scheduler": "beta", "steps": 9})

    assert settings.with_profile("a", {"sampler": "DPM++ 2M Karras"}).profiles["a"] == Profile(
        9, None, "dpmpp_2m", "karras"
    )
    assert settings.with_profile("a", {"sampler": "heun"}).profiles["a"] == Profile(9, None, "heun", "beta")
    assert settings.with_profile("a", {"cfg": 1}, clear=True).profiles["a"] == Profile(cfg=1.0)
    assert settings.with_profile("a", {}, clear=True) == Settings()


@pytest.mark.parametrize(
    "profiles", [[], "a", {"a": 1}, {"a": {"steps": 0}}, {"a": {"vae": "x"}}, {1: {"steps": 4}}, {"a": {"width": 8}}]
)
def test_settings_of_a_checkpoint_that_make_no_sense_are_refused(profiles: object) -> None:
    """All of them, before anything is written."""
    with pytest.raises(ValueError, match=r"profiles|steps is 0|no setting vae|width is 8"):
        Settings().changed(profiles=profiles)


def test_of_a_table_that_is_half_valid_the_valid_values_hold(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One typo takes no other checkpoint's settings away."""
    path.parent.mkdir()
    path.write_text(json.dumps({"profiles": {"a": {"steps": 4, "cfg": "much"}, "b": 7, "c": {"cfg": 1}}}))

    assert SettingsFile(path).read() == Settings(profiles={"a": Profile(4), "c": Profile(cfg=1.0)})
    assert "a: cfg is 'much'" in caplog.text


def test_what_was_chosen_for_a_checkpoint_stays_with_its_file() -> None:
    """After a rename, unless the new name was chosen for already."""
    before = Settings(pinned=("a", "c"), banned=("b",), profiles={"a": Profile(4), "b": Profile(5)})

    assert before.moved("a", "x") == Settings(
        pinned=("x", "c"), banned=("b",), profiles={"b": Profile(5), "x": Profile(4)}
    )
    assert before.moved("a", "b") == Settings(pinned=("c",), banned=("b",), profiles={"b": Profile(5)})
    assert before.chosen("b")
    assert not before.chosen("x")
