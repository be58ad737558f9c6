"""What a page must do, each checked in the browser: on real programs (CHECKS) and on hostile names (HOSTILE_CHECKS)."""
import os
import re
import time

MOST_BYTES, MOST_SECONDS, FEWEST_EXECUTORS = 10_000_000, 2.0, 50
READABLE = 4.5  # the contrast that WCAG 2.2 wants of text (1.4.3)
WORD_OF_PAGE = "document.title='owned'"


class Wrong(Exception):
    """What a page did not do."""


def equal(got, expected, what):
    if got != expected:
        raise Wrong(f"{what}: {got!r} instead of {expected!r}")


def true(condition, what):
    if not condition:
        raise Wrong(what)


# ---- what is marked

MARKED = """
  const rows = [...document.querySelectorAll('.on, .at')].map((row) => row.id || row.closest('.u')?.id || '');
  return rows.filter((name) => name);
"""
# What is marked while each of some rows is pointed at.
POINT = """
  const shown = [...document.querySelectorAll('.f:not([hidden]), article:not([hidden])')];
  const marked = (mark) => shown.flatMap((one) => [...one.querySelectorAll('.' + mark)])
    .map((row) => row.id || row.closest('.u')?.id || '');
  return arguments[0].map((selector) => {
    const row = document.querySelector(selector);
    row.dispatchEvent(new PointerEvent('pointerover', {bubbles: true, pointerType: 'mouse'}));
    return [...marked('on'), ...marked('at')].filter((name) => name);
  });
"""


def pointed_at(browser, rows):
    """(row, names of what is marked while it is pointed at)"""
    return [(row, set(names)) for row, names in zip(rows, browser.run(POINT, rows))]


def shown(page, browser, number):
    """Opens the page at the executor with this number in the listing."""
    executor = page.listing[number]
    browser.open(f"{page.url}#x{executor['executor']['index']}")
    return executor


def busiest(page):
    """Numbers of a few executors with calls in them: of the one with most functions, and of the longest."""
    functions = [len({uop["code"]["object"] for uop in one["uops"] if uop["code"]}) for one in page.listing]
    lengths = [len(one["uops"]) for one in page.listing]
    return sorted({functions.index(max(functions)), lengths.index(max(lengths)), 0})


# ---- the checks

def opens_fast_and_is_small(page, browser):
    size = page.path.stat().st_size
    browser.open("about:blank")
    browser.devtools("Performance.enable", timeDomain="threadTicks")
    seconds, busy = opened(page, browser)
    executors = browser.run("return document.querySelectorAll('article').length")
    print(f"        {page.name}: {executors} executors, {size / 1e6:.1f} MB, open in {seconds:.2f} s ({busy:.2f} s of processor)")
    equal(executors, len(page.listing), "executors on the page")
    true(executors >= FEWEST_EXECUTORS, f"only {executors} executors were compiled")
    true(size < MOST_BYTES, f"{size} bytes")
    # Where others use the processors too, what it took of them counts.
    crowded = os.getloadavg()[0] > os.cpu_count()
    true((busy if crowded else seconds) < MOST_SECONDS, f"{seconds:.2f} s until it was open")


