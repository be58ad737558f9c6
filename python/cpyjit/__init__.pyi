from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Protocol

from .cpyjit import Session as Session
from .cpyjit import __version__ as __version__
from .cpyjit import commands as commands
from .cpyjit import settings as settings

__all__ = ["Executor", "Finding", "Instruction", "Listing", "Uop", "dis", "executors", "get_instructions", "listing"]

class _Writer(Protocol):
    def write(self, text: str, /) -> object: ...

class Finding(NamedTuple):
    severity: str
    what: str
    address: int | None
    hint: str | None

class Executor(NamedTuple):
    # Hides the method of tuples, here and below.
    index: int | None  # type: ignore[assignment]
    address: int
    function: str | None
    qualname: str | None
    filename: str | None
    firstlineno: int | None
    line: int | None
    bytecode_offset: int | None
    uop_count: int
    exit_count: int
    code_address: int
    code_size: int
    mapped: int
    valid: bool
    linked: bool | None
    warm: bool | None
    pending_deletion: bool
    running_in: tuple[int, ...]
    chain_depth: int | None
    parents: tuple[tuple[int, int], ...]
    found_by: tuple[str, ...]
    @property
    def state(self) -> str: ...
    def dis(self, **options: Any) -> None: ...
    def listing(self, **options: Any) -> Listing: ...

class Instruction(NamedTuple):
    address: int
    size: int
    bytes: bytes
    mnemonic: str
    operands: str
    notes: tuple[str, ...]
    uop_index: int
    uop_name: str
    line: int | None

class Uop(NamedTuple):
    executor: Executor
    index: int  # type: ignore[assignment]
    name: str
    base: str
    opcode: int
    oparg: int
    operand0: int
    operand1: int
    target: int | None
    jump_target: int | None
    error_target: int | None
    address: int | None
    size: int
    ranges: tuple[tuple[int, int], ...]
    function: str | None
    filename: str | None
    line: int | None
    bytecode_offset: int | None
    opname: str | None
    depth: int
    exit: dict[str, Any] | None
    stack: dict[str, Any] | None
    instructions: tuple[Instruction, ...]

class Listing:
    @property
    def executors(self) -> list[Executor]: ...
    @property
    def uops(self) -> list[Uop]: ...
    @property
    def findings(self) -> list[Finding]: ...
    def text(self, *, show_source: bool = True, show_bytecode: bool = True, show_offsets: bool = False,
             show_bytes: bool = False, notes: bool | Literal["all"] = True, quiet: bool = False, arrows: bool = True,
             ascii: bool = False, color: bool = False, width: int = 0) -> str: ...
    def to_json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_html(self) -> str: ...
    def __iter__(self) -> Iterator[Uop]: ...
    def __len__(self) -> int: ...

def dis(x: object = None, *, file: _Writer | None = None, depth: int | None = None, uops: str | int | None = None,
        show_source: bool = True, show_bytecode: bool = True, show_code: bool = True, show_stubs: bool = True,
        show_offsets: bool = False, show_bytes: bool = False, notes: bool | Literal["all"] = True, att: bool = False,
        quiet: bool = False, arrows: bool = True, ascii: bool | None = None, color: bool | None = None,
        width: int | None = None) -> None: ...
def listing(x: object = None, *, depth: int | None = None, uops: str | int | None = None, show_code: bool = True,
            show_stubs: bool = True, att: bool = False, notes: bool = True) -> Listing: ...
def get_instructions(x: object = None, *, depth: int | None = None, uops: str | int | None = None,
                     show_stubs: bool = True, att: bool = False) -> Iterator[Instruction]: ...
def executors(*, all: bool = False) -> list[Executor]: ...
