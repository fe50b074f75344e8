from collections.abc import Callable
from typing import Any, Self, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

class CallbackSupportMixin:
    def set_callbacks(self, *callbacks: Any) -> Self: ...
    def _init_callback_context(self, max_subtasks: int | None = 0) -> Any: ...

def with_callbacks(method: F) -> F: ...
