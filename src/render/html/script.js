"use strict";
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const panes = all(".pane");
  const articles = all("article");
  const ROW = "#source p[id], #bytecode p[id], .c p, .u, .g, .e tr[id]";
  const MARKS = ["on", "to", "at"];
  const add = (map, key, value) => map.has(key) ? map.get(key).push(value) : map.set(key, [value]);

  // ---- What belongs together: names of bytecode instructions (`2-40`) join the columns; src/render/html/names.rs.
  const instructionOf = new Map(); // of a prefix or its instruction, by the name of either
  const bytecodeRows = new Map();
  const namesOfLine = new Map();
  const lineOf = new Map();
  for (const row of all("#bytecode p[id]")) {
    const own = row.id.slice(1);
    const name = row.dataset.k ?? own;
    instructionOf.set(own, name);
    add(bytecodeRows, name, row);
    const line = row.dataset.l && document.getElementById(`s${own.split("-")[0]}-${row.dataset.l}`);
    if (line) {
      lineOf.set(name, line);
      add(namesOfLine, line.id, name);
    }
  }
  const nameOf = (text) => instructionOf.get(text) ?? text;
  let article = null;
  let unitsOf = new Map(); // the uops and headings of the executor that is shown, by instruction

  const targetOf = (link) => document.getElementById(link.hash.slice(1))?.closest(ROW);

  function namesOf(row) {
    if (row.closest("#source")) return [...new Set(namesOfLine.get(row.id) ?? [])];
    if (row.closest("#bytecode")) return [nameOf(row.id.slice(1))];
    const unit = row.closest(".u, .g");
    return unit?.dataset.b ? [nameOf(unit.dataset.b)] : [];
  }

  // on: the same line, instruction, uop; to: where it jumps to and what jumps to it.
  function related(row) {
    const on = new Set();
    const to = new Set();
    const unit = row.closest(".u, .g, tr");
    for (const name of namesOf(row)) {
      for (const other of bytecodeRows.get(name) ?? []) on.add(other);
      if (lineOf.has(name)) on.add(lineOf.get(name));
      if (!unit || unit.matches(".g")) for (const other of unitsOf.get(name) ?? []) on.add(other);
    }
    if (unit && unit !== row) on.add(unit);
    if (unit?.id) {
      for (const link of all("a", unit)) if (targetOf(link)) to.add(targetOf(link));
      for (const link of all(`a[href="#${unit.id}"]`, article)) to.add(link.closest(".u, tr"));
      const after = unit.dataset.t && nameOf(unit.dataset.t);
      for (const other of (after && bytecodeRows.get(after)) || []) to.add(other);
      if (after && lineOf.has(after)) to.add(lineOf.get(after));
    }
    to.delete(null);
    return { on, to };
  }

  // ---- Pointing and pinning.
  let marked = [];
  let pinned = null;
  function unmark() {
    for (const row of marked) row.classList.remove(...MARKS);
    marked = [];
  }
  function mark(row) {
    unmark();
    const { on, to } = related(row);
    const put = (rows, mark) => rows.forEach((other) => { other.classList.add(mark); marked.push(other); });
    put([...to].filter((other) => !on.has(other) && other !== row), "to");
    put([...on].filter((other) => other !== row), "on");
    put([row], "at");
    return on;
  }
  function pin(row, { focus = true } = {}) {
    pinned = row;
    document.body.classList.add("pinned");
    const on = mark(row);
    const pane = row.closest(".pane");
    for (const other of panes) if (other !== pane) revealFirst(other, on);
    if (focus) {
      row.tabIndex = -1;
      row.focus({ preventScroll: true });
    }
    say(row, on);
  }
  function unpin() {
    pinned = null;
    document.body.classList.remove("pinned");
    unmark();
  }
  function say(row, on) {
    const count = (selector) => [...on, row].filter((other) => other.matches(selector)).length;
    one("#said").textContent =
      `marked: ${count("#source p")} lines, ${count("#bytecode p")} bytecode instructions, ${count(".u")} uops`;
  }

  // ---- Bringing rows into view. Panes scroll by themselves, unless the window is narrow.
  function reveal(row, pane, tries = 5) {
    if (pane.scrollHeight <= pane.clientHeight) return row.scrollIntoView({ block: "center" });
    const place = row.getBoundingClientRect();
    const frame = pane.getBoundingClientRect();
    if (place.top >= frame.top + 40 && place.bottom <= frame.bottom) return;
    pane.scrollTop += place.top - frame.top - pane.clientHeight / 3;
    // Of long machine code only now it is known how high what stands around is.
    if (row.closest(".long") && tries) requestAnimationFrame(() => reveal(row, pane, tries - 1));
  }
  function revealFirst(pane, rows) {
    const inside = [...rows].filter((row) => pane.contains(row));
    const first = inside.sort((a, b) => a.compareDocumentPosition(b) & 4 ? -1 : 1)[0];
    if (first && pane.scrollHeight > pane.clientHeight) reveal(first, pane);
  }

  // ---- One executor at a time. Hidden ones are still found by the browser's own search.
  const hide = (element, hidden) => hidden ? element.setAttribute("hidden", "until-found") : element.removeAttribute("hidden");
  function show(next) {
    if (!next || next === article) return;
    unpin();
    article = next;
    for (const other of articles) hide(other, other !== article);
    const used = article.dataset.f.split(" ");
    for (const block of all(".f")) hide(block, !used.includes(block.dataset.f));
    if (one("#choose")) one("#choose").textContent = one("h3", article).textContent + " ▾";
    for (const link of all("#list a")) link.setAttribute("aria-current", link.hash === `#${article.id}`);
    one("#trace").scrollTop = 0;
    colour();
  }
  // Rows that are in the trace, and a colour for each of their lines.
  function colour() {
    for (const row of all(".in:is(p), .u, .g")) row.className = row.className.replace(/ ?\b(in|h\d)\b/g, "");
    unitsOf = new Map();
    for (const unit of all(".u[data-b], .g[data-b]", article)) add(unitsOf, nameOf(unit.dataset.b), unit);
    const hues = new Map();
    for (const [name, units] of unitsOf) {
      const line = lineOf.get(name);
      const rows = bytecodeRows.get(name) ?? [];
      for (const row of rows) row.classList.add("in");
      if (!line) continue;
      if (!hues.has(line)) hues.set(line, `h${hues.size % 8}`);
      line.classList.add("in");
      for (const row of [line, ...rows, ...units]) row.classList.add(hues.get(line));
    }
  }
  function step(by) {
    const at = articles.indexOf(article);
    const next = articles[(at + by + articles.length) % articles.length];
    if (next) go(next);
  }

  // Shows an element, whatever it is in, and pins it.
  function go(element, options) {
    if (!element) return;
    const inside = element.closest("article");
    const block = element.closest(".f");
    if (inside) show(inside);
    if (block?.hasAttribute("hidden")) show(articles.find((one) => one.dataset.f.split(" ").includes(block.dataset.f)));
    const row = element.closest(ROW);
    const pane = element.closest(".pane");
    if (row) pin(row, options);
    if (pane && element !== inside) reveal(row ?? element, pane);
  }
  const goToHash = () => go(document.getElementById(decodeURIComponent(location.hash.slice(1))));

  // ---- Search: text of rows; an address also finds the instruction that it lies in.
  let index = null;
  let hits = [];
  let at = -1;
  function searchable() {
    const rows = all("article h3, #source p[id], #bytecode p[id], .n, .c p, .e tr[id]");
    return rows.map((row) => ({ row, text: row.textContent.toLowerCase() }));
  }
  function around(address) {
    let best = null;
    let least = 16; // no instruction is longer
    for (const { row } of index) {
      if (!row.matches(".c p")) continue;
      const behind = address - parseInt(row.firstChild.textContent, 16);
      if (behind >= 0 && behind < least) [best, least] = [row, behind];
    }
    return best ? [best] : [];
  }
  function search(query) {
    const text = query.trim().toLowerCase();
    one(".hit")?.classList.remove("hit");
    [hits, at] = [[], -1];
    if (text) {
      index ??= searchable();
      const needle = text.replace(/^0x/, "");
      hits = index.filter((entry) => entry.text.includes(text) || (needle !== text && entry.text.includes(needle)))
        .map((entry) => entry.row);
      if (!hits.length && /^[0-9a-f]{5,16}$/.test(needle)) hits = around(parseInt(needle, 16));
    }
    one("#found").textContent = text ? `${hits.length} found` : "";
    if (hits.length) hit(0);
  }
  // Not at every key: a page has a hundred thousand rows.
  let waiting = 0;
  function searchSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(searchNow, 120);
  }
  function searchNow() {
    clearTimeout(waiting);
    waiting = 0;
    search(one("#find").value);
  }
  function hit(number) {
    if (!hits.length) return;
    at = (number + hits.length) % hits.length;
    one(".hit")?.classList.remove("hit");
    go(hits[at], { focus: false });
    hits[at].classList.add("hit");
    one("#found").textContent = `${at + 1} of ${hits.length}`;
  }

  // ---- Keyboard.
  const isShown = (row) => !row.closest("[hidden]");
  const rowsOf = (pane) => all(pane.id === "trace" ? ".u, .c p, .e tr[id]" : "p[id]", pane).filter(isShown);
  function moveInPane(pane, row, by) {
    const rows = rowsOf(pane);
    const next = rows[row ? rows.indexOf(row) + by : 0];
    if (!next) return;
    pin(next);
    reveal(next, pane);
  }
  function moveToPane(pane, by) {
    const next = panes[panes.indexOf(pane) + by];
    const row = next && (marked.find((row) => row.matches(".on") && next.contains(row)));
    if (row) go(row);
    else next?.focus();
  }
  const inPane = {
    ArrowDown: (pane, row) => moveInPane(pane, row, 1),
    ArrowUp: (pane, row) => moveInPane(pane, row, -1),
    ArrowRight: (pane) => moveToPane(pane, 1),
    ArrowLeft: (pane) => moveToPane(pane, -1),
    Enter: (pane, row) => row && (pinned === row ? unpin() : pin(row)),
  };
  const anywhere = {
    "/": () => one("#find").select(),
    n: () => hit(at + 1),
    N: () => hit(at - 1),
    "[": () => step(-1),
    "]": () => step(1),
    "?": () => one("#help").showModal(),
    Escape: () => letGo(),
  };
  function letGo() {
    one("#find").value = "";
    searchNow();
    unpin();
    document.activeElement?.blur();
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    const typing = event.target.matches("input");
    if (typing && event.key === "Enter") {
      waiting ? searchNow() : hit(at + (event.shiftKey ? -1 : 1));
      return event.preventDefault();
    }
    if (typing && event.key !== "Escape") return;
    const pane = event.target.closest(".pane");
    const does = pane && !event.target.closest("a") ? inPane[event.key] : null;
    if (!does && !anywhere[event.key]) return;
    event.preventDefault();
    does ? does(pane, event.target.closest(ROW)) : anywhere[event.key]();
  });

  // ---- Mouse, links, buttons.
  const main = one("main");
  main.addEventListener("pointerover", (event) => {
    if (pinned || event.pointerType === "touch") return;
    const row = event.target.closest(ROW);
    row ? mark(row) : unmark();
  });
  main.addEventListener("pointerleave", () => pinned || unmark());
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link) {
      if (link.closest("#list")) one("#list").hidePopover?.();
      if (link.hash === location.hash) goToHash();
      return;
    }
    const row = event.target.closest(ROW);
    if (!row || !getSelection().isCollapsed) return;
    pinned === row ? unpin() : pin(row);
  });
  addEventListener("hashchange", goToHash);
  document.addEventListener("beforematch", (event) => go(event.target));
  const onClick = (selector, does) => one(selector)?.addEventListener("click", does);
  onClick("#previous", () => step(-1));
  onClick("#next", () => step(1));
  onClick("#previous-hit", () => hit(at - 1));
  onClick("#next-hit", () => hit(at + 1));
  onClick("#ask", () => one("#help").showModal());
  onClick("#close", () => one("#help").close());
  one("#find").addEventListener("input", searchSoon);
  one("form").addEventListener("submit", (event) => event.preventDefault());

  // ---- Light and dark, remembered where the browser allows it.
  const THEMES = ["auto", "light", "dark"];
  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    one("#theme").textContent = `Theme: ${theme}`;
    try { localStorage.setItem("cpyjit-theme", theme); } catch { /* then it is for this time only */ }
  }
  onClick("#theme", () => {
    const now = THEMES.indexOf(document.documentElement.dataset.theme ?? "auto");
    setTheme(THEMES[(now + 1) % THEMES.length]);
  });
  try { setTheme(localStorage.getItem("cpyjit-theme") ?? "auto"); } catch { setTheme("auto"); }

  show(articles.find((one) => !one.hasAttribute("hidden")) ?? articles[0]);
  location.hash ? goToHash() : go(one(".pc"), { focus: false });
})();
