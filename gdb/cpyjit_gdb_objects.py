"""Object files that we make for GDB, and how it loads and drops them."""
import atexit
import contextlib
import fcntl
import os
import re
import secrets
import shutil
import tempfile

import gdb
from cpyjit_gdb_target import OWN_FILES, own_work

IN_MEMORY = "/dev/shm"  # to make a file on a disk takes GDB's processor as long as half of the rest
base = IN_MEMORY if os.access(IN_MEMORY, os.W_OK | os.X_OK) else tempfile.gettempdir()
# Known from the beginning, since line tables name it; made with the first file.
FOLDER = os.path.join(base, "cpyjit-%d-%s" % (os.getpid(), secrets.token_hex(8)))
OF_PROCESS = re.compile(r"cpyjit-(\d+)-[0-9a-f]{16}")
lock = []  # the open folder: its lock goes with the process


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
    """A file of ours, until GDB ends at the latest. Nobody else can write where it is."""
    if not os.path.isdir(FOLDER):
        make_folder()
    path = os.path.join(FOLDER, name)
    with open(path, "xb", buffering=0) as out:
        out.write(content)
    return path


def write_object(name, content):
    """A file for GDB to load. It stays until GDB has let go of it."""
    path = write_file(name, content)
    OWN_FILES.add(path)
    return path


def load_object(path, address=None):
    """At `address`, or where its sections say."""
    quietly("add-symbol-file %s" % path if address is None else "add-symbol-file %s %#x" % (path, address))


def unload_object(path):
    with contextlib.suppress(gdb.error):  # GDB has dropped it by itself, when the program was replaced
        quietly("remove-symbol-file %s" % path)
    OWN_FILES.discard(path)
    with contextlib.suppress(OSError):
        os.unlink(path)


def quietly(command):
    own_work.append(command)
    try:
        gdb.execute(command, to_string=True)
    finally:
        own_work.pop()


def register():
    remove_abandoned()
