"""Files that we make for LLDB, and modules of them."""
import atexit
import contextlib
import fcntl
import os
import re
import secrets
import shutil
import tempfile

from cpyjit_lldb_target import CODE_FOLDER, is_loaders

IN_MEMORY = "/dev/shm"  # to make a file on a disk takes as long as half of the rest
base = IN_MEMORY if os.access(IN_MEMORY, os.W_OK | os.X_OK) else tempfile.gettempdir()
# Known from the beginning, since line tables name it; made with the first file.
FOLDER = os.path.join(base, "%s%d-%s" % (CODE_FOLDER, os.getpid(), secrets.token_hex(8)))
OF_PROCESS = re.compile(CODE_FOLDER + r"(\d+)-[0-9a-f]{16}")
lock = []  # the open folder: its lock goes with the process

alive = set()  # debuggers of this process that have us loaded


def register(debugger):
    """LLDB ends without telling Python: the last debugger that goes takes our files along."""
    remove_abandoned()
    alive.add(debugger.GetID())
    when_destroyed = getattr(debugger, "AddDestroyCallback", None) or getattr(debugger, "SetDestroyCallback", None)
    if when_destroyed is not None:
        when_destroyed(on_destroyed)


def on_destroyed(number, *_more):
    alive.discard(number)
    if not alive:
        shutil.rmtree(FOLDER, ignore_errors=True)


def remove_abandoned():
    """What debuggers that were killed have left. Each locks its folder while it lives: that is seen even from another
    container, which has processes of its own."""
    try:
        found = [OF_PROCESS.fullmatch(name) for name in os.listdir(base)]
    except OSError:  # where names cannot be listed they cannot be found either
        return
    for named in filter(None, found):
        if not os.path.exists("/proc/" + named.group(1)):
            with contextlib.suppress(OSError):
                remove_unlocked(os.path.join(base, named.group()))


def remove_unlocked(folder):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def make_folder():
    os.mkdir(FOLDER, 0o700)
    lock.append(os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY))
    fcntl.flock(lock[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def write_file(name, content):
    """A file of ours, until LLDB ends at the latest. Nobody else can write where it is."""
    if not os.path.isdir(FOLDER):
        make_folder()
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


def take_loaders(target, start):
    """LLDB's own module of the code that begins there, from before its loader was switched off: it unwinds wrongly."""
    module = target.ResolveLoadAddress(start).GetModule()
    if module.IsValid() and is_loaders(module):
        target.RemoveModule(module)
