"""The model folder and prediction from it, without PyTorch. See docs/model-folder.md."""

from striate.model._features import BATCH, Backbone
from striate.model._folder import write_model
from striate.model._manifest import Manifest, Sample
from striate.model._picture import Picture
from striate.model._prediction import Prediction
from striate.model._predictor import Predictor, load
from striate.model._verify import Check, Verification, examine, verify

__all__ = [
    "BATCH",
    "Backbone",
    "Check",
    "Manifest",
    "Picture",
    "Prediction",
    "Predictor",
    "Sample",
    "Verification",
    "examine",
    "load",
    "verify",
    "write_model",
]
