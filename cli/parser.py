"""The arguments of `context-checkpoint`: one function per command.

Separate from what the commands do, so that `--help` and a wrong argument answer before anything else is imported.
"""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from .. import __version__
from ..learning.parameters import PARAMETERS
from ..learning.values import MOST_BRANCHES, STAGES
from ..recipes.settings import NAMES
from ..runtime.settings import DEFINITIONS

DEFAULT_PORT = 8190
_RATINGS = "database of a gallery that lies elsewhere, such as infinite-image-browsing's iib.db; may be repeated"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="context-checkpoint",
        description="Recommends checkpoints for a prompt, learned from a person's verdicts.",
        epilog="Exit status: 0 done, 1 failed, 2 wrong use. `context-checkpoint COMMAND --help` has more.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = _common_options()
    _add_recommend(commands, common)
    _add_parameter(commands, common)
    _add_negative(commands, common)
    _add_loras(commands, common)
    _add_feedback(commands, common)
    _add_stats(commands, common)
    _add_explain(commands, common)
    _add_export(commands, common)
    _add_import(commands, common)
    _add_import_images(commands, common)
    _add_share(commands, common)
    _add_adopt(commands, common)
    _add_copy(commands, common)
    _add_join(commands, common)
    _add_forget(commands, common)
    _add_backups(commands, common)
    _add_doctor(commands, common)
    _add_settings(commands, common)
    _add_profiles(commands, common)
    _add_serve(commands, common)
    _add_mcp(commands, common)
    _add_demo(commands)
    return parser


def _common_options() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("common options")
    group.add_argument(
        "--database",
        metavar="PLACE",
        help="SQLite file, or postgresql://...; default: $CONTEXT_CHECKPOINT_DATABASE, else the one that ComfyUI uses",
    )
    group.add_argument("--json", action="store_true", help="print JSON, of the same shapes as the HTTP routes")
    group.add_argument("--debug", action="store_true", help="show the log, and the trace where something fails")
    return common


