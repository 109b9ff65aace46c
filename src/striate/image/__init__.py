"""Bytes to upright pixels of one size, on Pillow and NumPy; the same functions for everyone.

A picture is uint8 (H, W, C), RGB order, 0 to 255, C = 1 (grey) or 3.
"""

from striate.image._channels import to_channels
from striate.image._decode import MAX_PIXELS, MAX_SHRUNK, decode, header
from striate.image._fit import fit, fit_matrix
from striate.image._formats import FORMATS, SUFFIXES, actual_format, wrong_suffix
from striate.image._load import Fitted, fit_array, load
from striate.image._orientation import ORIENTATION_TAG, orientation_of
from striate.image._shape import INTERPOLATIONS, PLANES, RULES, Shape
from striate.image._write import data_uri, encode_png

__all__ = [
    "FORMATS",
    "INTERPOLATIONS",
    "MAX_PIXELS",
    "MAX_SHRUNK",
    "ORIENTATION_TAG",
    "PLANES",
    "RULES",
    "SUFFIXES",
    "Fitted",
    "Shape",
    "actual_format",
    "data_uri",
    "decode",
    "encode_png",
    "fit",
    "fit_array",
    "fit_matrix",
    "header",
    "load",
    "orientation_of",
    "to_channels",
    "wrong_suffix",
]
