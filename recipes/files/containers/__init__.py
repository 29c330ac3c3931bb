"""From the bytes of an image file to the texts in it: one module per format, and EXIF, XMP and encodings, which they
share. Knows no tool, and decodes no pixels."""
