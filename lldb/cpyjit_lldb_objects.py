"""Files that we make for LLDB, and modules of them."""
import atexit
import os
import secrets
import shutil
import tempfile

from cpyjit_lldb_target import CODE_FOLDER, is_loaders

IN_MEMORY = "/dev/shm"  # to make a file on a disk takes as long as half of the rest
base = IN_MEMORY if os.access(IN_MEMORY, os.W_OK | os.X_OK) else tempfile.gettempdir()
# Known from the beginning, since line tables name it; made with the first file.
FOLDER = os.path.join(base, "%s%d-%s" % (CODE_FOLDER, os.getpid(), secrets.token_hex(8)))


alive = set()  # debuggers of this process that have us loaded


def register(debugger):
    """LLDB ends without telling Python: the last debugger that goes takes our files along."""
    alive.add(debugger.GetID())
    when_destroyed = getattr(debugger, "AddDestroyCallback", None) or getattr(debugger, "SetDestroyCallback", None)
    if when_destroyed is not None:
        when_destroyed(on_destroyed)


def on_destroyed(number, *_more):
    alive.discard(number)
    if not alive:
        shutil.rmtree(FOLDER, ignore_errors=True)


def write_file(name, content):
    """A file of ours, until LLDB ends at the latest. Nobody else can write where it is."""
    if not os.path.isdir(FOLDER):
        os.mkdir(FOLDER, 0o700)
        atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as out:
        out.write(content)
    return path


def put_module(target, module):
    """Its sections are where they say."""
    if module.IsValid():
        target.SetModuleLoadAddress(module, 0)


def take_module(target, module):
    target.ClearModuleLoadAddress(module)  # or LLDB goes on to show the frames that it has
    target.RemoveModule(module)


def take_loaders(target, start, size):
    """LLDB's own modules of the same code, from before its loader was switched off: they unwind wrongly."""
    for module in list(target.module_iter()):
        if is_loaders(module):
            section = module.FindSection(".text")
            if section.IsValid() and start <= section.GetLoadAddress(target) < start + size:
                target.RemoveModule(module)
