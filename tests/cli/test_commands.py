"""Every command, started as a person starts it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import socket
import sqlite3
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.scale.tables import fill_file
from context_checkpoint.demo.tiny_models.checkpoints import write_lora
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.model import sufficient_statistics
from context_checkpoint.recipes import Recipe
from tests.conftest import recomputed_elsewhere

from .conftest import NAMES, CommandLine, Done

Call = Callable[..., Done]


def test_recommend_names_checkpoints_and_reason(run: CommandLine, database: Path) -> None:
    """The first lines are the checkpoints, best first; nothing goes to stderr."""
    done = run("recommend", "anime girl", *NAMES, "--database", str(database), "--images", "20")

    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert sorted(line.split()[0] for line in lines[:3]) == sorted(NAMES)
    assert [line.split()[1] for line in lines[:3]] == ["x7", "x7", "x6"]
    assert "confidence 0.00" in done.out


def test_parameter_says_a_value_and_why(run: CommandLine, call: Call, database: Path) -> None:
    """The first line is the value; what cannot be one is wrong use."""
    place = ("--database", str(database))

    async def keep() -> None:
        service = await PreferenceService.open(database)
        recommendation = await service.recommend("castle", ["a"])
        generation = await service.log_generation(
            recommendation, {"a": 1}, recipes=[Recipe(cfg=5.5, width=832, height=1216)]
        )
        await service.record_feedback(generation, {"a": 1})
        await service.close()

    asyncio.run(keep())
    done = run("parameter", "castle", "size", "--default", "512x512", "--checkpoint", "a", *place)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0] == "832x1216"
    assert "size 832x1216: 1 of your 1 images with a have it." in done.out
    cfg = json.loads(call("parameter", "castle", "cfg", "--default", "7", "--json", *place).out)
    assert (cfg["value"], cfg["default"], cfg["source"]) == (5.5, 7, "person")
    steps = json.loads(call("parameter", "castle", "steps", "--default", "20", "--json", *place).out)
    assert (steps["value"], steps["confidence"]) == (20, 0.0)
    wrong = call("parameter", "castle", "steps", "--default", "many", *place)
    assert (wrong.status, wrong.out) == (2, "")
    assert "steps cannot be 'many'. Give a whole number from 1 to 10000." in wrong.err


def test_negative_says_words_and_why(run: CommandLine, call: Call, database: Path) -> None:
    """The first line can be pasted; nothing known is no failure."""
    place = ("--database", str(database))
    empty = call("negative", "castle", *place)
    assert (empty.status, empty.out) == (0, "Nothing is known to add.\n")

    async def keep() -> None:
        service = await PreferenceService.open(database)
        recommendation = await service.recommend("castle", ["a"], negative="people, fog")
        generation = await service.log_generation(recommendation, {"a": 4}, recipes=[Recipe(steps=20)] * 4)
        await service.record_feedback(generation, {"a": 4})
        await service.close()

    asyncio.run(keep())
    done = run("negative", "castle", "--checkpoint", "a", *place)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0] == "people, fog"
    assert "4 of 4 images that you kept of such prompts have it." in done.out
    rest = json.loads(call("negative", "castle", "--negative", "fog", "--json", *place).out)
    assert [word["word"] for word in rest["words"]] == ["people"]


def test_loras_says_which_and_why(run: CommandLine, call: Call, database: Path) -> None:
    """The first lines are the LoRAs with their strengths, or none."""
    place = ("--available", "ink.safetensors", "x", "--database", str(database))

    async def keep() -> None:
        service = await PreferenceService.open(database)
        for _ in range(3):
            recommendation = await service.recommend("pencil sketch", ["a"])
            recipe = Recipe(loras=(("ink.safetensors", 0.7, 0.7),))
            generation = await service.log_generation(recommendation, {"a": 1}, recipes=[recipe])
            await service.record_feedback(generation, {"a": 1})
        await service.close()

    asyncio.run(keep())
    done = run("loras", "pencil sketch", *place)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0] == "ink.safetensors  0.7"
    assert "ink.safetensors: you used it in 3 images" in done.out
    other = call("loras", "a castle", *place).out.splitlines()
    assert other[0] == "none"
    assert other[3].startswith("Nothing is known of these LoRAs yet")
    answer = json.loads(call("loras", "pencil sketch", "--json", "--most", "1", *place).out)
    assert [lora["name"] for lora in answer["loras"]] == ["ink.safetensors"]
    assert call("loras", "pencil sketch", "--most", "11", *place).status == 2


def test_loras_are_read_from_a_folder(call: Call, tmp_path: Path) -> None:
    """With what their files say; where nothing is left, and where both or neither are given, it says so."""
    for name in ("styles/wash", "ink"):
        file = tmp_path / "loras" / f"{name}.safetensors"
        write_lora(file, "sd15", seed=1)
        beside = {"activation text": "inkskt", "preferred weight": 0.6}
        file.with_suffix(".json").write_text(json.dumps(beside), "utf-8")
    place = ("--folder", str(tmp_path / "loras"))

    found = json.loads(call("loras", "a fox, inkskt", "--json", *place, "--include", "styles/*").out)

    assert [(lora["name"], lora["strength"]) for lora in found["loras"]] == [("styles/wash.safetensors", 0.6)]
    nothing = call("loras", "a fox", *place, "--exclude", "*")
    assert nothing.status != 0
    assert "There is no LoRA" in nothing.err
    for wrong in ((), ("--available", "x", *place), ("--available", "x", "--include", "y"), ("--folder", "nowhere")):
        assert call("loras", "a fox", *wrong).status == 2


def test_no_two_names_look_alike(call: Call, database: Path, tmp_path: Path) -> None:
    """Whatever prints a name spells out what nobody sees in it; programs get the name itself."""
    name, other = "dream\u202eslaer.ckpt", "dream\u200b.ckpt"
    lines = tmp_path / "lines.jsonl"
    place = ("--database", str(database))

    async def teach() -> str:
        service = await PreferenceService.open(database)
        recommendation = await service.recommend("castle", [name, other])
        generation = await service.log_generation(recommendation, {name: 1, other: 1})
        await service.record_feedback(generation, {name: 1})
        await service.close()
        return generation

    generation = asyncio.run(teach())
    with closing(sqlite3.connect(database)) as taught, taught:
        taught.execute("UPDATE keywords SET text = 'cas\u2066tle' WHERE text = 'castle'")
    for words in (
        ("recommend", "castle", name, other),
        ("explain", "castle", name, other),
        ("stats",),
        ("doctor", "--database", str(tmp_path / "no\u202esuch.db")),
        ("settings", f"pinned={name}"),
        ("join", other, name),
        ("feedback", "no\u202esuch", "--withdraw"),
        ("feedback", generation, "--selected", "no\u202esuch=1"),
        ("forget", "--keyword", "no\u202esuch"),
        ("export", str(tmp_path / "no\u202esuch" / "file"), *place),
        ("import", str(tmp_path / "no\u202esuch"), *place),
        ("stats", "--database", str(tmp_path / "no\u202esuch" / "\u200b" / ("x" * 300))),
    ):
        done = call(*words, *(() if "--database" in words else place))
        printed = done.out + done.err
        assert not {"\u202e", "\u200b", "\u2066"} & set(printed), words
        assert "[U+" in printed or "\\u202e" in printed, words
    assert name in call("recommend", "castle", name, *place, "--json").json["checkpoints"]
    assert call("export", str(lines), *place).status == 0
    assert name in lines.read_text("utf-8")


def test_a_negative_prompt_is_read(call: Call, database: Path) -> None:
    """Its keywords are marked, whether recommending or explaining."""
    for command in ("recommend", "explain"):
        done = call(command, "a fox", *NAMES, "--database", str(database), "--negative", "blurry", "--json")
        assert (done.status, done.err) == (0, "")
        assert [word["text"] for word in done.json["keywords"]] == ["fox", "-blurry"]


def test_recommend_prints_the_shape_of_the_route(call: Call, database: Path) -> None:
    """A script moves between both without learning another shape."""
    done = call("recommend", "-", *NAMES, "--database", str(database), "--json", "--seed", "5", stdin="画 " * 50_000)

    assert (done.status, done.err) == (0, "")
    assert done.json["seed"] == 5
    assert set(done.json["scores"]) == set(NAMES)


def test_recommend_chooses_among_the_files_of_a_folder(call: Call, database: Path, tmp_path: Path) -> None:
    """Subfolders and globs as in a pool; a file that cannot be a checkpoint is left out and named."""
    folder = tmp_path / "models"
    (folder / "sub folder").mkdir(parents=True)
    for name in ("a.ckpt", "b.ckpt", "sub folder/ç.ckpt", "notes.txt"):
        (folder / name).write_bytes(b"")
    (folder / "cut.safetensors").write_bytes(b"\x10")

    done = call(
        "recommend",
        "anime",
        "--folder",
        str(folder),
        "--exclude",
        "b*",
        "--json",
        "--database",
        str(database),
    )

    assert done.status == 0
    assert set(done.json["scores"]) == {"a.ckpt", "sub folder/ç.ckpt"}
    assert "cut.safetensors" in done.err


def test_a_verdict_is_recorded_replaced_and_withdrawn(
    run: CommandLine, call: Call, database: Path, logged: Callable[..., str]
) -> None:
    """By counts, by positions, and taken back."""
    generation = logged()
    place = ("--database", str(database))

    counted = run("feedback", generation, "--selected", f"{NAMES[0]}=1", "--rejected", f"{NAMES[1]}=1", *place)
    placed = call("feedback", generation, "--selected-images", "2", "--rejected-images", "0", "1", "--json", *place)
    withdrawn = call("feedback", generation, "--withdraw", *place)

    assert counted.out == f"{generation}: 1 selected, 1 rejected, 1 without a verdict.\n"
    assert [image["verdict"] for image in placed.json["images"]] == ["rejected", "rejected", "selected"]
    assert withdrawn.out == f"{generation}: 0 selected, 0 rejected, 3 without a verdict.\n"


def test_stats_writes_all_rows_as_csv(call: Call, database: Path, tmp_path: Path, logged: Callable[..., str]) -> None:
    """To a file or to stdout, the same; the limit is for what a terminal shows."""
    logged("portrait of a woman", (0,))
    file = tmp_path / "learned.csv"
    at = ("--database", str(database))

    done = call("stats", "--csv", str(file), "--limit", "1", *at)
    printed = call("stats", "--csv", "-", "--keyword", "portrait", *at)
    refused = call("stats", "--csv", "-", "--json", *at)
    nowhere = call("stats", "--csv", str(tmp_path / "no" / "learned.csv"), *at)

    heading, *rows = list(csv.reader(io.StringIO(file.read_text("utf-8-sig"))))
    assert heading == ["keyword", "checkpoint", "selected", "total", "rate", "rounds"]
    assert len(rows) > 3
    assert rows == sorted(rows, key=lambda row: row[:2])
    assert done.out == f"{len(rows)} rows written to {file}.\n"
    assert [row[1:4] for row in rows if row[0] == "portrait"] == [
        [name, str(int(name == NAMES[0])), "1"] for name in sorted(NAMES)
    ]
    assert [line.split(",")[0] for line in printed.out.splitlines()[1:]] == ["portrait"] * 3
    assert (refused.status, nowhere.status) == (2, 1)
    assert list(tmp_path.glob("*.part")) == []


def test_stats_shows_what_was_learned(run: CommandLine, call: Call, database: Path, logged: Callable[..., str]) -> None:
    """A table to read, and the same as JSON."""
    logged(selected=(1,))

    printed = run("stats", "--keyword", "portrait", "--database", str(database))
    answer = call("stats", "--json", "--database", str(database)).json

    assert "1 of 1 generations judged, 1 images selected, 2 rejected." in printed.out
    assert any(line.split()[:2] == ["portrait", NAMES[1]] for line in printed.out.splitlines())
    assert answer["overview"]["judged"] == 1


def test_explain_says_why(run: CommandLine, call: Call, database: Path, logged: Callable[..., str]) -> None:
    """In words, and in full as JSON."""
    logged(selected=(1,))

    printed = run("explain", "photorealistic landscape", *NAMES, "--database", str(database))
    answer = call("explain", "photorealistic landscape", *NAMES, "--json", "--database", str(database))

    assert (printed.status, answer.status) == (0, 0)
    assert NAMES[1] in printed.out
    change = answer.json["would_change"]
    assert change["runner_up"] in NAMES
    assert change["picks"] >= 1
    assert printed.out.splitlines()[-1] == f"What would change it: {change['sentence']}"


def test_bans_are_set_and_obeyed_on_the_command_line(call: Call, database: Path) -> None:
    """Names with commas between; nothing after the sign lifts them."""
    call("settings", "banned=one.ckpt, two.ckpt")
    banned = call("recommend", "a castle", "one.ckpt", "three.ckpt", "--database", str(database), "--json")
    shown = call("settings").out
    call("settings", "banned=")

    assert banned.json["checkpoints"] == ["three.ckpt"]
    assert "banned=one.ckpt,two.ckpt" in shown
    assert call("settings", "--json").json["banned"] == []


def test_settings_are_shown_and_changed(run: CommandLine, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change is there for the next process."""
    changed = run("settings", "policy=counts", "exploit_threshold=0.6", "keep_prompts=false")

    assert changed.status == 0
    settings = str(run.home / ".local" / "share")
    monkeypatch.setenv("XDG_DATA_HOME", settings)
    assert {"policy=counts", "keep_prompts=false"} <= set(call("settings").out.split())
    assert call("settings", "--json").json["exploit_threshold"] == 0.6


