"""The read-only segments of the executable in a core dump that does not have them.

GDB takes them from the file by itself, but section by section. Where the core names a segment without its content (qemu
writes such cores), all that lies behind a gap between two sections reads as zeros, and no error says so.
"""
import functools
import os
import struct

LOAD, WRITABLE = 1, 2
MOST_HEADERS = 256  # more program headers than any linker writes


def filled_in(data, address, path, bias):
    """What GDB has read at `address`, with the file's bytes where GDB had zeros for them."""
    for start, end, offset in segments_of(path):
        first, last = max(start + bias, address), min(end + bias, address + len(data))
        if first >= last:
            continue
        own = data[first - address:last - address]
        with open(path, "rb") as file:
            file.seek(offset + first - bias - start)
            of_file = file.read(len(own))
        # Another byte than the file's comes from the core, and then so does all.
        if len(of_file) == len(own) and all(one in (0, other) for one, other in zip(own, of_file)):
            data = data[:first - address] + of_file + data[last - address:]
    return data


def segments_of(path):
    """(start, end, place in the file) of each read-only segment, by address; none of what is no ELF file."""
    try:
        return read_only_segments(path, os.stat(path).st_mtime_ns)
    except (OSError, struct.error):
        return ()


@functools.lru_cache(maxsize=16)
def read_only_segments(path, _changed):
    with open(path, "rb") as file:
        header = file.read(64)
        if header[:6] != b"\x7fELF\x02\x01":
            return ()
        table, size, count = *struct.unpack_from("<Q", header, 32), *struct.unpack_from("<HH", header, 54)
        file.seek(table)
        entries = [file.read(size) for _ in range(min(count, MOST_HEADERS))]
    found = []
    for entry in entries:
        kind, flags, offset, start, _, file_size = struct.unpack_from("<IIQQQQ", entry)
        if kind == LOAD and not flags & WRITABLE and file_size:
            found.append((start, start + file_size, offset))
    return tuple(sorted(found))
