"""See into CPython's copy-and-patch JIT: what the front-ends in debuggers use. `cpyjit --help` is the command line."""
from .cpyjit import Reply, Session, __version__, commands, settings

__all__ = ["Reply", "Session", "__version__", "commands", "settings"]
