r"""From a prompt in ComfyUI's syntax to keywords with their emphasis.

One linear scan, whatever the input: no pattern has a repetition that can match in two ways, and a bracket's
weight is looked up where it opens instead of being multiplied into its content where it closes. Separate from
the models because it knows prompts and they know numbers. It refuses to judge which words are too common to be
informative: the models measure that.

The rules, where they are not obvious:

- A prompt with commas or line breaks is a tag list. A tag of two to four words is a keyword as a whole, and
  so is each of its words. A sentence gives its words, and each two adjacent ones without grammar between
  them: the tag "long hair" and the sentence "a woman with long hair" share "long", "hair" and "long hair".
  Quality words make no phrases, since their order is not informative. `long_hair`, `waist-up` and
  `saber \(fate\)` are tags wherever they stand.
- A hyphen and an underscore are spaces, unless people write the two words as one (`word_forms`).
- `<lora:x:0.8>` is dropped: it names a file that other nodes load, and ComfyUI's text encoder ignores it.
- `embedding:x` is one keyword and never split: an embedding is a trained word. Most stand for a style or belong
  to one family of checkpoints, which is what a recommendation wants to know.
- `{a|b}` gives each alternative its share of the weight: if it is sent unresolved, one of them will be used.
- Operators give no keywords: `BREAK`, `AND`, `ADDROW` and the like, a wildcard `__name__`, and the name of a variable
  in `${name=value}`.
- A weight is in 0..4, and a word of weight 0 is dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ..values import Keyword
from .vocabulary import PHRASE_BREAKERS, QUALITY_WORDS, STOP_WORDS, is_ideographic, script_words
from .word_forms import SECOND_PARTS, joined, one_form

MOST_KEYWORDS = 100
"""Keywords beyond these, in the order of the prompt, are left out: phrases first, then words and tags."""

MOST_NEGATIVE = 32
"""Keywords of a negative prompt, its tags before the words in them. Most people paste one long list into every prompt,
which is not informative; one that is written for the picture at hand is short."""
NEGATIVE = "-"
"""Begins the keywords of a negative prompt, and no other keyword: "-blurry" is not "blurry"."""

_READ = 16_384  # characters of a prompt, comments aside: some twenty times what fills MOST_KEYWORDS
_LONGEST_WORD = 40
_LONGEST_TAG = 4
_SENTENCE_PHRASE = 0.5  # of its words' weight: in a single sentence a phrase repeats what its words say
_LAST_PROMPTS = 8  # one is asked about in turn: a checkpoint, its settings, LoRAs
_CACHED_FORMS = 4096  # each has at most _LONGEST_WORD letters
_MOST_WEIGHT = 4.0
_ROUND = 1.1  # ComfyUI: (word) is (word:1.1)
_SQUARE = 0.9  # A1111's [word]; ComfyUI's encoder ignores it, but people mean it

_CLOSES = {")": "(", "]": "[", "}": "{"}
_OPERATORS = frozenset({"BREAK", "AND", "AND_PERP", "AND_SALT", "AND_TOPK", "ADDBASE", "ADDCOMM", "ADDROW", "ADDCOL"})
"""Of A1111 and its extensions: they divide a prompt into parts."""

# \w leaves out the vowel signs that Arabic, Hebrew, Indic, Thai, Lao, Burmese and Khmer words are made of.
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u0eb1-\u0ece"
    "\u102b-\u103e\u1056-\u1059\u17b4-\u17d3"
)
_ANY_WORD = rf"(?:[^\W_]|[{_SIGNS}])(?:[^\W_]+|[{_SIGNS}]+|[_'\u2019-](?=[^\W_])|(?<=\d)\.(?=\d))*"
_ASCII_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9]+|[_'-](?=[a-zA-Z0-9])|(?<=\d)\.(?=\d))*"
_SYNTAX = r"""
    (?P<wildcard>__(?:[^\W_]|_(?!_)|[/*~@+. -]){{1,100}}__)
    | (?P<embedding>(?i:embedding):[ ]{{0,4}}[\w./-]{{1,200}})
    | (?P<word>{word})
    | (?P<file><[A-Za-z]{{1,16}}:[^<>\n]{{1,256}}>)
    | (?P<weight>:[ ]{{0,4}}[+-]?(?:\d{{1,6}}(?:\.\d{{0,6}})?|\.\d{{1,6}})[ ]{{0,4}}(?=\)))
    | (?P<literal>\\[()\[\]{{}}])
    | (?P<open>[(\[{{]|\$\{{[ ]{{0,4}}\w{{1,60}}[ ]{{0,4}}(?:=!?|(?=[:}}])))
    | (?P<close>[)\]}}])
    | (?P<comma>[,\n\u3001\u060c])
    | (?P<choice>\|)
    | (?P<stop>[;:!?.\u2013\u2014\u3002\u061b\u061f\u0964\u0965])
    | (?P<emoji>[\U0001f1e6-\U0001f1ff]{{2}}
        |[\u231a-\u23ff\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001f3fa\U0001f400-\U0001faff])
"""
_ANY = re.compile(_SYNTAX.format(word=_ANY_WORD), re.VERBOSE)
_ASCII = re.compile(_SYNTAX.format(word=_ASCII_WORD), re.VERBOSE | re.ASCII)
_LINE_COMMENT = re.compile(r"(?<!:)//[^\n]*")
_LAST_WORD = re.compile(r"[^\s,\u3000-\u3002\uff0c]{1,200}$")
_EMBEDDING_FILE = re.compile(r"\.(?:pt|bin|safetensors)$|[.\-/]+$")


_Weighted = list[tuple[str, float]]


@dataclass(slots=True)
class _Segment:
    """The text between two commas, or other marks that end a phrase: words and escaped brackets with their weights."""

    pieces: list[tuple[str, float]] = field(default_factory=list)
    literal: bool = False


@dataclass(slots=True)
class _Bracket:
    """A bracket that is closed: where, the factor for the weight inside, and whether it is a choice."""

    end: int
    factor: float
    choice: bool


@lru_cache(maxsize=_LAST_PROMPTS)
def extract_keywords(prompt: str, *, phrases: bool = True, most: int = MOST_KEYWORDS) -> tuple[Keyword, ...]:
    """Read a prompt's keywords, at most `most`: words and tags as they first appear, then phrases.

    A keyword that appears several times has its greatest weight. Without `phrases` there are words and tags
    alone.

    >>> [keyword.text for keyword in extract_keywords("oil painting of a fox")]
    ['oil', 'painting', 'fox', 'oil painting']
    >>> extract_keywords("((Long_Hair)), <lora:detail:0.8>")[0]
    Keyword(text='long hair', weight=1.21)
    """
    text = _beginning(_without_comments(prompt).strip())
    if not text.isascii():
        text = _beginning(unicodedata.normalize("NFKC", text))  # one character can become eighteen
    segments, tag_list = _segments(text)
    weights: dict[str, float] = {}
    phrase_weights: dict[str, float] = {}
    for segment in segments:
        words, adjacent = _keywords_of(segment, tag_list=tag_list)
        for word, weight in words:
            if weight > weights.get(word, 0.0):
                weights[word] = weight
        for phrase, weight in adjacent:
            if weight > phrase_weights.get(phrase, 0.0):
                phrase_weights[phrase] = weight
        if len(weights) >= most:
            break
    for phrase, weight in phrase_weights.items() if phrases else ():
        weights[phrase] = max(weight, weights.get(phrase, 0.0))
    kept = list(weights.items())[:most]
    return tuple(Keyword(word, round(weight, 3)) for word, weight in kept if weight >= 0.001)


def negative_keywords(negative: str, *, most: int = MOST_NEGATIVE) -> tuple[Keyword, ...]:
    """Read a negative prompt's tags, then the words in them, at most `most`, each marked by `NEGATIVE`.

    It is a list of tags, also where there is one alone.

    >>> [keyword.text for keyword in negative_keywords("(bad hands:1.2), blurry")]
    ['-bad hand', '-blurry', '-bad', '-hand']
    """
    keywords = {
        keyword.text: keyword
        for keyword in extract_keywords(f"{negative}\n,", phrases=False, most=max(most, MOST_KEYWORDS))
    }
    ordered = list(dict.fromkeys((*whole_tags(keywords), *keywords)))[:most]
    return tuple(Keyword(NEGATIVE + text, keywords[text].weight) for text in ordered)


def whole_tags(texts: Iterable[str]) -> list[str]:
    """Of the texts of tags and their words, those that are not a word of another one.

    >>> whole_tags(["blurry", "bad hand", "bad", "hand"])
    ['blurry', 'bad hand']
    """
    of_tags = dict.fromkeys(texts)
    parts = {word for text in of_tags if " " in text for word in text.split()}
    return [text for text in of_tags if text not in parts]


def _beginning(text: str) -> str:
    """As much of a prompt as is read; it ends with a whole word."""
    if len(text) <= _READ:
        return text
    return text[:_READ] if text[_READ].isspace() else _LAST_WORD.sub("", text[:_READ])


def _without_comments(text: str) -> str:
    """Drop `/* */` and `//` comments, as ComfyUI's frontend does; a line that begins with `#` is text there.

    An unclosed `/*` is text. Not by a pattern, which would search for the end of each one again.
    """
    if "/*" in text:
        kept, start = [], 0
        while (begin := text.find("/*", start)) >= 0 and (end := text.find("*/", begin + 2)) >= 0:
            kept.append(text[start:begin])
            start = end + 2
        text = " ".join([*kept, text[start:]])
    if "//" in text:
        text = _LINE_COMMENT.sub("", text)
    return text


def _segments(text: str) -> tuple[list[_Segment], bool]:
    """Cut a prompt into segments of weighted words; and whether it is a list of tags."""
    tokens = list((_ASCII if text.isascii() else _ANY).finditer(text))
    brackets = _brackets(tokens)
    ends: list[tuple[int, float]] = []  # where the open brackets close, and the weight outside
    choices: set[int] = set()  # where the open choices close: a new segment begins there
    weight, segments = 1.0, [_Segment()]
    lists = 0
    for place, token in enumerate(tokens):
        kind, spelling = token.lastgroup, token.group()
        segment = segments[-1]
        if kind == "word" and spelling not in _OPERATORS:
            segment.pieces.append((spelling, weight))
        elif kind in {"embedding", "emoji"}:
            segments += [_Segment([(spelling, weight)]), _Segment()]
        elif kind == "literal":
            segment.pieces.append((spelling[1], weight))
            segment.literal = True
        elif kind == "open":
            if place in brackets:
                bracket = brackets[place]
                ends.append((bracket.end, weight))
                weight = min(_MOST_WEIGHT, weight * bracket.factor)
                if bracket.choice:
                    choices.add(bracket.end)
                    segments.append(_Segment())
        elif kind == "close":
            if ends and ends[-1][0] == place:
                weight = ends.pop()[1]
                if place in choices:
                    segments.append(_Segment())
        elif kind in {"comma", "choice", "stop", "word"}:
            lists += kind == "comma" and bool(segment.pieces)
            segments.append(_Segment())
    return [segment for segment in segments if segment.pieces], lists > 0


def _brackets(tokens: Sequence[re.Match[str]]) -> dict[int, _Bracket]:
    """The pairs of brackets by the position of the opening one; those that never close are only characters."""
    brackets: dict[int, _Bracket] = {}
    waiting: list[tuple[str, int, int, bool]] = []  # spelling, place, choices, edited
    for place, token in enumerate(tokens):
        kind = token.lastgroup
        if kind == "open":
            waiting.append((token.group().replace("$", "")[0], place, 1, False))
        elif kind == "choice" and waiting:
            spelling, start, choices, edited = waiting[-1]
            waiting[-1] = (spelling, start, choices + 1, edited)
        elif kind == "stop" and waiting and token.group() == ":":
            spelling, start, choices, _ = waiting[-1]
            waiting[-1] = (spelling, start, choices, True)
        elif kind == "close" and waiting and waiting[-1][0] == _CLOSES[token.group()]:
            spelling, start, choices, edited = waiting.pop()
            factor = _factor(spelling, choices, edited, tokens[place - 1])
            brackets[start] = _Bracket(place, factor, choices > 1 and spelling != "(")
    return brackets


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


def _keywords_of(segment: _Segment, *, tag_list: bool) -> tuple[_Weighted, _Weighted]:
    """The segment's words, with its tag if it is one, and its phrases."""
    pieces: _Weighted = []
    keywords: _Weighted = []
    for spelling, weight in segment.pieces:
        start = len(pieces)
        for form in _forms(spelling):
            if form in SECOND_PARTS and pieces and (whole := joined(pieces[-1][0], form)):
                pieces[-1] = whole, (pieces[-1][1] + weight) / 2
            else:
                pieces.append((form, weight))
        if len(pieces) > start + 1:
            keywords += _tag(pieces[start:])
    if tag_list or segment.literal:
        keywords = [*_tag(pieces), *keywords]
    phrases: _Weighted = []
    share = 1.0 if tag_list else _SENTENCE_PHRASE
    last: tuple[str, float] | None = None
    for form, weight in pieces:
        words = _words(form, tag=tag_list)
        for word in words:
            keywords.append((word, weight))
        if len(words) != 1 or words[0] in QUALITY_WORDS:
            last = None
            continue
        if last and last[0] != words[0] and len(last[0]) + len(words[0]) < _LONGEST_WORD:
            phrases.append((f"{last[0]} {words[0]}", share * (last[1] + weight) / 2))
        last = words[0], weight
    return keywords, phrases


def _forms(spelling: str) -> tuple[str, ...]:
    """The parts of what is written as one word, each in the form that its spellings share."""
    return _short_forms(spelling) if len(spelling) <= _LONGEST_WORD else _any_forms(spelling)


def _any_forms(spelling: str) -> tuple[str, ...]:
    lower = spelling.casefold().replace("\u2019", "'")
    if lower.startswith("embedding:"):
        return ("embedding:" + _EMBEDDING_FILE.sub("", lower[len("embedding:") :].strip()),)
    # Where words are written without spaces, one run is a whole sentence.
    return tuple(_form(part[:_LONGEST_WORD] if part.isascii() else part) for part in lower.replace("-", "_").split("_"))


_short_forms = lru_cache(maxsize=_CACHED_FORMS)(_any_forms)


def _form(word: str) -> str:
    return word if word in STOP_WORDS else one_form(word.removesuffix("'s"))


def _tag(pieces: _Weighted) -> _Weighted:
    """Two to four words as one keyword, or nothing if they are a part of a sentence."""
    if not 2 <= len(pieces) <= 2 * _LONGEST_TAG:
        return []
    text = " ".join(form for form, _ in pieces).replace("( ", "(").replace(" )", ")")
    words = text.split()
    if not 2 <= len(words) <= _LONGEST_TAG or len(text) > _LONGEST_WORD:
        return []
    if any(word in PHRASE_BREAKERS for word in words) or all(word in STOP_WORDS for word in words):
        return []
    if not any(character.isalpha() for character in text):
        return []
    return [(text, sum(weight for _, weight in pieces) / len(pieces))]


@lru_cache(maxsize=_CACHED_FORMS)
def _words(form: str, *, tag: bool) -> tuple[str, ...]:
    """The words of a form, without grammar words, numbers and single letters."""
    if form in STOP_WORDS:
        return ()
    if form.isascii():
        return (form,) if len(form) > 1 and any(character.isalpha() for character in form) else ()
    return tuple(word[:_LONGEST_WORD] for word in script_words(form, tag=tag) if _is_word(word))


def _is_word(word: str) -> bool:
    if len(word) == 1 and word.isalpha() and not is_ideographic(word):
        return False
    return not word.isnumeric() and word not in STOP_WORDS
