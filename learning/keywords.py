r"""Which words of a prompt can tell anything: ComfyUI's prompt syntax in, keywords with their emphasis out.

One linear scan, whatever the input: no pattern has a repetition that can be entered in two ways, and a
bracket's weight is looked up where it opens instead of being multiplied into all that it encloses where it
closes. It is separate from the policies because it knows prompts and they know numbers; which words are too
common to tell anything is measured by them, not listed here.

The rules, where they are not obvious:

- A prompt with commas or line breaks is a tag list. A tag of two to four words is a keyword as a whole, and
  so is each of its words, so that the tag "long hair" and the sentence "a woman with long hair" meet in
  "long" and "hair". A sentence gives its words alone. `long_hair` and `saber \(fate\)` are tags wherever
  they stand.
- `<lora:x:0.8>` is dropped: it names a file that other nodes load, and ComfyUI's text encoder does not know
  it.
- `embedding:x` is one keyword and never split: an embedding is a word that somebody taught the encoder.
  Most stand for a style or belong to one family of checkpoints, which is what a recommendation wants to
  know.
- `{a|b}` gives each alternative its share of the weight: whoever sends it unresolved will see one of them.
- A weight lies in 0..4, and a word of weight 0 is not there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from .prompt_words import PHRASE_BREAKERS, STOP_WORDS, is_ideographic, script_words, singular
from .values import Keyword

MOST_KEYWORDS = 100
"""Keywords beyond these, in the order of the prompt, are left out."""

_READ = 16_384  # characters of a prompt, comments aside: some twenty times what fills MOST_KEYWORDS
_LONGEST_WORD = 40
_LONGEST_TAG = 4
_MOST_WEIGHT = 4.0
_ROUND = 1.1  # ComfyUI: (word) is (word:1.1)
_SQUARE = 0.9  # A1111's [word]; ComfyUI's encoder ignores it, but people mean it

_CLOSES = {")": "(", "]": "[", "}": "{"}
_CONJUNCTIONS = frozenset({"BREAK", "AND"})

# \w leaves out the vowel signs that Arabic, Hebrew, Indic and Thai words are made of.
_SIGNS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
_ANY_WORD = rf"(?:[^\W_]|[{_SIGNS}])(?:[^\W_]+|[{_SIGNS}]+|[_'\u2019-](?=[^\W_])|(?<=\d)\.(?=\d))*"
_ASCII_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9]+|[_'-](?=[a-zA-Z0-9])|(?<=\d)\.(?=\d))*"
_SYNTAX = r"""
    (?P<embedding>(?i:embedding):[ ]{{0,4}}[\w./-]{{1,200}})
    | (?P<word>{word})
    | (?P<file><[A-Za-z]{{1,16}}:[^<>\n]{{1,256}}>)
    | (?P<weight>:[ ]{{0,4}}[+-]?(?:\d{{1,6}}(?:\.\d{{0,6}})?|\.\d{{1,6}})[ ]{{0,4}}(?=\)))
    | (?P<literal>\\[()\[\]{{}}])
    | (?P<open>[(\[{{])
    | (?P<close>[)\]}}])
    | (?P<comma>[,\n\u3001\u060c])
    | (?P<choice>\|)
    | (?P<stop>[;:!?.\u3002\u061b\u061f\u0964\u0965])
    | (?P<emoji>[\U0001f1e6-\U0001f1ff]{{2}}
        |[\u231a-\u23ff\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001f3fa\U0001f400-\U0001faff])
