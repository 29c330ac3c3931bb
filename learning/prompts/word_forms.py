"""Which spellings are one word: plurals, British and American, one word and two.

Separate from `vocabulary`, which knows what a word is, because this is a list of spellings that real prompts
have. It refuses to be a dictionary: an unknown form is a word of its own, with rounds of its own. Every form is
given back unchanged, so that keywords may be read again.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IRREGULAR = {
    "women": "woman",
    "men": "man",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "geese": "goose",
    "wolves": "wolf",
    "leaves": "leaf",
    "knives": "knife",
    "elves": "elf",
    "dwarves": "dwarf",
    "movies": "movie",
    "zombies": "zombie",
    "cookies": "cookie",
    "selfies": "selfie",
    "hoodies": "hoodie",
}
_ALREADY_SINGULAR = _words("""
    glasses sunglasses clothes series species lens jeans pants shorts chaos canvas atlas christmas texas
    paris mars venus pancreas news trousers tights leggings always perhaps cosmos highres hires lowres
    absurdres anders andreas charles douglas gediminas hans hughes james jones jurgens kaws lucas mullins
    nicholas reeves reynolds rhads rossdraws thomas
""")

_COMPOUNDS = {
    (first, second): first + second
    for first, second in (
        word.split("-")
        for word in _words("""
        air-brush anti-hero art-station art-work back-drop back-ground back-light bio-luminescence
        bio-luminescent bio-mechanical cg-society close-up cyber-punk deviant-art diesel-punk dream-like
        fish-eye god-ray hair-style half-tone head-shot hi-res high-res hyper-detailed hyper-maximalist
        hyper-real hyper-realism hyper-realistic land-scape life-like line-art line-work lo-fi low-poly
        make-up mini-skirt moon-light night-time paint-brush photo-bash photo-graph photo-real
        photo-realism photo-realistic photo-shoot post-apocalyptic post-processing pre-raphaelite ray-traced
        ray-tracing retro-futurism retro-futuristic sci-fi screen-shot semi-realistic solar-punk space-ship
        space-suit spider-man star-ship steam-punk sun-light super-hero synth-wave t-shirt ultra-detailed
        ultra-real ultra-realistic ultra-sharp under-water v-ray vapor-wave water-color x-ray
        """)
    )
}
"""Written as two words, with a hyphen and as one word: those that ten thousand real prompts had at least three times
in each way, and a few of the same kind."""
_UNITS = frozenset({"bit", "d", "k", "mm"})
SECOND_PARTS = _UNITS | {second for _, second in _COMPOUNDS}
"""Words that may join the word before them to one word."""

_OUR = re.compile(
    "(colo|armo|^harbo|^neighbo|^favo|^flavo|^humo|^vapo|^hono|^glamo|^splendo|^odo|^rumo|^parlo)ur(?=$|s$|e|i|f|l|a|h)"
)
_ISE = re.compile(
    "^(civil|colon|crystall|custom|fantas|hypnot|mesmer|organ|real|special|styl|symbol|visual|vandal)"
    "is(?=e$|es$|ed$|ing$|ations?$)"
)
_AMERICAN = {
    "aeroplane": "airplane",
    "aluminium": "aluminum",
    "analogue": "analog",
    "blond": "blonde",
    "centre": "center",
    "cosy": "cozy",
    "defence": "defense",
    "fibre": "fiber",
    "grey": "gray",
    "greyish": "grayish",
    "greyscale": "grayscale",
    "jewelled": "jeweled",
    "jewellery": "jewelry",
    "lustre": "luster",
    "marvellous": "marvelous",
    "mediaeval": "medieval",
    "modelling": "modeling",
    "mould": "mold",
    "moustache": "mustache",
    "ochre": "ocher",
    "pyjama": "pajama",
    "sabre": "saber",
    "sceptre": "scepter",
    "sombre": "somber",
    "spectre": "specter",
    "theatre": "theater",
    "travelling": "traveling",
    "tyre": "tire",
    "woollen": "woolen",
}


def one_form(word: str) -> str:
    """The form under which an English word is learned; anything else is given back as it is.

    >>> [one_form(word) for word in ("colours", "watercolour", "grey", "stylised", "hour", "centres")]
    ['color', 'watercolor', 'gray', 'stylized', 'hour', 'center']
    """
    form = singular(word)
    form = _IRREGULAR.get(form, form)
    if form in _AMERICAN:
        return _AMERICAN[form]
    if "our" in form:
        return _OUR.sub(r"\1r", form)
    return _ISE.sub(r"\1iz", form) if "is" in form else form


def joined(first: str, second: str) -> str:
    """The one word that two words are in other prompts, or an empty string.

    >>> joined("photo", "realistic"), joined("3", "d"), joined("oil", "painting")
    ('photorealistic', '3d', '')
    """
    if second in _UNITS and first.isdecimal():
        return first + second
    return _COMPOUNDS.get((first, second), "")


def singular(word: str) -> str:
    """The singular of a plain English plural; anything else is given back as it is.

    >>> [singular(word) for word in ("eyes", "cities", "dresses", "women", "glass", "2girls")]
    ['eye', 'city', 'dress', 'woman', 'glass', '2girls']
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word in _ALREADY_SINGULAR:
        return word
    if word.endswith(("ss", "us", "is")) or not (word.isascii() and word.isalpha()):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("oes") and len(word) > 5:
        return word[:-2]
    return word[:-1]
