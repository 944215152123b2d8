"""Lines for the host's operator. Needs `import vak:host/log@0.1.0;` in
`wit/world.wit` and the grant `log` in `vak-component.toml`."""

from enum import Enum

class Level(Enum):
    """How much a line matters."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3

def write(level: Level, message: str) -> None:
    """Writes one line. The host cuts it at 1,024 bytes and counts the call."""