"""
_ANY = re.compile(_SYNTAX.format(word=_ANY_WORD), re.VERBOSE)
_ASCII = re.compile(_SYNTAX.format(word=_ASCII_WORD), re.VERBOSE | re.ASCII)
_LINE_COMMENT = re.compile(r"^[ \t]*#[^\n]*|(?<!:)//[^\n]*", re.MULTILINE)
_EMBEDDING_FILE = re.compile(r"\.(?:pt|bin|safetensors)$|[.\-/]+$")


@dataclass(slots=True)
class _Segment:
    """What stands between two commas, or between other marks that end a phrase."""

    words: list[tuple[str, float]] = field(default_factory=list)
    spelling: list[str] = field(default_factory=list)
    literal: bool = False


@dataclass(slots=True)
class _Bracket:
    """A bracket that closes again: where, and what it makes of the weight inside."""

    end: int
    factor: float


def extract_keywords(prompt: str) -> tuple[Keyword, ...]:
    """Read a prompt's keywords, at most `MOST_KEYWORDS`, in the order in which they first appear.

    A keyword that appears several times has its greatest weight.

    >>> [keyword.text for keyword in extract_keywords("photorealistic portrait of a woman")]
    ['photorealistic', 'portrait', 'woman']
    >>> extract_keywords("((Long_Hair)), <lora:detail:0.8>")[0]
    Keyword(text='long hair', weight=1.21)
    """
    text = _without_comments(prompt)[:_READ]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)[:_READ]  # one character can become eighteen
    segments, tag_list = _segments(text)
    found: dict[str, float] = {}
    for segment in segments:
        for word, weight in _keywords_of(segment, tag_list=tag_list):
            found[word] = max(weight, found.get(word, 0.0))
        if len(found) >= MOST_KEYWORDS:
            break
    kept = list(found.items())[:MOST_KEYWORDS]
    return tuple(Keyword(word, round(weight, 3)) for word, weight in kept if weight >= 0.001)


def _without_comments(text: str) -> str:
    """Drop `/* */`, `//` and `#` comments, as ComfyUI's frontend does for the first two.

    An unclosed `/*` is text. Searching by hand, since a pattern would look for each one's end again.
    """
    if "/*" in text:
        kept, start = [], 0
        while (begin := text.find("/*", start)) >= 0 and (end := text.find("*/", begin + 2)) >= 0:
            kept.append(text[start:begin])
            start = end + 2
        text = " ".join([*kept, text[start:]])
    if "#" in text or "//" in text:
        text = _LINE_COMMENT.sub("", text)
    return text


def _segments(text: str) -> tuple[list[_Segment], bool]:
    """Cut a prompt into segments of weighted words, and say whether it is a list of tags."""
    tokens = list((_ASCII if text.isascii() else _ANY).finditer(text))
    brackets = _brackets(tokens)
    ends: list[tuple[int, float]] = []  # where the open brackets close, and the weight outside
    weight, segments = 1.0, [_Segment()]
    lists = 0
    for place, token in enumerate(tokens):
        kind, spelling = token.lastgroup, token.group()
        segment = segments[-1]
        if kind == "word" and spelling not in _CONJUNCTIONS:
            segment.words.append((spelling, weight))
            segment.spelling.append(spelling)
        elif kind in {"embedding", "emoji"}:
            segments += [_Segment([(spelling, weight)]), _Segment()]
        elif kind == "literal":
            segment.spelling.append(spelling[1])
            segment.literal = True
        elif kind == "open":
            if place in brackets:
                ends.append((brackets[place].end, weight))
                weight = min(_MOST_WEIGHT, weight * brackets[place].factor)
        elif kind == "close":
            if ends and ends[-1][0] == place:
                weight = ends.pop()[1]
        elif kind in {"comma", "choice", "stop", "word"}:
            lists += kind == "comma" and bool(segment.words)
            segments.append(_Segment())
    return [segment for segment in segments if segment.words], lists > 0


def _brackets(tokens: Sequence[re.Match[str]]) -> dict[int, _Bracket]:
    """Match the brackets, by the position of the opening token; those that never close are only
    characters."""
    found: dict[int, _Bracket] = {}
    waiting: list[tuple[str, int, int, bool]] = []  # spelling, place, choices, edited
    for place, token in enumerate(tokens):
        kind = token.lastgroup
        if kind == "open":
            waiting.append((token.group(), place, 1, False))
        elif kind == "choice" and waiting:
            spelling, start, choices, edited = waiting[-1]
            waiting[-1] = (spelling, start, choices + 1, edited)
        elif kind == "stop" and waiting and token.group() == ":":
            spelling, start, choices, _ = waiting[-1]
            waiting[-1] = (spelling, start, choices, True)
        elif kind == "close" and waiting and waiting[-1][0] == _CLOSES[token.group()]:
            spelling, start, choices, edited = waiting.pop()
            found[start] = _Bracket(place, _factor(spelling, choices, edited, tokens[place - 1]))
    return found


def _factor(spelling: str, choices: int, edited: bool, last: re.Match[str]) -> float:
    if spelling == "(":
        if last.lastgroup != "weight":
            return _ROUND
        return max(0.0, min(_MOST_WEIGHT, float(last.group()[1:])))
    if choices > 1:
        return 1.0 / choices
    if spelling == "{" or edited:  # [from:to:when] swaps words and weakens none
        return 1.0
    return _SQUARE


def _keywords_of(segment: _Segment, *, tag_list: bool) -> list[tuple[str, float]]:
    """The segment's tag, if it is one, and its words."""
    found = []
    if (tag_list or segment.literal) and (tag := _tag(segment.spelling)):
        found.append((tag, sum(weight for _, weight in segment.words) / len(segment.words)))
    for spelling, weight in segment.words:
        if "_" in spelling and (tag := _tag(spelling.split("_"))):
            found.append((tag, weight))
        found += [(word, weight) for word in _words(spelling, tag=tag_list)]
    return found


def _tag(spellings: Sequence[str]) -> str:
    """Two to four words as one keyword, or nothing where they are a piece of a sentence."""
    if not 2 <= len(spellings) <= 2 * _LONGEST_TAG:
        return ""
    text = " ".join(spellings).replace("_", " ").replace("( ", "(").replace(" )", ")").casefold()
    words = text.split()
    if not 2 <= len(words) <= _LONGEST_TAG or len(text) > _LONGEST_WORD:
        return ""
    if any(word in PHRASE_BREAKERS for word in words) or all(word in STOP_WORDS for word in words):
        return ""
    return text if any(character.isalpha() for character in text) else ""


def _words(spelling: str, *, tag: bool) -> list[str]:
    lower = spelling.casefold()
    if lower.startswith("embedding:"):
        return ["embedding:" + _EMBEDDING_FILE.sub("", lower[len("embedding:") :].strip())]
    found = []
    for part in lower.split("_") if "_" in lower else [lower]:
        if part.isascii():
            found.append(part)
        else:
            found += script_words(part.replace("\u2019", "'"), tag=tag)
    return [word for word in map(_plain, found) if word]


def _plain(word: str) -> str:
    """A word as it is remembered, or nothing for grammar, numbers and single letters."""
    word = word.removesuffix("'s")[:_LONGEST_WORD]
    if word in STOP_WORDS:
        return ""
    if word.isascii():
        if len(word) < 2 or not any(character.isalpha() for character in word):
            return ""
        return singular(word)
    if len(word) == 1 and word.isalpha() and not is_ideographic(word):
        return ""
    return "" if word.isnumeric() else word
