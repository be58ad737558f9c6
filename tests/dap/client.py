"""A client of the debug adapter protocol: what an editor such as VS Code does, as calls."""
import json
import queue
import subprocess
import threading

LIMIT = 60  # seconds for an answer; where nothing else runs it takes less than one


class Client:
    """One adapter, which is a process that speaks through its standard input and output."""

    def __init__(self, words, environment, errors):
        self.process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=errors)
        self.number = 0
        self.messages = queue.Queue()
        self.kept = []  # what has come and nobody has asked for
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        stream = self.process.stdout
        while True:
            length = 0
            for line in iter(stream.readline, b"\r\n"):
                if not line:
                    self.messages.put(None)
                    return
                name, _, value = line.partition(b":")
                length = int(value) if name.strip().lower() == b"content-length" else length
            self.messages.put(json.loads(stream.read(length)))

    def send(self, command, **arguments):
        """The number of the request, for `answer`."""
        self.number += 1
        body = json.dumps({"seq": self.number, "type": "request", "command": command, "arguments": arguments}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()
        return self.number

    def wait(self, is_wanted, what):
        for message in self.kept:
            if is_wanted(message):
                self.kept.remove(message)
                return message
        while True:
            try:
                message = self.messages.get(timeout=LIMIT)
            except queue.Empty:
                raise AssertionError("no %s within %d seconds" % (what, LIMIT)) from None
            if message is None:
                raise AssertionError("the adapter has ended while %s was awaited" % what)
            if is_wanted(message):
                return message
            self.kept.append(message)

    def answer(self, number):
        response = self.wait(lambda m: m["type"] == "response" and m["request_seq"] == number, "answer")
        if not response["success"]:
            raise AssertionError("%s failed: %s" % (response["command"], response.get("message") or response.get("body")))
        return response.get("body") or {}

    def ask(self, command, **arguments):
        return self.answer(self.send(command, **arguments))

    def event(self, *names):
        return self.wait(lambda m: m["type"] == "event" and m["event"] in names, "event " + " or ".join(names))

    def seen(self, name, **body):
        """Bodies of the events of this name that nobody has asked for."""
        bodies = [message["body"] for message in self.kept if message.get("event") == name]
        return [one for one in bodies if body.items() <= one.items()]

    def end(self):
        self.process.kill()
        self.process.wait()
