"""The parameters that constraints add to a model."""

from __future__ import annotations

from typing import Any, Self


class ConstrainedParametersMixin:
    """For models with pairs that attract or repel, in the attribute `_constraints`.

    Their factor is a parameter like those of the constructor, and they stay with
    clones.
    """

    # Set by add_mlcl_constraint: what the objective of `fit` has besides.
    _constraints: Any = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the constructor, and `factor` of the constraints, if any.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return those of contained objects as well.

        Returns
        -------
        params : dict
            Names and values.
        """
        params: dict[str, Any] = super().get_params(deep)  # type: ignore[misc]
        if self._constraints is not None:
            # A derived model may have a parameter of that name.
            params.setdefault("factor", self._constraints.factor)
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the constructor, or `factor` of the constraints, if any.

        Parameters
        ----------
        **params : dict
            Names and new values, checked by `fit`. A factor of None leaves each
            pair its own.

        Returns
        -------
        self : object
            The model.
        """
        own = type(self)._get_param_names()  # type: ignore[attr-defined]
        if "factor" in params and "factor" not in own:
            if self._constraints is None:
                raise ValueError(
                    f"factor must be of constraints, and {type(self).__name__} has "
                    "none: see gemclus.add_mlcl_constraint"
                )
            self._constraints = self._constraints.with_factor(params.pop("factor"))
        return super().set_params(**params)  # type: ignore[misc]

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        text = super().__repr__(N_CHAR_MAX)  # type: ignore[call-arg]
        constraints = self._constraints
        return text if constraints is None else f"{text} with {constraints!r}"

    def __sklearn_clone__(self) -> Self:
        free = object.__new__(type(self))
        vars(free).update(vars(self))
        free._constraints = None
        cloned = super(ConstrainedParametersMixin, free).__sklearn_clone__()  # type: ignore[misc]
        if self._constraints is not None:
            cloned._constraints = self._constraints
        return cloned
