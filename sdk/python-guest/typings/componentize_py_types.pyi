"""What `componentize-py` brings: how errors of a WIT `result` are raised."""

from typing import Generic, TypeVar

E = TypeVar("E")

class Err(Exception, Generic[E]):
    """Raise it with the error of the WIT `result`, such as
    `raise Err(JudgeError_Missing("role"))`. Any other exception ends the
    component."""

    value: E
    def __init__(self, value: E) -> None: ...
