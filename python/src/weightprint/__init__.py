"""Decides from the weights alone whether two neural networks share weights.

    import weightprint

    r = weightprint.compare("base/", model)   # a path, a hub id, a state dict, a model
    r.relation, r.kinds, r.because            # "related", ["fine-tuned"], [...]
    r                                         # in a notebook: the verdict with its evidence

The work is done by the program `weightprint`, which this package carries; every
figure is the program's own.
"""

from ._api import audit, compare, tree, verify, version
from ._errors import FindingError, MismatchError, NotCompletedError, UndecidedError, UsageError, WeightprintError
from ._inputs import Model
from .report import Audit, Component, Evidence, Layer, Report, Subject, Tree, Verdict

__all__ = [
    "Audit",
    "Component",
    "Evidence",
    "FindingError",
    "Layer",
    "MismatchError",
    "Model",
    "NotCompletedError",
    "Report",
    "Subject",
    "Tree",
    "UndecidedError",
    "UsageError",
    "Verdict",
    "WeightprintError",
    "audit",
    "compare",
    "tree",
    "verify",
    "version",
]
