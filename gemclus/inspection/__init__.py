"""Pictures of clusterings and trainings, as scikit-learn's Displays are.

A Display holds the numbers of a picture. ``from_estimator`` and
``from_predictions`` compute them and draw; ``plot`` draws them again, on axes of
one's own. They need matplotlib: ``pip install "gemclus[plots]"``.
"""

from gemclus._common.public import publish
from gemclus.inspection._assignment import AssignmentDisplay
from gemclus.inspection._curve import ObjectiveCurveDisplay
from gemclus.inspection._path import PathDisplay
from gemclus.inspection._profile import ClusterProfileDisplay
from gemclus.inspection._selection import KSelectionDisplay
from gemclus.inspection._silhouette import SilhouetteDisplay

__all__ = [
    "AssignmentDisplay",
    "ClusterProfileDisplay",
    "KSelectionDisplay",
    "ObjectiveCurveDisplay",
    "PathDisplay",
    "SilhouetteDisplay",
]

publish(__name__, globals(), __all__)
