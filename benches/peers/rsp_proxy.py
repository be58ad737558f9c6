"""A proxy between GDB and gdbserver that counts requests: each is one round trip on a real connection."""
import collections
import re
import socket
import threading

PACKET = re.compile(rb"\$([^#]*)#..", re.DOTALL)  # inside a packet `$` and `#` are escaped
MEMORY = ("m", "x")  # reads, as text and as bytes
MARK = "qCpyjitBench:"  # no request of GDB's: tells what the following ones are counted as
CHUNK = 1 << 16


class Proxy:
    """Listens at `port` on the loopback and passes one connection on to the server."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.counts = collections.defaultdict(collections.Counter)  # mark -> kind of request -> how many
        self.mark = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return  # closed before anybody came
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = threading.Thread(target=pass_on, args=(server, client), daemon=True)
            answers.start()
            pass_on(client, server, self.count)
            answers.join()

    def count(self, pending):
        """Counts the whole packets; what is left of `pending` waits for its rest."""
        done = 0
        for packet in PACKET.finditer(pending):
            done = packet.end()
            text = packet.group(1).decode("ascii", "replace")
            if text.startswith(MARK):
                self.mark = text[len(MARK):]
            elif self.mark is not None:
                self.counts[self.mark][text[:1]] += 1
        return pending[done:]

    def requests(self, mark):
        """(all requests, those for memory) after `mark`."""
        counts = self.counts[mark]
        return sum(counts.values()), sum(counts[kind] for kind in MEMORY)

    def close(self):
        # Shut down first: closing alone does not wake a thread that waits in accept().
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join(timeout=10)


def pass_on(source, sink, count=None):
    """Everything from one end to the other, until one of them closes."""
    pending = b""
    try:
        while data := source.recv(CHUNK):
            if count is not None:
                pending = count(pending + data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other end is gone: so is the session
