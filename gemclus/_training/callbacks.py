"""Callbacks in the form of scikit-learn's, on the releases without them too.

A callback is an object with ``setup``, ``on_fit_task_begin``,
``on_fit_task_end`` and ``teardown``; see `sklearn.callback`. The fallback below
calls the same methods in the same order, with the tasks ``fit``, ``training`` and
``epoch``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:  # scikit-learn < 1.9
    from functools import wraps

    class _Context:
        """One task, as callbacks of `sklearn.callback` know it."""

        def __init__(self, estimator, callbacks, name, task_id, max_subtasks, parent):
            self.estimator_name = type(estimator).__name__
            self.task_name = name
            self.task_id = task_id
            self.max_subtasks = max_subtasks
            self.parent = parent
            self._estimator = estimator
            self._callbacks = callbacks
            self._n_subtasks = 0

        def subcontext(self, task_name="", max_subtasks=0):
            task_id = self._n_subtasks
            self._n_subtasks += 1
            return _Context(
                self._estimator, self._callbacks, task_name, task_id, max_subtasks, self
            )

        def call_on_fit_task_begin(self, *, estimator, **_):
            for callback in self._callbacks:
                callback.on_fit_task_begin(estimator, self)

        def call_on_fit_task_end(self, *, estimator, **_):
            stops = [
                bool(callback.on_fit_task_end(estimator, self))
                for callback in self._callbacks
            ]
            return any(stops)

    class CallbackSupportMixin:
        """Estimators whose `fit` calls callbacks."""

        def set_callbacks(self, *callbacks):
            """Set the callbacks of the estimator.

            Parameters
            ----------
            *callbacks : callback instances
                Objects with ``setup``, ``on_fit_task_begin``,
                ``on_fit_task_end`` and ``teardown``. None removes the old ones.

            Returns
            -------
            self : object
                The estimator.

            Raises
            ------
            TypeError
                If one of them lacks a method.
            """
            hooks = ("setup", "on_fit_task_begin", "on_fit_task_end", "teardown")
            for callback in callbacks:
                missing = [hook for hook in hooks if not hasattr(callback, hook)]
                if missing or isinstance(callback, type):
                    raise TypeError(
                        f"callbacks must be instances with {', '.join(hooks)}, got "
                        f"{callback!r}"
                    )
            if callbacks:
                self._skl_callbacks = list(callbacks)
            else:
                self.__dict__.pop("_skl_callbacks", None)
            return self

        def _init_callback_context(self, max_subtasks=0):
            callbacks = getattr(self, "_skl_callbacks", [])
            context = _Context(self, callbacks, "fit", 0, max_subtasks, None)
            self._callback_fit_ctx = context
            for callback in callbacks:
                callback.setup(self, context)
            return context

    def _with_callbacks(method):
        """Tear the callbacks down whatever way `method` ends."""

        @wraps(method)
        def managed(estimator, *args, **kwargs):
            try:
                return method(estimator, *args, **kwargs)
            finally:
                context = estimator.__dict__.pop("_callback_fit_ctx", None)
                if context is not None:
                    for callback in getattr(estimator, "_skl_callbacks", []):
                        callback.teardown(estimator, context)

        return managed


def with_callbacks(method: F) -> F:
    """A method that tears callbacks down whatever way it ends; its types are kept."""
    decorated: F = _with_callbacks(method)
    return decorated


__all__ = ["CallbackSupportMixin", "with_callbacks"]
