"""What a word is, in the languages of prompts: stop words, quality words, scripts without spaces.

Separate from `keywords` because that module knows ComfyUI's syntax and this one knows languages. It refuses to
judge whether a word is informative: stop words are grammar alone, and what "masterpiece" is worth is measured
from the person's own rounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PHRASE_BREAKERS = _words("""
    a an the of with and or is are was were be her his their its my your our this that these those for from by
    to who which while where when as has have having being
""")
"""Words that make the text between two commas a part of a sentence ("looking at viewer" is a tag)."""

STOP_WORDS = PHRASE_BREAKERS | _words("""
    i me we us you he him she it they them in on at into onto up down out off over under between through
    during about above below behind beside near against among around across along there here then than so but
    if not no nor too very just also only own same such some any each every both few more most other another
    one what how why can could will would shall should may might must do does did done don't doesn't isn't
    aren't am been had got get gets there's that's it's i'm he's she's they're you're we're let's
    don s t ll ve re
""")

_BETTER = _words("""
    masterpiece quality best high highest resolution detailed detail highly ultra extremely intricate hd uhd
    4k 8k 16k hdr highres absurdres award winning trending artstation sharp focus score wallpaper
    hyperdetailed ultradetailed
    杰作 高品质 高质量 最高质量 最佳质量 高画质 高清 傑作 最高品質 高品質 高画質 걸작 고품질 최고품질
""") | {
    "best quality",
    "high quality",
    "highest quality",
    "amazing quality",
    "top quality",
    "very aesthetic",
    "highly detailed",
    "extremely detailed",
    "intricate detail",
    "high resolution",
    "ultra highres",
    "sharp focus",
    "award winning",
    "trending on artstation",
    "score 9",
    "score 8 up",
    "score 7 up",
    "score 6 up",
    "score 5 up",
    "score 4 up",
}
_WORSE = _words("""
    worst low bad normal quality lowres blurry blur ugly poorly drawn anatomy proportion hand finger limb arm
    leg foot face eye body neck extra missing fused fewer digit deformed disfigured distorted mutated mutation
    malformed mutilated duplicate watermark signature text username logo jpeg artifact error cropped frame
    grainy gross
""") | {
    "worst quality",
    "low quality",
    "normal quality",
    "bad quality",
    "bad anatomy",
    "bad proportion",
    "bad hand",
    "extra finger",
    "missing finger",
    "fused finger",
    "extra digit",
    "fewer digit",
    "extra limb",
    "missing limb",
    "extra arm",
    "extra leg",
    "missing arm",
    "missing leg",
    "poorly drawn hand",
    "poorly drawn face",
    "mutated hand",
    "jpeg artifact",
    "too many finger",
    "long neck",
}
QUALITY_WORDS = _BETTER | {f"-{word}" for word in _WORSE}
"""Words that people put into any prompt for a better picture, and (with `-`) into any negative prompt. The models
presume that they are not informative until a person's own rounds show that their use varies; no such prior holds
for other words."""

_UNSPACED = "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
_SYLLABLE = re.compile(
    # A vowel that is written before its consonant (Thai, Lao), the consonant, and the signs around it; with the
    # consonants that are written below it (Khmer, Burmese).
    "[\u0e40-\u0e44\u0ec0-\u0ec4]?(?:.(?:[\u0e30-\u0e3a\u0e45-\u0e4e\u0eb0-\u0ebc\u0ec6-\u0ece"
    "\u102b-\u1038\u103a-\u103e\u1056-\u1059\u17b4-\u17d1\u17d3]|[\u1039\u17d2].)*)"
)
"""Roughly one of Thai, Lao, Burmese or Khmer."""
_SCRIPTS = re.compile(
    "(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\u3005\u3006]+)"
    "|(?P<katakana>[\u30a1-\u30fa\u30fc-\u30fe]+)"
    "|(?P<hiragana>[\u3041-\u309f]+)"
    "|(?P<hangul>[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]+)"
    f"|(?P<unspaced>[{_UNSPACED}]+)"
    f"|(?P<other>[^{_UNSPACED}\u3005\u3006\u3041-\u309f\u30a1-\u30fa\u30fc-\u30fe\u1100-\u11ff\u3131-\u318e\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af]+)"
)
_HAN_GRAMMAR = re.compile("[的了和与與在是着著个個之其及或被把从從對对把很也都]+")
_HIRAGANA_GRAMMAR = frozenset(
    [
        "である",
        "ている",
        "している",
        "された",
        "されて",
        "という",
        "ような",
        "ために",
        "ました",
        "です",
        "ます",
    ]
)
_KOREAN_PARTICLE = re.compile("(?:으로|에서|에게|까지|부터|하는|은|는|이|가|을|를|의|에|와|과|도|로)$")
_LONGEST_WORD = 4


def is_ideographic(character: str) -> bool:
    """Whether one character of this script can be a word: Han and Hangul."""
    match = _SCRIPTS.match(character)
    return match is not None and match.lastgroup in {"han", "hangul"}


def script_words(text: str, *, tag: bool) -> Iterator[str]:
    """Words of a run of letters in scripts that need not have spaces between words, without a dictionary.

    Han is cut at grammatical characters; what is left is a word if it has at most two characters, and
    otherwise its overlapping pairs (plus the whole, for a short `tag`). Katakana runs are words. Hiragana
    runs of one or two are particles, and those behind Han are its endings. A Korean word loses its particle. Thai, Lao,
    Burmese and Khmer give overlapping pairs of syllables (plus the whole, for a short `tag`).

    >>> list(script_words("女性の肖像画", tag=False))
    ['女性', '肖像', '像画']
    """
    before = ""
    for run in _SCRIPTS.finditer(text):
        word = run.group()
        script, before = before, str(run.lastgroup)
        if run.lastgroup == "han":
            for part in _HAN_GRAMMAR.split(word):
                yield from _pairs(part, tag=tag)
        elif run.lastgroup == "unspaced":
            yield from _pairs(_SYLLABLE.findall(word), tag=tag)
        elif run.lastgroup == "hiragana":
            if len(word) > 2 and word not in _HIRAGANA_GRAMMAR and script != "han":
                yield word
        elif run.lastgroup == "hangul":
            yield _KOREAN_PARTICLE.sub("", word) if len(word) > 2 else word
        else:
            yield word


def _pairs(units: Sequence[str], *, tag: bool) -> Iterator[str]:
    """Each two adjacent characters or syllables; one or two are a word as they are."""
    if not units:
        return
    if len(units) <= 2 or (tag and len(units) <= _LONGEST_WORD):
        yield "".join(units)
    if len(units) > 2:
        for start in range(len(units) - 1):
            yield "".join(units[start : start + 2])