def test_doctor_says_what_is_wrong_and_how_to_mend_it(call: Call, database: Path) -> None:
    """Exit status 1, and the same as JSON."""
    database.write_bytes(b"no database at all" * 200)

    done = call("doctor", "--database", str(database), "--json")

    assert done.status == 1
    assert done.json["good"] is False
    [bad] = [check for check in done.json["checks"] if check["state"] == "bad"]
    assert bad["area"] == "database"
    assert bad["mend"]


def test_doctor_rebuilds_the_statistics(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """From the log; they come out as they were."""
    logged(selected=(0,))

    done = call("doctor", "--rebuild", "--database", str(database))

    assert done.status == 0, done.out
    assert "out of 1 judged generations; 0 had been wrong" in done.out


def test_a_command_after_an_update_recomputes_the_statistics_once_it_has_answered(call: Call, database: Path) -> None:
    """Where nobody else does it; doctor and stats say how far it is."""
    asyncio.run(fill_file(database, 1_000))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE learned_state SET formula = formula - 1")

    printed = call("stats", "--database", str(database))
    again = call("stats", "--database", str(database), "--json")

    assert (printed.status, again.status) == (0, 0)
    assert "statistics are recomputed; Ctrl+C" in printed.err
    assert "being recomputed" in printed.out
    assert "of 1,000 generations; these are the former ones" in printed.out
    assert again.err == ""
    assert again.json["overview"]["recomputing"] is None
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT formula FROM learned_state").fetchone() == (sufficient_statistics.FORMULA,)


def test_a_command_while_another_process_recomputes_leaves_it_to_that_one(call: Call, database: Path) -> None:
    """One that was killed a moment ago looks like one that works."""
    asyncio.run(fill_file(database, 1_000))
    with recomputed_elsewhere(database, 400):
        printed = call("stats", "--database", str(database))
        doctor = call("doctor", "--database", str(database))
        with closing(sqlite3.connect(database)) as connection:
            state = connection.execute("SELECT generation, worker FROM recomputation").fetchall()

    assert (printed.status, printed.err, state) == (0, "", [(400, "another")])
    assert "being recomputed: 400 of 1,000 generations; these are the former ones" in printed.out
    assert "being recomputed, 400 of 1,000 generations" in doctor.out


def test_serve_answers_until_interrupted(run: CommandLine, database: Path) -> None:
    """The printed address answers; Ctrl+C is the normal end."""
    with run.served(database) as address:
        with urllib.request.urlopen(f"{address}context_checkpoint/health", timeout=10) as answer:  # noqa: S310
            assert json.load(answer)["status"] == "ok"
        with urllib.request.urlopen(address, timeout=10) as page:  # noqa: S310
            assert b"<title>Context Checkpoint</title>" in page.read()


def test_demo_has_its_own_options(run: CommandLine) -> None:
    """They are the demonstration's, not the parser's."""
    done = run("demo", "--help")

    assert done.status == 0
    assert "--no-serve" in done.out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "COMMAND"),
        (["recomend"], "invalid choice"),
        (["recommend", "anime"], "--folder"),
        (["recommend", "anime", "a.safetensors", "--folder", "."], "not both"),
        (["recommend", "anime", "--folder", "/does/not/exist"], "not a folder"),
        (["recommend", "anime", "a", "--include", "b*"], "--folder"),
        (["recommend", "anime", "a", "--stage", "finale"], "invalid choice"),
        (["recommend", "anime", "a", "--exploit-threshold", "0.1"], "wrong way round"),
        (["recommend", "anime", "a", "--images", "0"], "--images"),
        (["feedback", "1234"], "--withdraw"),
        (["feedback", "1234", "--selected", "a"], "CHECKPOINT=COUNT"),
        (["feedback", "1234", "--selected", "a=1", "--selected-images", "0"], "not both"),
        (["feedback", "1234", "--selected-images", "0", "--withdraw"], "--withdraw"),
        (["settings", "policy"], "NAME=VALUE"),
        (["settings", "policy=guess"], "bayesian"),
        (["settings", "colour=red"], "colour"),
        (["settings", "keep_prompts=perhaps"], "true or false"),
        (["stats", "--limit", "0"], "--limit"),
        (["serve", "--port", "70000"], "--port"),
    ],
)
def test_wrong_use_is_reported_on_stderr(words: list[str], part: str, call: Call) -> None:
    """Exit status 2 and no trace."""
    done = call(*words)

    assert done.status == 2
    assert part in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


