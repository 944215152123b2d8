"""What a scorer answers."""

from dataclasses import dataclass

@dataclass
class Assessment:
    """A scorer's answer, which can only tighten a verdict. `value` goes from 0
    (hopeless) to 1 (certain to help); `reason` is for a person and cut at 1,024
    bytes."""

    value: float
    reason: str
