"""Chromium, driven over the WebDriver protocol (w3c.github.io/webdriver) through chromedriver, with nothing but Python."""
import base64
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

REQUEST_LIMIT = 60  # seconds
START_LIMIT = 20
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that the protocol gives to references
# A fresh profile, and nothing that a browser does besides showing the page.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
         "--force-color-profile=srgb")
KEYS = {"Escape": "\ue00c", "Enter": "\ue007", "Up": "\ue013", "Down": "\ue015", "Left": "\ue012", "Right": "\ue014",
        "Tab": "\ue004"}


class Unavailable(Exception):
    """Why there is no browser here."""


class Failed(Exception):
    """What the browser did not do."""


def programs():
    """Browser and driver; Debian's names."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        raise Unavailable("chromium and chromedriver are not installed (scripts/setup browser)")
    return found


class Browser:
    """One browser with one window."""

    def __init__(self, folder, size=(1440, 900)):
        chromium, driver = programs()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = pathlib.Path(folder, "chromedriver.log")
        self.driver = subprocess.Popen([driver, f"--port={self.port}", f"--log-path={self.log}"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       start_new_session=True)
        self.session = None
        options = {"binary": chromium, "args": [*FLAGS, f"--user-data-dir={folder}/profile",
                                                f"--window-size={size[0]},{size[1]}"]}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options,
                                        "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}}
        self.wait_for_driver()
        self.session = self.post("", {"capabilities": capabilities}, "/session")["sessionId"]

    def wait_for_driver(self):
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            try:
                self.request("GET", "/status")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        raise Failed(f"chromedriver does not answer after {START_LIMIT} s")

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=REQUEST_LIMIT) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Failed(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def post(self, path, body, base=None):
        return self.request("POST", (base or f"/session/{self.session}") + path, body)

    def get(self, path):
        return self.request("GET", f"/session/{self.session}{path}")

    # ---- what a person does

    def open(self, url):
        self.post("/url", {"url": url})

    def run(self, script, *arguments):
        """The value of a script, which `return`s it."""
        return self.post("/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command, **parameters):
        return self.post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def element(self, selector):
        return self.post("/element", {"using": "css selector", "value": selector})

    def point(self, selector):
        """Moves the mouse onto an element, which is scrolled into view."""
        element = self.scrolled_to(selector)
        move = {"type": "pointerMove", "duration": 0, "origin": element, "x": 0, "y": 0}
        self.mouse(move)

    def click(self, selector):
        self.point(selector)
        self.mouse({"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})

    def scrolled_to(self, selector):
        element = self.element(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        return element

    def mouse(self, *actions):
        self.post("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": list(actions)}]})

    def press(self, *keys):
        """Each a character, a word of KEYS, or several characters to be typed."""
        typed = [character for key in keys for character in (KEYS.get(key) or key)]
        actions = [{"type": kind, "value": key} for key in typed for kind in ("keyDown", "keyUp")]
        self.post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def size(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        """The colours that the system prefers."""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.get("/screenshot")))

    def logged(self, kind):
        """What was logged since the last time: of the `browser`, or of its `performance` (every request)."""
        return self.post("/se/log", {"type": kind})

    def requests(self):
        """The addresses that were asked for since the last time."""
        messages = (json.loads(entry["message"])["message"] for entry in self.logged("performance"))
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]

    def close(self):
        if self.session:
            try:
                self.request("DELETE", f"/session/{self.session}")
            except (OSError, Failed):
                pass  # it is ended below
        self.driver.send_signal(signal.SIGTERM)
        try:
            self.driver.wait(5)
        except subprocess.TimeoutExpired:
            self.driver.kill()
