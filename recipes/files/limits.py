"""How much of a file is read: bounds that hold for every file, whoever made it, and the reason for each.

With all of them, the worst file costs a few hundred megabytes and a few seconds; an ordinary one a millisecond.
"""

LONGEST_TEXT = 8 * 2**20
"""Bytes of one text, also after it is unpacked. The longest graphs that people share have about 2 MB, or more where an
image is in them."""

MOST_JSON_PARTS = 500_000
"""Commas and opening brackets of one JSON text. Empty lists take thirty times their text in memory; a graph of 2 MB has
about 150,000 parts."""

MOST_TEXT = 24 * 2**20
"""Bytes of all texts of one file together."""

MOST_READ = 64 * 2**20
"""Bytes read of one file. Pixels are skipped and do not count."""

MOST_CHUNKS = 200_000
"""PNG chunks and WebP chunks. Writers cut pixels into chunks of 8 kB or more: this is an image of 1.6 GB."""

MOST_SEGMENTS = 2_000
"""JPEG segments before the pixels, each at most 64 kB. A colour profile has a few dozen."""

MOST_BOXES = 2_000
"""Boxes and items of an AVIF file. One picture has about thirty."""

MOST_DIRECTORIES, MOST_TAGS = 8, 500
"""EXIF directories of one file, and tags of one directory. Cameras write about a hundred; a directory that leads back
to itself is read once."""

LONGEST_XMP = 2**20
DEEPEST_XMP = 64
MOST_XMP_VALUES = 500
"""Bytes, nested elements and values of an XMP packet. Editors with a long history write some 100 kB, five deep."""

MOST_GRAPH_NODES = 5_000
MOST_GRAPH_INPUTS = 1_000
MOST_GRAPH_LINKS = 50_000
"""Nodes of a ComfyUI graph, inputs of one node, and links. The largest shared workflows have about 600 nodes."""

MOST_IMAGES_OF_A_GRAPH = 20
"""Nodes of a graph whose images are read to find those of this file."""

LONGEST_NAME = 500
"""Characters of a node's or an input's name."""

JPEG_TAIL = 2**16
"""Bytes at the end of a JPEG in which its last marker must be; some programs append a little after it."""
