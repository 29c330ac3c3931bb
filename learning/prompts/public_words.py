"""The words of which a shared file may speak: a fixed list that depends on nobody's prompts.

Separate from `vocabulary`, which says what words are worth to one person, because this list is part of a promise
(docs/sharing.md): a file has every word of it, whether its author ever used it or not, so that the choice of words says
nothing about anybody. Words of styles, mediums, light, places and common subjects, as `keywords` spells them; nobody's
name is among them. A change of the list is a new version of the file's format.
"""

from __future__ import annotations

_MEDIUMS = """
    3d abstract acrylic analog anime artwork blender cartoon cel charcoal chibi cinematic cgi claymation collage comic
    digital dithering drawing engraving etching film flat gouache graffiti illustration impasto ink isometric lineart
    logo lowpoly manga marble minimalist mosaic movie neon octane oil origami painting papercut paper pastel pen pencil
    photo photograph photography photorealistic pixel polaroid portrait poster print realistic render retro screentone
    sculpture shading sketch sprite sticker stylized texture typography vector vintage voxel watercolor wallpaper
    woodcut
"""
_STYLES = """
    aesthetic ancient apocalyptic artdeco avantgarde baroque bauhaus biomechanical brutalist chiaroscuro cottagecore
    cubism cute cyberpunk dark dieselpunk dystopian eerie elegant epic ethereal fantasy fashion futuristic gothic
    grunge horror hyperrealistic impressionism industrial japanese kawaii macabre magical medieval minimalism modern
    moody mythical noir ornate painterly psychedelic renaissance romantic scifi steampunk surreal surrealism synthwave
    traditional ukiyoe vaporwave victorian whimsical
"""
_LIGHT = """
    atmospheric backlight bloom bokeh bright candle closeup color colorful composition contrast dawn day depth dramatic
    dusk dynamic fire flare fog fullbody glow glowing golden gradient grain haze light lighting lens macro mist
    monochrome moonlight night palette particle rain rainbow ray reflection shadow silhouette smoke snow soft softbox
    spotlight storm studio sunlight sunrise sunset symmetry telephoto vibrant vivid volumetric warm wide
    black blue brown gold gray green orange pink purple red silver teal white yellow
"""
_PLACES = """
    alley architecture autumn bar beach bedroom bridge building cafe castle cathedral cave church city cityscape cliff
    cloud countryside desert field forest galaxy garden harbor hill house indoor interior island jungle kitchen lake
    landscape library market meadow mountain ocean outdoor palace park planet river road rooftop room ruin school sea
    sky skyline spaceship space spring station street summer temple tower town tree underwater universe valley village
    waterfall winter
"""
_SUBJECTS = """
    1boy 1girl alien android angel animal armor astronaut bird bear boy butterfly car cat character child couple crowd
    crystal cyborg dancer demon dog dragon dress elf face fairy female figure fish flower food fox fruit ghost giant
    girl goddess hair hand hat helmet hero horse insect jewelry kimono king knight lighthouse lion logo machine mage
    male man mask mecha mermaid monk monster motorcycle moon mushroom ninja owl person pirate plant pose princess
    product queen rabbit robot rose sailor samurai ship skull smile soldier solo statue still sun sword tiger train
    uniform vampire vehicle warrior weapon werewolf wing witch wizard wolf woman zombie
"""

PUBLIC_WORDS = tuple(
    sorted({*_MEDIUMS.split(), *_STYLES.split(), *_LIGHT.split(), *_PLACES.split(), *_SUBJECTS.split()})
)
"""In the order of the alphabet."""
