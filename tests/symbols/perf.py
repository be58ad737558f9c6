"""`cpyjit symbols --perf-map --perf-data` in perf: a process is recorded, and every sample must come to the executor, and most
of them to the uop, that it was taken in. The witness is perf itself: the addresses that it has recorded.
"""
import bisect
import collections
import pathlib
import re
import shutil
import subprocess

SECONDS = 2
FEWEST = 200  # samples in JIT code
PROGRAM = """
def work(count):
    total = 0
    for number in range(count):
        total += number & 7
        if total > 1000:
            total -= 1000
    return total
work(10000)
print("warm", flush=True)
while True:
    work(100000)
"""


def cannot():
    """Why perf cannot be used here; None if it can."""
    if not shutil.which("perf"):
        return "there is no perf"
    tried = subprocess.run(["perf", "record", "-k", "mono", "-e", "cpu-clock", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip().splitlines()[-1] if tried.returncode else None


def check(tool, entry, environment, folder):
    """What is wrong, and in words what was seen."""
    program = folder / "perf_program.py"
    program.write_text(PROGRAM)
    data, out = folder / "perf.data", folder / "perf"
    with subprocess.Popen([entry["path"], str(program)], env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            said("perf", "record", "-k", "mono", "-e", "cpu-clock", "-p", str(process.pid), "-o", str(data), "--",
                 "sleep", str(SECONDS))
            told = said(str(tool), "symbols", "--pid", str(process.pid), "--stop", "--perf-map", "--perf-data", str(data),
                        "-o", str(out))
        finally:
            process.kill()
    inject = next(line for line in told.splitlines() if line.startswith("perf inject "))
    said("sh", "-c", inject)
    return compared(data, out, (out / f"perf-{process.pid}.map").read_text())


def compared(data, out, perf_map):
    recorded = sampled(data, perf_map)
    total = collections.Counter()
    for (executor, _), count in recorded.items():
        total[executor] += count
    reported = reported_samples(out / "perf.jit.data")
    problems = [f"{executor}: {count} samples were recorded, {reported.get(executor)} are reported"
                for executor, count in total.items() if reported.get(executor) != count]
    if sum(total.values()) < FEWEST:
        problems.append(f"only {sum(total.values())} samples are in JIT code")
        return problems, ""
    (executor, uop), _ = recorded.most_common(1)[0]
    problems += problems_of_hottest(out, executor, uop)
    return problems, f"{sum(total.values())} samples in {len(total)} executors, most of them in {uop}"


def sampled(data, perf_map):
    """Samples by executor and uop: addresses of the recording as it was, by the map."""
    rows = sorted((int(start, 16), int(size, 16), *name.split(" in ")) for start, size, name in
                  (line.split(" ", 2) for line in perf_map.splitlines()))
    found = collections.Counter()
    for word in said("perf", "script", "-i", str(data), "-F", "ip").split():
        at = bisect.bisect_right(rows, (int(word, 16), float("inf"))) - 1
        if at >= 0 and int(word, 16) < rows[at][0] + rows[at][1]:
            found[rows[at][3], rows[at][2]] += 1
    return found


def reported_samples(data):
    lines = said("perf", "report", "-i", str(data), "--stdio", "-q", "-F", "sample,sym").splitlines()
    found = collections.Counter()
    for line in filter(str.strip, lines):
        count, _, symbol = line.split(None, 2)
        found[symbol.strip()] += int(count)
    return found


def problems_of_hottest(out, executor, uop):
    """perf's annotation, and whether it begins with the uop that has most samples."""
    text = said("perf", "annotate", "-i", str(out / "perf.jit.data"), "--stdio", "-l", "-s", executor)
    hottest = re.search(r"^ +\d+\.\d+ +(\S+\.uops):(\d+)$", text, re.MULTILINE)
    if not hottest:
        return ["perf annotate names no line of a listing", *text.splitlines()[:20]]
    lines = (out / pathlib.Path(hottest.group(1)).name).read_text().splitlines()
    line = lines[int(hottest.group(2)) - 1]
    problems = [] if uop in line.split() else [f"most samples are in {uop}; perf says that they are in: {line}"]
    if line.strip() not in text:
        problems.append(f"the listing does not stand in the annotation: {line}")
    return problems


def said(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(words[:2])} ended with status {done.returncode}: {(done.stdout + done.stderr)[-800:]}")
    return done.stdout