def opened(page, browser):
    """Seconds until the page is open, and what its thread was busy of them."""
    def spent():
        metrics = browser.devtools("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
    before = spent()
    browser.open(page.url)
    busy = spent()
    # A file may be opened by another process of the browser, which begins to count anew.
    busy -= before if before < busy else 0
    return browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000, busy


def trusts_its_sources(page, browser):
    browser.open(page.url)
    doubts = "return [...document.querySelectorAll('.f .warn')].map((one) => one.textContent)"
    # CPython has code of its own, in files that are none (`__init__`, `<frozen …>`).
    doubts = [doubt for doubt in browser.run(doubts) if "/" in doubt or "cannot be read" not in doubt]
    equal(doubts, [], "doubts about sources that were there all the time")


def asks_for_nothing(page, browser):
    browser.open("about:blank")
    browser.requests(), browser.logged("browser")
    browser.open(page.url)
    browser.run("document.querySelector('#next').click()")
    time.sleep(0.2)
    equal([url for url in browser.requests() if url != "about:blank"], [page.url], "requests")
    equal(browser.logged("browser"), [], "errors in the log")


def marks_from_the_source(page, browser):
    lines = 0
    for number in busiest(page):
        executor = shown(page, browser, number)
        by_line, _ = page.uops_of(executor)
        marks = pointed_at(browser, [f"#s{function}-{line}" for function, line in by_line])
        for (row, marked), ((function, line), uops) in zip(marks, by_line.items()):
            equal({name for name in marked if name[0] == "x"}, uops, f"uops at {row}")
            offsets = {uop["bytecode"]["offset"] for uop in page.body(executor) if uop["line"] == line and uop["bytecode"]
                       and page.functions[uop["code"]["object"]] == function}
            true(marked >= {f"b{function}-{offset}" for offset in offsets}, f"bytecode at {row}: {marked}")
            lines += 1
    true(lines > 5, f"only {lines} lines")


def marks_from_the_bytecode(page, browser):
    for number in busiest(page):
        by_line, by_offset = page.uops_of(shown(page, browser, number))
        lines = {name: line for (_, line), uops in by_line.items() for name in uops}
        marks = pointed_at(browser, [f"#b{function}-{offset}" for function, offset in by_offset])
        for (row, marked), ((function, _), uops) in zip(marks, by_offset.items()):
            equal({name for name in marked if name[0] == "x"}, uops, f"uops at {row}")
            expected = {f"s{function}-{lines[name]}" for name in uops if name in lines}
            equal({name for name in marked if name[0] == "s"}, expected, f"line at {row}")


def marks_from_uops_and_machine_code(page, browser):
    for number in busiest(page):
        executor = shown(page, browser, number)
        uops = [(f"x{executor['executor']['index']}u{uop['index']}", uop, row) for uop in page.body(executor)
                if uop["code"] and uop["bytecode"] for row in [".n"] + [".c p:last-child"] * bool(uop["instructions"])]
        marks = pointed_at(browser, [f"#{own} {row}" for own, _, row in uops])
        for (row, marked), (own, uop, _) in zip(marks, uops):
            function = page.functions[uop["code"]["object"]]
            equal({name for name in marked if name[0] == "x"}, {own}, f"uops at {row}")
            equal({name for name in marked if name[0] == "s"}, {f"s{function}-{uop['line']}"}, f"line at {row}")
            true(f"b{function}-{uop['bytecode']['offset']}" in marked, f"bytecode at {row}: {marked}")


def the_mouse_marks_and_pins(page, browser):
    executor = shown(page, browser, busiest(page)[-1])
    by_line, _ = page.uops_of(executor)
    (function, line), uops = max(by_line.items(), key=lambda item: len(item[1]))
    row = f"#s{function}-{line}"
    browser.press("Escape")
    browser.point(row)
    true(uops <= set(browser.run(MARKED)), "pointing marks nothing")
    browser.click(row)
    browser.point("header h1")
    true(uops <= set(browser.run(MARKED)), "a click does not pin")
    in_view = """
      const frame = document.querySelector('#trace').getBoundingClientRect();
      return [...document.querySelectorAll('.u.on')].some((row) => {
        const place = row.getBoundingClientRect();
        return place.top < frame.bottom && place.bottom > frame.top;
      });
    """
    true(browser.run(in_view), "none of the marked uops came into view")
    browser.press("Escape")
    equal(browser.run(MARKED), [], "still marked after Escape")


def exits_lead_to_executors(page, browser):
    numbers = {one["executor"]["address"]: one["executor"]["index"] for one in page.listing}
    links = [(one["executor"]["index"], exit["index"], numbers.get(exit["linked_to"]["executor"]))
             for one in page.exits for exit in one["exits"] if exit["linked_to"]]
    links = [link for link in links if link[2] is not None]
    true(links, "no exit is linked")
    browser.open(page.url)
    get = "return arguments[0].map((name) => document.querySelector(`#${name} td:last-child a`)?.hash)"
    found = browser.run(get, [f"x{own}e{index}" for own, index, _ in links])
    equal(found, [f"#x{target}" for _, _, target in links], "targets of linked exits")
    own, index, target = next(link for link in links if link[0] != link[2])
    browser.open(f"{page.url}#x{own}e{index}")
    visible = "return [...document.querySelectorAll('article:not([hidden])')].map((one) => one.id)"
    equal(browser.run(visible), [f"x{own}"], "executor shown")
    browser.click(f"#x{own}e{index} td:last-child a")
    equal(browser.run(visible), [f"x{target}"], "executor shown after the click")
    browser.run("history.back()")
    time.sleep(0.3)
    equal(browser.run(visible), [f"x{own}"], "executor shown after going back")


def search_finds(page, browser):
    browser.open(page.url)
    last = page.listing[-1 if page.listing[-1]["executor"]["function"] else -3]
    uop = next(uop for uop in last["uops"] if uop["instructions"])
    count = "return document.querySelector('#found').textContent"
    where = "return document.querySelector('.hit')?.closest('.u, p[id], tr, h3')?.id"
    browser.press("/", uop["name"], "Enter")
    named = sum(uop["name"] in other["name"] for one in page.listing for other in one["uops"])
    match = re.fullmatch(r"1 of (\d+)", browser.run(count))
    true(match and int(match[1]) >= named, f"{uop['name']}: {browser.run(count)}, but {named} uops have that name")
    first = browser.run(where)
    browser.press("Enter")
    browser.run("document.activeElement.blur()")
    browser.press("N")
    equal(browser.run(where), first, "match after one step forth and one back")
    instruction = uop["instructions"][-1]
    browser.press("Escape", "/", hex(int(instruction["address"], 16) + (instruction["size"] > 1)), "Enter")
    equal(browser.run(where), f"x{last['executor']['index']}u{uop['index']}", "uop at an address")
    browser.press("Escape", "/", "no such thing", "Enter")
    equal(browser.run(count), "0 found", "count of nothing")
    browser.press("Escape")
    equal(browser.run("return [document.querySelector('#find').value, document.querySelectorAll('.hit').length]"), ["", 0],
          "search after Escape")


# Light or dark, and text that is hard to read.
COLOURS = """
  const seen = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
  };
  const part = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => part(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  if (!arguments[0]) return [page, []];
  const faint = [];
  const parts = ['.bar *', '.pane > h2', '.f:not([hidden]) *', 'article:not([hidden]) *'];
  for (const element of document.querySelectorAll(parts)) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility({contentVisibilityAuto: true})) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(seen(element))].sort((a, b) => b - a);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < arguments[0]) faint.push(`${element.outerHTML.slice(0, 60)} ${contrast.toFixed(2)}`);
  }
  return [page, faint.slice(0, 3)];
"""


def light_and_dark_are_readable(page, browser):
    executor = shown(page, browser, 0)
    stub = executor["uops"][-1]["index"]
    browser.click(f"#x{executor['executor']['index']}u{stub} .n > b")
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        time.sleep(0.2)
        page_light, faint = browser.run(COLOURS, READABLE)
        equal(page_light > 0.5, scheme == "light", f"a light page where the system wants {scheme}")
        equal(faint, [], f"text of too little contrast ({scheme})")
    for theme in ("light", "dark", "auto"):
        browser.click("#theme")
        time.sleep(0.2)
        page_light, _ = browser.run(COLOURS, None)
        equal(page_light > 0.5, theme == "light", f"a light page after switching to {theme}")
    browser.scheme("light")


def serves_keyboard_and_screen_reader(page, browser):
    shown(page, browser, 0)
    tree = browser.devtools("Accessibility.getFullAXTree", depth=5)["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if "role" in node}
    for region in (("region", "Source"), ("region", "Bytecode"), ("navigation", "Executors"), ("button", "Help"),
                   ("searchbox", "Search names, lines, uops, addresses")):
        true(region in named, f"no {region[0]} named {region[1]}")
    nameless = [role for role, name in named if role in ("button", "link", "searchbox") and not name]
    equal(nameless, [], "elements without a name")
    browser.run("document.querySelector('#source').focus()")
    browser.press("Down", "Down")
    equal(browser.run("return document.activeElement.matches('#source p')"), True, "a row of the source has the focus")
    inside = "return document.activeElement.closest('.pane').id"
    in_trace = "return document.querySelector('#source p.in').id"
    browser.run("history.replaceState(null, '', '#' + arguments[0]); dispatchEvent(new Event('hashchange'))", browser.run(in_trace))
    browser.press("Right")
    equal(browser.run(inside), "bytecode", "pane after →")
    true(browser.run("return document.querySelector('#said').textContent").startswith("marked: "), "nothing is said")
    browser.press("?")
    equal(browser.run("return document.querySelector('#help').open"), True, "help after ?")
    browser.press("Escape")
    equal(browser.run("return document.querySelector('#help').open"), False, "help after Escape")
    first = browser.run("return document.querySelector('article:not([hidden])').id")
    browser.press("]", "[")
    equal(browser.run("return document.querySelector('article:not([hidden])').id"), first, "executor after ] and [")


def fits_narrow_windows_and_paper(page, browser):
    browser.size(420, 800)
    shown(page, browser, 0)
    width = browser.run("return document.documentElement.scrollWidth")
    browser.size(1440, 900)
    true(width <= 420, f"{width} pixels wide in a window of 420")
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    cut = browser.run("""
      return [...document.querySelectorAll('.pane')].filter((pane) => pane.scrollHeight > pane.clientHeight + 1)
        .map((pane) => pane.id);
    """)
    buttons = browser.run("return document.querySelector('#theme').checkVisibility()")
    browser.devtools("Emulation.setEmulatedMedia", media="")
    equal(cut, [], "panes that paper cuts off")
    equal(buttons, False, "buttons on paper")


# ---- hostile names

def names_stay_text(page, browser):
    browser.open(page.url)
    time.sleep(0.2)
    true("JIT code of CPython" in browser.run("return document.title"), "a script of the target ran")
    equal(browser.logged("browser"), [], "errors in the log")
    count = "return document.querySelectorAll(arguments[0]).length"
    equal(browser.run(count, "script"), 1, "scripts")
    equal(browser.run(count, "img, svg, iframe, object, embed, link, [onclick], [onerror], [style]"), 0, "foreign elements")
    name = page.listing[0]["executor"]["qualname"]
    true(WORD_OF_PAGE in name, "the function has another name")
    heading = browser.run("return document.querySelector('#x0-h').textContent")
    equal(heading, f"#0 {name}", "name of the executor")
    text = browser.run("return document.querySelector('#source').textContent")
    true(f"# --> ]]> <script>{WORD_OF_PAGE}</script>" in text, "the source line is not shown as it is")


def doubts_a_newer_source(page, browser):
    """The program has written its own source after it was started."""
    browser.open(page.url)
    doubt = browser.run("return document.querySelector('#source .warn')?.textContent")
    true(doubt and "changed after the process started" in doubt, f"no doubt about a newer file: {doubt}")


def nothing_else_may_run(page, browser):
    browser.open(page.url)
    got = browser.run("""
      const added = document.createElement('script');
      added.textContent = 'window.owned = 1';
      document.body.append(added);
      const drawn = document.createElement('style');
      drawn.textContent = 'body { background: rgb(1, 2, 3) !important }';
      document.head.append(drawn);
      return [window.owned, getComputedStyle(document.body).backgroundColor === 'rgb(1, 2, 3)'];
    """)
    equal(got, [None, False], "what was added to the page has effect")
    asked = browser.run("""
      const image = new Image();
      const failed = new Promise((done) => { image.onerror = () => done('refused'); image.onload = () => done('loaded'); });
      image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
      return failed;
    """)
    equal(asked, "refused", "an image")
    browser.logged("browser")


CHECKS = [opens_fast_and_is_small, asks_for_nothing, trusts_its_sources, marks_from_the_source,
          marks_from_the_bytecode, marks_from_uops_and_machine_code, the_mouse_marks_and_pins, exits_lead_to_executors, search_finds,
          light_and_dark_are_readable, serves_keyboard_and_screen_reader, fits_narrow_windows_and_paper]
HOSTILE_CHECKS = [names_stay_text, doubts_a_newer_source, nothing_else_may_run]
