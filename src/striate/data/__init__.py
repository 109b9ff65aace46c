"""From what the user calls a source to batches: open, check, split, store, batches.

Importing this room imports neither Pillow nor OpenCV; they come in when a picture is read.
"""

from striate.data._augment import augment, matrices
from striate.data._augmentation import Augmentation
from striate.data._batches import Batches
from striate.data._cache_features import keep_features, read_features
from striate.data._cache_headers import keep_headers
from striate.data._cache_looks import look_at_pixels
from striate.data._check import check, stop_at_faults, unreadable_findings, unreadable_limit
from striate.data._check_duplicates import duplicate_findings, parts_of
from striate.data._check_exclude import exclude, listed
from striate.data._check_pixels import pixel_findings
from striate.data._digits import write_digits
from striate.data._duplicate import DuplicateGroup, Duplicates
from striate.data._duplicates import find_duplicates
from striate.data._feature_batches import (
    AnyBatch,
    AnyBatches,
    FeatureBatch,
    FeatureBatches,
    KeptFeatures,
)
from striate.data._named import named_sources
from striate.data._open import SourceLike, open_source
from striate.data._order import hash_ids, hash_names, order
from striate.data._registry import NamedSource
from striate.data._source import (
    PARTS,
    TEST,
    TRAIN,
    UNDECIDED,
    VALIDATION,
    Audit,
    Batch,
    Finding,
    Pictures,
    Progress,
    Source,
    SourceOptions,
    Split,
    Unreadable,
)
from striate.data._split import split
from striate.data._store import Store, store

__all__ = [
    "PARTS",
    "TEST",
    "TRAIN",
    "UNDECIDED",
    "VALIDATION",
    "AnyBatch",
    "AnyBatches",
    "Audit",
    "Augmentation",
    "Batch",
    "Batches",
    "DuplicateGroup",
    "Duplicates",
    "FeatureBatch",
    "FeatureBatches",
    "Finding",
    "KeptFeatures",
    "NamedSource",
    "Pictures",
    "Progress",
    "Source",
    "SourceLike",
    "SourceOptions",
    "Split",
    "Store",
    "Unreadable",
    "augment",
    "check",
    "duplicate_findings",
    "exclude",
    "find_duplicates",
    "hash_ids",
    "hash_names",
    "keep_features",
    "keep_headers",
    "listed",
    "look_at_pixels",
    "matrices",
    "named_sources",
    "open_source",
    "order",
    "parts_of",
    "pixel_findings",
    "read_features",
    "split",
    "stop_at_faults",
    "store",
    "unreadable_findings",
    "unreadable_limit",
    "write_digits",
]
