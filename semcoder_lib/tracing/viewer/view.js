(function (root, data) {
  "use strict";
  const steps = data.steps;
  // of a change: its name as it is shown; all changes of a step
  const named = (c) => (c.scope === "global" ? "global " : "") + c.name;
  const all = (step) => step.changes.concat(step.beyond || []);
  const last = steps.length - 1;
  const make = (tag, kind, text) => {
    const node = document.createElement(tag);
    if (kind) node.className = kind;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const find = (kind) => root.querySelector("." + kind);

  // Notebook themes say dark in their own ways; without one, the system's preference counts.
  const dim = (color) => {
    const parts = (color.match(/[\d.]+/g) || []).map(Number);
    return parts.length < 3 || parts[3] === 0 ? null : parts[0] + parts[1] + parts[2] < 380;
  };
  const theme = () => {
    let dark = null;
    for (let node = root.parentElement; node && dark === null; node = node.parentElement)
      dark = dim(getComputedStyle(node).backgroundColor);
    if (dark === null) dark = matchMedia("(prefers-color-scheme: dark)").matches;
    root.classList.toggle("sc-dark", dark);
  };
  theme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);

  // A line's changes are seen when the next step of its frame comes: calls lie in between.
  const done = new Array(steps.length).fill(last);
  const latest = new Map();
  steps.forEach((step, i) => {
    if (latest.has(step.frame)) done[latest.get(step.frame)] = i - 1;
    latest.set(step.frame, i);
  });
  steps.forEach((step, i) => { if (step.event === "call") done[i] = i; });

  const stateAt = (at) => {
    const frames = new Map();
    const stack = [];
    for (let i = 0; i <= at; i++) {
      const step = steps[i];
      while (stack.length && steps[stack[stack.length - 1]].depth > step.depth) stack.pop();
      if (step.event === "call") {
        frames.set(step.frame, { name: step.function, values: new Map(), fresh: new Set(), line: 0 });
      }
      const top = stack.length ? steps[stack[stack.length - 1]].frame : null;
      if (top !== step.frame) {
        if (stack.length && steps[stack[stack.length - 1]].depth === step.depth) stack.pop();
        stack.push(i);
      } else stack[stack.length - 1] = i;
    }
    for (let i = 0; i <= at; i++) {
      const step = steps[i], frame = frames.get(step.frame);
      if (!frame) continue;
      frame.line = step.line;
      if (done[i] > at) continue;
      const now = i === at || (done[i] === at && step.event === "line");
      for (const change of all(step)) {
        const { text, exact } = change, name = named(change);
        if (text === null) frame.values.delete(name); else frame.values.set(name, [text, exact]);
        if (now) frame.fresh.add(name);
      }
    }
    return stack.map((i) => frames.get(steps[i].frame)).filter(Boolean);
  };

  const rows = data.source.map((text, i) => {
    const row = make("div", "sc-row");
    row.append(make("span", "sc-number", String(i + 1)), make("span", "sc-visits", ""),
               make("span", "sc-text", text || " "));
    find("sc-source").append(row);
    return row;
  });

  const words = (step) => {
    const told = step.event === "call" ? step.changes : all(step);
    const changes = told.map((c) => c.text === null ? "del " + named(c) : named(c) + " = " + c.text)
      .join(", ");
    const where = "line " + step.line;
    if (step.event === "call") return "call " + step.function + "(" + changes + ")";
    if (step.event === "return") return where + " returns " + step.value;
    if (step.event === "yield") return where + " yields " + step.value;
    if (step.event === "exception") return where + " raises " + step.value;
    return where + (changes ? ": " + changes : "");
  };

  const entries = steps.map((step, i) => {
    const item = make("div", "sc-step", "  ".repeat(step.depth) + words(step));
    item.addEventListener("click", () => show(i));
    find("sc-steps").append(item);
    return item;
  });

  const slider = find("sc-slider");
  let at = 0;
  const show = (wanted) => {
    at = Math.max(0, Math.min(last, wanted));
    const step = steps[at], stack = stateAt(at), visits = new Map();
    for (let i = 0; i <= at; i++)
      if (steps[i].event === "line") visits.set(steps[i].line, (visits.get(steps[i].line) || 0) + 1);
    rows.forEach((row, i) => {
      row.classList.toggle("sc-now", i + 1 === step.line);
      row.classList.toggle("sc-waits", stack.slice(0, -1).some((f) => f.line === i + 1));
      row.children[1].textContent = visits.has(i + 1) ? "×" + visits.get(i + 1) : "";
    });
    const values = find("sc-values");
    values.replaceChildren();
    stack.slice().reverse().forEach((frame) => {
      const box = make("div", "sc-frame"), table = make("table");
      box.append(make("h4", "", frame.name + " — line " + frame.line));
      for (const [name, [text, exact]] of frame.values) {
        const row = make("tr", frame.fresh.has(name) ? "sc-changed" : "");
        row.append(make("td", "", name), make("td", exact ? "" : "sc-inexact", text));
        table.append(row);
      }
      box.append(table);
      values.append(box);
    });
    const say = find("sc-say");
    say.textContent = words(step);
    say.classList.toggle("sc-error", step.event === "exception");
    entries.forEach((item, i) => item.classList.toggle("sc-now", i === at));
    const item = entries[at], box = find("sc-steps");
    if (item && item.offsetParent)
      box.scrollTop = item.offsetTop - box.offsetTop - box.clientHeight / 2;
    slider.value = String(at);
    slider.setAttribute("aria-valuetext", words(step));
    find("sc-count").textContent = "step " + (at + 1) + " of " + steps.length;
  };

  const sameLine = (way) => {
    for (let i = at + way; i >= 0 && i <= last; i += way)
      if (steps[i].event === "line" && steps[i].line === steps[at].line) return i;
    return at;
  };
  const keys = {
    ArrowRight: () => at + 1, ArrowLeft: () => at - 1, PageDown: () => at + 10, PageUp: () => at - 10,
    Home: () => 0, End: () => last, n: () => sameLine(1), p: () => sameLine(-1),
  };
  root.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    show(keys[event.key]());
    event.preventDefault();
    event.stopPropagation();
  });
  slider.addEventListener("input", () => show(Number(slider.value)));
  root.querySelectorAll("button[data-key]").forEach((button) => {
    button.addEventListener("click", () => { show(keys[button.dataset.key]()); });
  });
  if (steps.length) show(0);
})
