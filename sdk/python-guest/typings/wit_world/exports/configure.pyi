"""Exported by components that take configuration."""

from dataclasses import dataclass

@dataclass
class ConfigError:
    """Why a configuration was refused: what is wrong and what to do about it,
    and the line and column it is at, from 1."""

    message: str
    line: int | None
    column: int | None