def _add_recommend(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("recommend", parents=[common], help="recommend one to three checkpoints for a prompt")
    _add_prompt_and_candidates(parser)
    parser.add_argument("--stage", choices=STAGES, default="final", help="draft always explores (default: final)")
    parser.add_argument(
        "--no-explore", dest="explore", action="store_false", help="only the best checkpoint, whatever the confidence"
    )
    parser.add_argument("--policy", help="how to learn from the verdicts (default: as in the settings)")
    parser.add_argument(
        "--max-branches",
        type=int,
        default=MOST_BRANCHES,
        metavar="N",
        help=f"1 to {MOST_BRANCHES} (default: 3)",
    )
    parser.add_argument("--seed", type=int, help="makes an exploring policy repeatable")
    parser.add_argument("--exploit-threshold", type=float, metavar="X", help="above this confidence: one checkpoint")
    parser.add_argument("--explore-threshold", type=float, metavar="X", help="above this confidence: two, else three")
    parser.add_argument("--images", type=int, metavar="N", help="also divide N images among the checkpoints")


def _add_prompt_and_candidates(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", help="the prompt, in ComfyUI's syntax; - reads it from stdin")
    parser.add_argument("--negative", default="", metavar="PROMPT", help="the negative prompt")
    parser.add_argument("candidates", nargs="*", metavar="CHECKPOINT", help="checkpoints to choose from")
    parser.add_argument("--folder", metavar="DIR", help="choose from the checkpoint files in DIR instead")
    parser.add_argument("--include", default="", metavar="GLOBS", help="with --folder: only these, comma separated")
    parser.add_argument("--exclude", default="", metavar="GLOBS", help="with --folder: not these")


def _add_parameter(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "parameter",
        parents=[common],
        help="recommend a value for one setting of an image, such as steps",
        description="Recommend the value of one setting, learned from images whose settings are known: from verdicts "
        "on images that differ in nothing else, and from what your images used.",
    )
    parser.add_argument("prompt", help="the prompt, in ComfyUI's syntax; - reads it from stdin")
    parser.add_argument("name", metavar="NAME", choices=PARAMETERS, help=", ".join(PARAMETERS))
    parser.add_argument(
        "--default", required=True, metavar="VALUE", help="where nothing is known; a size is WIDTHxHEIGHT"
    )
    parser.add_argument("--checkpoint", metavar="CHECKPOINT", help="the one that will draw the image (default: any)")
    parser.add_argument("--negative", default="", metavar="PROMPT", help="the negative prompt")


def _add_negative(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "negative",
        parents=[common],
        help="suggest words for a negative prompt",
        description="Suggest words that a negative prompt lacks: those that the negative prompts of the images you "
        "kept for such prompts had. Where nothing is known, nothing is suggested.",
    )
    parser.add_argument("prompt", help="the prompt, in ComfyUI's syntax; - reads it from stdin")
    parser.add_argument("--negative", default="", metavar="TEXT", help="what the negative prompt says so far")
    parser.add_argument("--checkpoint", metavar="CHECKPOINT", help="the one that will draw the image (default: any)")


def _add_loras(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "loras",
        parents=[common],
        help="recommend LoRAs for a prompt, or none",
        description="Recommend LoRAs, learned from images whose LoRAs are known: from verdicts on images that differ "
        "in them, and from what your images of such prompts used.",
    )
    parser.add_argument("prompt", help="the prompt, in ComfyUI's syntax; - reads it from stdin")
    parser.add_argument("--available", nargs="+", default=[], metavar="LORA", help="LoRAs that fit the checkpoint")
    parser.add_argument("--folder", metavar="DIR", help="choose from the LoRA files in DIR instead")
    parser.add_argument("--include", default="", metavar="GLOBS", help="with --folder: only these, comma separated")
    parser.add_argument("--exclude", default="", metavar="GLOBS", help="with --folder: not these")
    parser.add_argument("--checkpoint", metavar="CHECKPOINT", help="the one that will draw the image (default: any)")
    parser.add_argument("--negative", default="", metavar="PROMPT", help="the negative prompt")
    parser.add_argument("--most", type=int, default=2, metavar="N", help="how many at most (default: 2)")


def _add_feedback(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "feedback",
        parents=[common],
        help="record or replace the verdict on a generation, or take verdicts from image files",
        description="Say which images of a generation were kept and which were not, per checkpoint or by "
        "position. It replaces the generation's former verdict. Images that are not named teach nothing. With FILE: "
        "say what you think of saved images of logged generations, or let their stars and folders say it.",
    )
    parser.add_argument(
        "subject", metavar="GENERATION | FILE", nargs="+", help="the generation's id; or images, or folders of images"
    )
    parser.add_argument("--selected", action="append", default=[], metavar="CHECKPOINT=COUNT", help="may be repeated")
    parser.add_argument("--rejected", action="append", default=[], metavar="CHECKPOINT=COUNT", help="may be repeated")
    parser.add_argument("--selected-images", type=int, nargs="+", default=[], metavar="POSITION", help="from 0")
    parser.add_argument("--rejected-images", type=int, nargs="+", default=[], metavar="POSITION", help="from 0")
    parser.add_argument("--withdraw", action="store_true", help="take the verdict back; takes no images")
    files = parser.add_argument_group("with FILE")
    verdict = files.add_mutually_exclusive_group()
    verdict.add_argument("--select", action="store_true", help="these images were kept, whatever their files say")
    verdict.add_argument("--reject", action="store_true", help="these images were not kept")
    files.add_argument("--dry-run", action="store_true", help="only say what would be recorded")
    files.add_argument("--replace", action="store_true", help="also where the image has another verdict already")
    files.add_argument(
        "--deleted-are-rejected",
        action="store_true",
        help="of a folder: images that the log has there and that are gone",
    )
    files.add_argument("--ratings", action="append", default=[], metavar="DB", help=_RATINGS)


def _add_stats(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("stats", parents=[common], help="what was learned so far")
    parser.add_argument("--keyword", help="only rows of this keyword")
    parser.add_argument("--checkpoint", help="only rows of this checkpoint")
    parser.add_argument(
        "--limit", type=int, default=20, metavar="N", help="rows of keyword and checkpoint (default: 20)"
    )
    parser.add_argument(
        "--csv", metavar="FILE", help="write all rows of keyword and checkpoint as CSV for a spreadsheet; - prints them"
    )


def _add_explain(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "explain", parents=[common], help="why a prompt would get the checkpoints it would get"
    )
    _add_prompt_and_candidates(parser)
    parser.add_argument("--stage", choices=STAGES, default="final")
    parser.add_argument("--policy", help="default: as in the settings")


def _add_export(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "export",
        parents=[common],
        help="write the whole log as JSON Lines",
        description="Write every generation and its newest verdict, for `import` here or elsewhere.",
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="default: stdout")
    parser.add_argument("--anonymous", action="store_true", help="without prompts, names of images, sessions and seeds")


def _add_import(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "import",
        parents=[common],
        help="add what was exported, here or elsewhere",
        description="Add the generations and verdicts of an exported file to the database. The same "
        "file again changes nothing; where both have a generation, its newer verdict counts.",
    )
    parser.add_argument("file", metavar="FILE", help="- reads stdin")
    parser.add_argument("--map", action="append", default=[], metavar="OLD=NEW", help="another name for a checkpoint")


def _add_import_images(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "import-images",
        parents=[common],
        help="learn from the images that you have",
        description="Read what made the images in FOLDER and its subfolders, and learn from them: rated ones are "
        "verdicts, the others say which checkpoints you work with. The same again adds only what is new.",
    )
    parser.add_argument("folder", metavar="FOLDER", nargs="?")
    parser.add_argument("--dry-run", action="store_true", help="only say what is there")
    parser.add_argument("--batch", default="", metavar="NAME", help="the import's name (default: the folder's)")
    parser.add_argument(
        "--checkpoints",
        action="append",
        default=[],
        metavar="DIR",
        help="folder of checkpoints, with names as ComfyUI has them; may be repeated (default: ComfyUI's own)",
    )
    parser.add_argument("--hash", action="store_true", help="read checkpoints as a whole to match missing ones by hash")
    parser.add_argument("--ratings", action="append", default=[], metavar="DB", help=_RATINGS)
    parser.add_argument("--list", action="store_true", help="list the imports")
    parser.add_argument("--undo", metavar="NAME", help="take back all that an import has taught")


def _add_share(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "share",
        parents=[common],
        help="write a file with what your verdicts say of common words, for other people",
        description="Write sums of your verdicts for each word of a fixed list and each of your checkpoints, with "
        "noise that hides any one judged generation. The file has no prompt, no image and no other word.",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--epsilon",
        type=float,
        default=4.0,
        metavar="E",
        help="how much one judged generation may show, 0.01 to 100: the smaller, the more noise (default: 4)",
    )


def _add_adopt(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "adopt",
        parents=[common],
        help="begin with what other people shared, list it, or remove it",
        description="Begin with files that `share` wrote. They count as a few rounds at most, and what your own "
        "verdicts teach stays apart from them.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--name", metavar="NAME", help="to list and remove it by (default: the file's)")
    parser.add_argument(
        "--weight",
        type=float,
        metavar="W",
        help="how much it counts, 0 to 10 (default: 1); with --name alone: from now on",
    )
    parser.add_argument("--list", action="store_true", help="only list what is adopted")
    parser.add_argument("--remove", metavar="NAME", help="remove what is adopted under this name")


def _add_copy(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "copy",
        parents=[common],
        help="add the contents of one database to another, a file or a server",
        description="Add the contents of FROM to TO, which is created if it does not exist. The same "
        "again changes nothing.",
    )
    parser.add_argument("source", metavar="FROM", help="SQLite file, or postgresql://...")
    parser.add_argument("target", metavar="TO", help="SQLite file, or postgresql://...")


def _add_join(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "join",
        parents=[common],
        help="let what was learned of one checkpoint count for another",
        description="For a file that was renamed while nothing could notice it, or for a new version of a "
        "checkpoint that is the same to you. `doctor` lists checkpoints without a file.",
    )
    parser.add_argument("former", metavar="FORMER")
    parser.add_argument("name", metavar="NAME")


def _add_forget(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "forget",
        parents=[common],
        help="take back a generation, a keyword, old generations, the prompts' texts, or everything",
        description="What is forgotten is deleted for good, from the database and from its copies.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--generation", metavar="ID")
    what.add_argument("--keyword", metavar="WORD", help="and the texts of the prompts that contain it")
    what.add_argument("--older-than", type=int, metavar="DAYS")
    what.add_argument("--prompts", action="store_true", help="the texts of all prompts, not their keywords")
    what.add_argument("--everything", action="store_true", help="needs --yes")
    parser.add_argument("--yes", action="store_true", help="with --everything: confirms it")


def _add_backups(commands: Any, common: argparse.ArgumentParser) -> None:
    commands.add_parser(
        "backups",
        parents=[common],
        help="list the copies of the database, and what each holds",
        description="List every copy of the database file in the order in which they would be restored, with its "
        "time, what it holds and whether it is sound; then the damaged files that were quarantined.",
    )


def _add_doctor(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "doctor", parents=[common], help="check versions, requirements, database, pools and settings"
    )
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="recompute all statistics from the log of generations and verdicts",
    )


def _add_settings(commands: Any, common: argparse.ArgumentParser) -> None:
    lines = [
        f"  {definition.name}={definition.spell(definition.default)}\n"
        + textwrap.fill(definition.help, 100, initial_indent=" " * 6, subsequent_indent=" " * 6)
        for definition in DEFINITIONS
    ]
    parser = commands.add_parser(
        "settings",
        parents=[common],
        help="show the settings, or change some",
        epilog="\n".join(["settings and their defaults:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("changes", nargs="*", metavar="NAME=VALUE")


def _add_profiles(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "profiles",
        parents=[common],
        help="show the settings of checkpoints and where they come from, or set some",
        description="Show what is known of each checkpoint's settings: what you set, what your kept images used, and "
        f"what its files and its name say. The settings are: {', '.join(NAMES)}.",
    )
    parser.add_argument("name", nargs="?", metavar="CHECKPOINT", help="default: all that are in --folder or were set")
    parser.add_argument("--folder", metavar="DIR", help="also read the files in DIR and what lies beside them")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="such as steps=4 cfg=1.5; without a value the setting is taken back",
    )
    parser.add_argument("--clear", action="store_true", help="take back all that was set, before --set")


def _add_serve(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "serve", parents=[common], help="serve the HTTP routes and an overview page without ComfyUI"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: 127.0.0.1, this machine only)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"default: {DEFAULT_PORT}; 0 takes a free one")
    parser.add_argument(
        "--images", action="append", default=[], metavar="DIR", help="a folder of images that may be imported"
    )
    parser.add_argument(
        "--checkpoints", action="append", default=[], metavar="DIR", help="folder of the checkpoints that made them"
    )


def _add_mcp(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "mcp",
        parents=[common],
        help="let an AI agent ask and give feedback, as a server of the Model Context Protocol",
        description="Answer an agent on stdin and stdout; the agent's program starts it. Its tools are recommend, "
        "explain, feedback, recommend_parameter and recommend_loras.",
    )
    parser.add_argument("--folder", metavar="DIR", help="the checkpoints to choose from where the agent names none")
    parser.add_argument("--loras", metavar="DIR", help="the LoRAs to choose from where the agent names none")


def _add_demo(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        add_help=False,
        help="run a simulated person against a real ComfyUI; has its own options",
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER)
