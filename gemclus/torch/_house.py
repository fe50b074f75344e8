"""What this room takes from the private rooms of the package, in one place."""

from gemclus._common.validation import check_bool, check_float, check_int

__all__ = ["check_bool", "check_float", "check_int"]