def test_a_failure_is_reported_on_stderr_without_a_trace(run: CommandLine, database: Path) -> None:
    """Exit status 1, and what to do next."""
    database.write_bytes(b"no database at all" * 200)

    done = run("stats", "--database", str(database))

    assert (done.status, done.out) == (1, "")
    assert str(database) in done.err
    assert "Traceback" not in done.err


def test_an_unknown_generation_is_a_failure_that_names_it(call: Call, database: Path) -> None:
    """Exit status 1."""
    done = call("feedback", "1234", "--withdraw", "--database", str(database))

    assert done.status == 1
    assert "1234" in done.err


def test_what_nobody_expected_shows_its_trace_to_debug_only(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --debug one line says how to see more."""

    def broken(*_: object) -> None:
        raise KeyError("inside")

    monkeypatch.setattr("context_checkpoint.cli.commands.settings", broken)

    done = call("settings")

    assert done.status == 1
    assert "--debug" in done.err
    assert len(done.err.splitlines()) == 1
    with pytest.raises(KeyError):
        call("settings", "--debug")


def test_a_taken_port_is_a_failure_that_says_what_to_do(call: Call, database: Path) -> None:
    """Another server runs there already."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = call("serve", "--port", str(taken.getsockname()[1]), "--database", str(database))

    assert done.status == 1
    assert "--port" in done.err


def test_a_reader_that_has_enough_is_no_failure(run: CommandLine, database: Path) -> None:
    """`context-checkpoint ... | head -1`."""
    done = subprocess.run(
        [
            "bash",
            "-c",
            'set -o pipefail; "$@" | true',
            "bash",
            *run.arguments("stats", "--database", str(database)),
        ],
        env=run.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_taught_is_exported_and_imported(
    run: CommandLine, call: Call, database: Path, logged: Callable[..., str], tmp_path: Path
) -> None:
    """Into a file and by a pipe, under another name of a checkpoint."""
    logged(selected=(1,))
    here, there = ("--database", str(database)), ("--database", str(tmp_path / "there.db"))
    file = tmp_path / "taught.jsonl"

    written = call("export", str(file), *here)
    piped = run("export", *here)
    added = run("import", "-", "--map", f"{NAMES[1]}=new.safetensors", *there, stdin=piped.out)
    again = call("import", str(file), "--json", *there)

    assert written.out == f"1 generations written to {file}.\n"
    assert piped.out.encode() == file.read_bytes()
    assert added.out == "1 generations: 1 new, 0 verdicts replaced.\n"
    assert again.json == {"generations": 1, "added": 0, "verdicts_replaced": 0}
    rows = call("stats", "--json", *there).json["checkpoints"]
    assert "new.safetensors" in [row["checkpoint"] for row in rows]
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_an_anonymous_export_has_no_prompt(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """`--anonymous` is handed on."""
    logged(selected=(1,))

    assert '"prompt"' in call("export", "--database", str(database)).out
    assert '"prompt"' not in call("export", "--anonymous", "--database", str(database)).out


def test_what_cannot_be_exported_or_imported_is_reported(
    call: Call, database: Path, logged: Callable[..., str], tmp_path: Path
) -> None:
    """A bad line, a missing file, a folder that is not there, a name without a new one."""
    logged(selected=(1,))
    place = ("--database", str(database))
    bad = tmp_path / "bad.jsonl"
    bad.write_text("hello\n")

    assert "Line 1" in (refused := call("import", str(bad), *place)).err
    assert refused.status == 1
    assert call("import", str(tmp_path / "none.jsonl"), *place).status == 1
    assert call("export", str(tmp_path / "none" / "file.jsonl"), *place).status == 1
    assert call("import", str(bad), "--map", "old", *place).status == 2
    assert call("export", "--json", *place).status == 2


def test_recommend_knows_a_renamed_file_of_a_folder(call: Call, database: Path, tmp_path: Path) -> None:
    """By its content, as ComfyUI does; what was learned of it stays."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("a.ckpt", "b.ckpt"):
        (folder / name).write_bytes(name.encode() * 50)
    place = ("--database", str(database))
    command = ("recommend", "anime girl", "--folder", str(folder), "--seed", "1", "--json", *place)

    async def teach() -> None:
        service = await PreferenceService.open(database)
        recommendation = await service.recommend("anime girl", ["a.ckpt", "b.ckpt"])
        for _ in range(12):
            generation_id = await service.log_generation(recommendation, {"a.ckpt": 1, "b.ckpt": 1})
            await service.record_feedback(generation_id, selected={"a.ckpt": 1}, rejected={"b.ckpt": 1})
        await service.close()

    asyncio.run(teach())
    call(*command)
    (folder / "a.ckpt").rename(folder / "z.ckpt")

    done = call(*command)

    assert done.json["checkpoints"] == ["z.ckpt"]
    assert done.json["confidence"] > 0.3
