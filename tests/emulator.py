"""AArch64 programs, run by qemu-user: command lines, its GDB stub, and the core dumps that it writes."""
import contextlib
import os
import pathlib
import resource
import shlex
import socket
import subprocess
import time

OUTPUT = "program.out"  # what a program prints while it is debugged
START_LIMIT = 20  # seconds until the stub listens
CORE_LIMIT = 120  # seconds for a program that writes a core dump


def command(target, words, environment):
    """The command line that runs the target with these words."""
    return [*target["emulator"], *(word for pair in environment for word in ("-E", pair)), *words]


@contextlib.contextmanager
def stub(target, words, environment, folder):
    """The port of an emulator that has stopped in front of the target's first instruction."""
    port = free_port()
    started = command(target, words, environment)
    started[1:1] = ["-g", str(port)]
    with open(pathlib.Path(folder) / OUTPUT, "wb") as output:
        process = subprocess.Popen(started, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=folder,
                                   start_new_session=True)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port, process):
    """Waits until it listens, without a connection: the stub takes one only."""
    end = time.monotonic() + START_LIMIT
    wanted = f":{port:04X} "
    while time.monotonic() < end and process.poll() is None:
        lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        if any(wanted in line.split(maxsplit=2)[1] + " " and line.split()[3] == "0A" for line in lines):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the emulator's stub did not come up (status {process.poll()})")


def write_core(target, words, environment, folder):
    """The core dump of the target that the emulator writes when the program aborts. That of the emulator itself, ten
    times as large, is of no use."""
    def allow_cores():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

    done = subprocess.run(command(target, words, environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=folder, timeout=CORE_LIMIT, preexec_fn=allow_cores)
    cores = sorted(pathlib.Path(folder).glob("qemu_*.core"))
    for other in pathlib.Path(folder).glob("core*"):
        os.unlink(other)
    if not cores:
        raise RuntimeError(f"no core dump: status {done.returncode} of {shlex.join(map(str, words))}:\n"
                           + done.stdout.decode("utf-8", "replace"))
    return cores[0]
