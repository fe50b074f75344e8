"""Every public clusterer, and small fits of them; needs nothing but the package."""

from inspect import isabstract, isclass, signature

from sklearn.base import BaseEstimator, ClusterMixin

import gemclus


def stands_alone(cls):
    """Whether it needs no other estimator to be made."""
    return all(p.default is not p.empty for p in signature(cls).parameters.values())


def public_estimators():
    """Every clustering that a room of the package exports."""
    for room in gemclus.__all__:
        module = getattr(gemclus, room)
        for name in getattr(module, "__all__", []):
            cls = getattr(module, name)
            is_clustering = isclass(cls) and issubclass(cls, BaseEstimator)
            is_clustering = is_clustering and issubclass(cls, ClusterMixin)
            if is_clustering and not isabstract(cls) and stands_alone(cls):
                yield cls


ESTIMATORS = list(public_estimators())


def small(cls, **arguments):
    """An instance that trains for a moment, from a start near the blobs."""
    model = cls()
    wanted = {"solver": "adam", "max_iter": 20, "learning_rate": 0.01}
    wanted |= {"random_state": 0} | arguments
    valid = {name: wanted[name] for name in wanted if name in model.get_params()}
    return model.set_params(**valid)
