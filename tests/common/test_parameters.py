"""Constructors store, and leave to class attributes what derived ones do not take."""

import inspect

import estimators
import pytest
from sklearn.base import clone
from user_models import Sigmoid, X

from gemclus.linear import LinearMMD
from gemclus.tree import Douglas


@pytest.mark.parametrize(
    "cls", estimators.GRADIENT_MODELS, ids=lambda cls: cls.__name__
)
def test_constructors_store_what_they_are_given(cls):
    parameters = inspect.signature(cls).parameters
    given = {name: object() for name in parameters}
    model = cls(**given)
    assert vars(model) == given
    assert all(vars(cls())[name] is p.default for name, p in parameters.items())
    assert all(p.annotation is not p.empty for p in parameters.values())


class Restarted(Sigmoid):
    """A user's model with the published constructor."""

    tol = 1e-4
    n_init = 2
    init = "k-means++"


def test_class_attributes_of_derived_models_are_obeyed():
    model = Restarted(max_iter=1000, learning_rate=0.05, random_state=0)
    assert (model.tol, model.n_init, model.init) == (1e-4, 2, "k-means++")
    twin = clone(model)
    assert (twin.tol, twin.n_init, twin.init) == (1e-4, 2, "k-means++")
    assert twin.fit(X).n_iter_ < 1000 and twin.converged_
    twin.tol = 1e-2
    assert (twin.tol, model.tol) == (1e-2, 1e-4)


class Fixed(LinearMMD):
    """A derived constructor of one argument, which leaves two to the class."""

    kernel = "rbf"
    tol = 1e-3

    def __init__(self, n_clusters=3):
        super().__init__(n_clusters=n_clusters, n_init=4)


class Taking(LinearMMD):
    tol = 1e-3

    def __init__(self, n_clusters=3, *, tol=None):
        super().__init__(n_clusters, tol=tol)


def test_what_is_given_counts_more_than_attributes_of_the_class():
    model = Fixed(2)
    assert (model.kernel, model.tol, model.n_init) == ("rbf", 1e-3, 4)
    assert (model.n_clusters, model.ovo, model.init) == (2, False, "random")
    assert Taking().tol is None and Taking(tol=0.1).tol == 0.1


def test_defaults_of_a_base_are_those_of_its_constructor():
    class Shallow(Douglas):
        def __init__(self, n_clusters=3):
            super().__init__(n_clusters)

    assert Shallow().gemini == "wasserstein_ova" and Shallow().max_iter == 100
