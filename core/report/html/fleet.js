// A fleet: the table of all findings and targets, and a target's details, drawn from the page's data. Only the
// rows in sight are in the page. Texts enter it as text nodes alone.
"use strict";
(() => {
  const { all, make, addCopyButtons, hashName } = window.debrief;
  const ROW = 52; // pixels; as in report.css

  // ---- the data: a table of values that name others by number, see core/report/html_data.c ----

  const { shapes, table, targets: root } = JSON.parse(document.getElementById("data").textContent);
  const places = shapes.map((names) => new Map(names.map((name, at) => [name, at + 1])));
  const read = (at) => {
    const value = table[at];
    if (!Array.isArray(value)) return value;
    if (!(value[0] < 0)) return value.map(read);
    return Object.fromEntries(shapes[-value[0] - 1].map((name, i) => [name, read(value[i + 1])]));
  };
  const member = (at, name) => { // the place of a member, without reading the rest
    const value = table[at];
    if (!Array.isArray(value) || !(value[0] < 0)) return undefined;
    const place = places[-value[0] - 1].get(name);
    return place === undefined ? undefined : value[place];
  };
  const text = (at, name) => {
    const place = member(at, name);
    const value = place === undefined ? "" : table[place];
    return typeof value === "string" ? value : "";
  };
  const items = (at, name) => {
    const place = member(at, name);
    const value = place === undefined ? [] : table[place];
    return Array.isArray(value) && !(value[0] < 0) ? value : [];
  };
  const list = (value) => (Array.isArray(value) ? value : []);
  const objects = (value) => list(value).filter((each) => each && typeof each === "object");
  const string = (value) => (typeof value === "string" || typeof value === "number" ? String(value) : "");

  const kindOf = (at) => {
    const waiver = member(at, "waiver");
    if (waiver !== undefined && text(waiver, "state") === "active") return "waived";
    return { error: "error", warning: "warning" }[text(at, "severity")] || "note";
  };
  const ORDER = ["error", "warning", "unknown", "waived", "note", "ok"];
  const worse = (a, b) => ORDER.indexOf(a) - ORDER.indexOf(b);

  const targets = list(table[root]).map((at, number) => ({
    at, number: number + 1, name: text(at, "name"), verdict: text(at, "verdict") || "unknown",
    rows: items(at, "findings").map((finding) => ({ at: finding })),
  }));
  const rows = [];
  const groups = new Map();
  for (const target of targets) {
    for (const row of target.rows) {
      row.target = target;
      row.id = text(row.at, "id");
      row.kind = kindOf(row.at);
      rows.push(row);
      if (!groups.has(row.id)) groups.set(row.id, { id: row.id, title: text(row.at, "title"), kind: row.kind, rows: [] });
      const group = groups.get(row.id);
      group.rows.push(row);
      if (worse(row.kind, group.kind) < 0) group.kind = row.kind;
    }
  }
  const sectionOf = (id) => id.split(".")[0];
  // The order of the groups is the page's own, in which C wrote them.
  const abouts = new Map(all(".groups .group").map((each) => [each.dataset.id, each]));
  const ranks = new Map([...abouts.keys()].map((id, at) => [id, at]));
  const byFinding = [...groups.values()].sort((a, b) => (ranks.get(a.id) ?? 1e9) - (ranks.get(b.id) ?? 1e9));
  const byTarget = [...targets].sort((a, b) => worse(a.verdict, b.verdict) || a.number - b.number);
  const haystack = (row) => row.text ??= [row.target.name, row.id, text(row.at, "title"), text(row.at, "message"),
    member(row.at, "subject") === undefined ? "" : text(member(row.at, "subject"), "name")].join("\n").toLowerCase();

  // ---- pieces of the page ----

  const mark = (kind, word) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#mark-${ORDER.includes(kind) ? kind : "unknown"}`);
    svg.append(use);
    const element = make("span", { class: `mark is-${ORDER.includes(kind) ? kind : "unknown"}` }, svg);
    if (word) element.append(` ${word}`);
    return element;
  };
  const code = (value) => make("code", {}, string(value));
  const quiet = (...content) => make("span", { class: "quiet" }, ...content);
  const block = (what, value) => make("div", { class: "code" }, make("pre", { "data-copy": what }, make("code", {}, string(value))));
  const when = (time) => string(time).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*$/, "$1 $2");
  const link = (url) => /^https?:\/\//.test(url)
    ? make("a", { class: "away", href: url, rel: "noopener noreferrer", target: "_blank" }, url) : document.createTextNode(string(url));
  const numbered = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

  // ---- filter ----

  const place = document.getElementById("explore");
  const search = make("input", { type: "search", name: "text", placeholder: "Filter by target, finding, text  /", "aria-label": "Filter by text" });
  const boxes = make("fieldset", {}, make("legend", { hidden: "" }, "Severity"));
  for (const [kind, word] of [["error", "Errors"], ["warning", "Warnings"], ["note", "Notes"], ["waived", "Waived"]]) {
    const count = rows.filter((row) => row.kind === kind).length;
    if (!count) continue;
    const box = make("input", { type: "checkbox", name: "severity", value: kind, checked: "" });
    boxes.append(make("label", {}, box, `${word} (${count.toLocaleString("en")})`));
  }
  const select = (name, label, values) => make("select", { name, "aria-label": label }, ...values.map(([value, word]) => make("option", { value }, word)));
  const sections = [...new Set([...groups.keys()].map(sectionOf))].sort();
  const section = select("section", "Section", [["", "All sections"], ...sections.map((each) => [each, each])]);
  const finding = select("finding", "Finding", [["", "All findings"], ...byFinding.map((each) => [each.id, each.id])]);
  const order = select("order", "Order", [["finding", "By finding"], ["target", "By target"]]);
  const count = make("output", { "aria-live": "polite" });
  const form = make("form", { class: "filter", role: "search", "aria-label": "Findings and targets" }, search, boxes, section, finding, order, count);

  // ---- the rows in sight ----

  const open = new Set();
  let view = [];
  const body = make("div", { class: "rows", role: "rowgroup" });
  const grid = make("div", { class: "grid", role: "table", "aria-label": "Findings and targets", tabindex: "0" }, body);

  const fits = () => {
    const words = search.value.trim().toLowerCase();
    const kinds = new Set(all("input:checked", boxes).map((box) => box.value));
    return (row) => kinds.has(row.kind) && (!finding.value || row.id === finding.value) && (!section.value || sectionOf(row.id) === section.value)
      && (!words || haystack(row).includes(words));
  };
  const isPlain = () => !section.value && !finding.value && all("input", boxes).every((box) => box.checked);
  const refresh = () => {
    const test = fits();
    const words = search.value.trim().toLowerCase();
    let shown = 0;
    const seen = new Set();
    view = [];
    const add = (group, key, matching) => {
      view.push({ group, key, count: matching.length, targets: new Set(matching.map((row) => row.target)).size });
      shown += matching.length;
      for (const row of matching) seen.add(row.target);
      if (!open.has(key)) return;
      if (abouts.has(group.id)) view.push({ about: group.id });
      for (const row of matching) view.push({ row });
    };
    if (order.value === "finding") {
      for (const group of byFinding) {
        const matching = group.rows.filter(test);
        if (matching.length) add(group, `finding ${group.id}`, matching);
      }
    } else {
      for (const target of byTarget) {
        const matching = target.rows.filter(test);
        const named = !target.rows.length && isPlain() && target.name.toLowerCase().includes(words);
        if (matching.length || named) {
          add(target, `target ${target.number}`, matching);
          seen.add(target);
        }
      }
    }
    count.textContent = `${numbered(shown, "finding", "findings")} of ${rows.length.toLocaleString("en")}, ${numbered(seen.size, "target", "targets")}`;
    grid.setAttribute("aria-rowcount", view.length);
    body.style.height = `${view.length * ROW}px`;
    draw();
  };
  const cell = (...content) => make("div", { role: "cell", class: "cell" }, ...content);
  const button = (name, action, ...content) => {
    const element = make("button", { type: "button", class: name }, ...content);
    element.addEventListener("click", action);
    return element;
  };
  const toggle = (key) => { if (!open.delete(key)) open.add(key); refresh(); const again = grid.querySelector(`[data-key="${CSS.escape(key)}"]`); if (again) again.focus({ preventScroll: true }); };
  const drawGroup = ({ group, key, count: size, targets: having }) => {
    const isTarget = group.number !== undefined;
    const expander = button("expand", () => toggle(key), mark(isTarget ? group.verdict : group.kind), make("b", {}, isTarget ? group.name : group.title || group.id),
      quiet(isTarget ? (size ? numbered(size, "finding", "findings") : "no findings") : code(group.id)));
    expander.setAttribute("aria-expanded", open.has(key));
    expander.dataset.key = key;
    const right = isTarget ? button("show", () => show(group), "Details") : quiet(numbered(having, "target", "targets"));
    return [cell(expander), cell(right)];
  };
  const drawRow = ({ row }) => [
    cell(button("leaf", () => show(row.target, row), mark(row.kind), make("b", {}, order.value === "finding" ? row.target.name : text(row.at, "title")),
      quiet(text(row.at, "message")))),
    cell(quiet(when(text(row.at, "first")))),
  ];
  const drawAbout = ({ about }) => [cell(button("leaf about", () => showAbout(about), "What it says, and how to repair it")), cell()];
  let drawn = "";
  const draw = () => {
    const first = Math.max(0, Math.floor(grid.scrollTop / ROW) - 5);
    const last = Math.min(view.length, Math.ceil((grid.scrollTop + grid.clientHeight) / ROW) + 5);
    drawn = `${first}-${last}`;
    body.replaceChildren(...view.slice(first, last).map((line, i) => {
      const element = make("div", { role: "row", class: line.group ? "row head" : "row", "aria-rowindex": first + i + 1 },
        ...(line.group ? drawGroup(line) : line.row ? drawRow(line) : drawAbout(line)));
      element.style.top = `${(first + i) * ROW}px`;
      return element;
    }));
  };
  grid.addEventListener("scroll", () => {
    const first = Math.max(0, Math.floor(grid.scrollTop / ROW) - 5);
    const last = Math.min(view.length, Math.ceil((grid.scrollTop + grid.clientHeight) / ROW) + 5);
    if (drawn !== `${first}-${last}`) draw();
  });
  window.addEventListener("resize", draw);

  // ---- the details of a target ----

  const details = make("section", { class: "details", "aria-live": "off" });

  const proof = (each) => make("figure", { class: "proof" },
    make("figcaption", {}, code(each.source), " ", make("span", { class: "path" }, string(each.locator)), each.time ? quiet(` ${when(each.time)} UTC`) : ""),
    make("pre", {}, make("code", {}, string(each.excerpt))));
  const steps = (fix) => make("ol", { class: "steps" }, ...objects(fix).map((step) => {
    const snippet = step.snippet || {};
    const item = make("li", {}, make("p", {}, string(step.text)));
    if (step.command) item.append(block("command", step.command));
    if (snippet.path) item.append(make("p", { class: "file" }, "file ", code(snippet.path)));
    if (snippet.text) item.append(block("text", snippet.text));
    return item;
  }));
  const reasons = (candidate) => [["for", "speaks for it:"], ["against", "speaks against it:"]]
    .flatMap(([side, lead]) => list(candidate[side]).map((why) => make("li", {}, quiet(lead), ` ${string(why)}`)));
  const part = (title, ...content) => make("section", {}, make("h4", {}, title), ...content);
  const article = (row) => {
    const value = read(row.at);
    const subject = value.subject || {};
    const waiver = value.waiver || {};
    const tags = [code(value.id), subject.kind ? make("span", {}, string(subject.kind), " ", code(subject.name)) : "", string(value.role),
      string(value.confidence), value.severity_was ? `${string(value.severity_was)} by the check` : "", value.baseline ? `${string(value.baseline)} since the baseline` : ""];
    const name = `finding-${/^[0-9a-f]{1,64}$/.test(value.fingerprint) ? value.fingerprint : "of"}-${row.target.number}-${row.target.rows.indexOf(row) + 1}`;
    const element = make("article", { class: `finding is-${row.kind}`, id: name, tabindex: "-1" },
      make("header", {}, mark(row.kind, row.kind), make("h3", {}, string(value.title)),
        make("ul", { class: "tags" }, ...tags.filter((tag) => tag).map((tag) => make("li", {}, tag)))),
      make("p", { class: "message" }, string(value.message)));
    const state = { now: "Going on now", before: "Earlier, over now" }[value.state];
    const times = value.first ? `seen ${when(value.first)}${value.last && value.last !== value.first ? ` to ${when(value.last)}` : ""} UTC` : "";
    const often = value.count > 1 ? `${value.count} times` : "";
    if (state || times || often) element.append(make("p", { class: "when" }, [state, times, often].filter((each) => each).join(", ")));
    if (value.waiver) element.append(make("p", { class: "waiver" }, make("strong", {}, waiver.state === "expired" ? "The waiver has expired:" : "Waived:"),
      ` ${string(waiver.reason)} `, quiet(`(owner ${string(waiver.owner)}, ${waiver.state === "expired" ? "ended" : "until"} ${string(waiver.expires)})`)));
    if (Array.isArray(value.evidence)) {
      if (value.evidence.length) element.append(part("Proof", ...objects(value.evidence).map(proof)));
    } else {
      element.append(make("p", { class: "quiet" }, "The proof is in the JSON report: left out here to keep the page small."));
    }
    const candidates = objects(value.candidates);
    if (candidates.some((each) => each.id !== value.id)) element.append(part("Possible causes, the likeliest first",
      make("ol", { class: "candidates" }, ...candidates.map((each) => make("li", {}, code(each.id), make("ul", {}, ...reasons(each)))))));
    else if (candidates.length) element.append(part("Why this cause", make("ul", { class: "candidates" }, ...candidates.flatMap(reasons))));
    if (list(value.fix).length) element.append(part("Fix", steps(value.fix)));
    const foot = make("footer");
    for (const each of list(value.explained_by)) foot.append(make("p", {}, "Follows from ", code(each)));
    if (list(value.references).length) foot.append(make("p", {}, "Read on:"), make("ul", {}, ...value.references.map((each) => make("li", {}, link(each)))));
    foot.append(make("p", { class: "hash" }, `fingerprint ${string(value.fingerprint)}, `, make("a", { href: `#${name}` }, "link to this finding")));
    element.append(foot);
    return element;
  };
  const folded = (title, rowsOf) => rowsOf.length ? make("details", {}, make("summary", {}, title), make("ul", { class: "checks" }, ...rowsOf)) : "";
  // As document_timeline() has it.
  const timelineOf = (value) => {
    const entries = objects(value.timeline);
    return entries.length > 1 && entries.some((entry) => list(entry.findings).length) ? entries : [];
  };
  const surroundings = (value) => {
    const checks = objects(value.checks);
    const words = { error: "ended in an error", fail: "found something", pass: "found nothing wrong", skip: "could not judge: evidence is missing", not_applicable: "do not apply" };
    const coverage = Object.keys(words).map((outcome) => {
      const some = checks.filter((check) => check.outcome === outcome);
      return folded(`${numbered(some.length, "check", "checks")} ${words[outcome]}`, some.map((check) => make("li", {}, code(check.id), " ", quiet(string(check.reason)))));
    });
    return [
      ...coverage,
      folded("What would tell more", objects(value.asks).map((ask) => make("li", {}, make("p", {}, make("b", {}, string(ask.evidence)), `: ${string(ask.why)}`), make("p", { class: "how" }, string(ask.how))))),
      folded("Timeline", timelineOf(value).map((entry) => make("li", {}, `${when(entry.time)} `, quiet(string(entry.lane)), ` ${string(entry.text)}`))),
      folded("Ways of requests", objects(value.walks).map((walk) => make("li", {}, code(walk.request), ` ends ${string(walk.ends)}`,
        make("ol", { class: "hops" }, ...objects(walk.hops).map((hop) => make("li", hop.broke ? { class: "broke" } : {}, quiet(string(hop.kind)), " ", code(hop.name), ` ${string(hop.why)}`)))))),
      folded("Lines that no check knows", objects(value.unexplained).map((line) => make("li", {}, code(line.source), ` ${string(line.locator)} `, code(line.text)))),
      folded("Sources", objects(value.sources).map((source) => make("li", {}, code(source.name), ` ${string(source.kind)} `, quiet(string(source.sha256)), ...list(source.problems).map((each) => make("p", { class: "problem" }, mark("warning"), ` ${string(each)}`))))),
      folded("Removed before anything was written", objects(value.redactions).map((each) => make("li", {}, `${string(each.count)} of kind ${string(each.kind)} from `, code(each.source)))),
    ];
  };
  const back = () => button("back", () => { grid.scrollIntoView({ block: "start" }); grid.focus({ preventScroll: true }); }, "Back to the table");
  const present = (...content) => {
    details.replaceChildren(...content, back());
    addCopyButtons(details);
    details.scrollIntoView({ block: "start" });
  };
  const show = (target, row) => {
    const value = read(target.at);
    const facts = make("dl", { class: "facts" });
    for (const [key, title] of [["version", "Envoy"], ["state", "State"], ["node", "Node"], ["mesh", "Mesh"], ["mode", "Mode"], ["platform", "Platform"]])
      if (value.envoy && value.envoy[key]) facts.append(make("div", {}, make("dt", {}, title), make("dd", {}, string(value.envoy[key]))));
    const heading = make("h2", { tabindex: "-1", id: `target-${target.number}` }, mark(target.verdict, target.verdict), ` ${target.name}`);
    const articles = target.rows.map(article);
    present(heading, facts, ...articles, ...surroundings(value));
    const chosen = row ? articles[target.rows.indexOf(row)] : heading;
    if (row) chosen.classList.add("hit");
    chosen.focus({ preventScroll: true });
    chosen.scrollIntoView({ block: "start" });
  };
  const showAbout = (id) => {
    const group = abouts.get(id).cloneNode(true);
    const heading = make("h2", { tabindex: "-1" }, ...group.querySelector("summary").childNodes);
    for (const each of all(".code button", group)) each.remove();
    group.querySelector("summary").remove();
    present(heading, ...group.childNodes);
    heading.focus({ preventScroll: true });
  };

  // "#target-7"; "#finding-FINGERPRINT" is the first target that has it, "-7" and "-7-1" behind it tell which.
  const openHash = () => {
    const name = hashName();
    const byNumber = /^target-(\d+)$/.exec(name);
    const byPrint = /^finding-([0-9a-f]+|of)(?:-(\d+)(?:-(\d+))?)?$/.exec(name);
    if (byNumber && targets[byNumber[1] - 1]) show(targets[byNumber[1] - 1]);
    if (!byPrint) return;
    const place = rows.find((row) => (byPrint[1] === "of" || text(row.at, "fingerprint") === byPrint[1]) && (!byPrint[2] || row.target.number === +byPrint[2])
      && (!byPrint[3] || row.target.rows.indexOf(row) + 1 === +byPrint[3]));
    if (place) show(place.target, place);
  };

  document.querySelector("main").classList.add("has-table");
  place.append(form, grid, details);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { grid.scrollTop = 0; refresh(); });
  search.addEventListener("keydown", (event) => { if (event.key === "Escape") { window.debrief.reset(); search.blur(); } });
  window.debrief.reset = () => { form.reset(); grid.scrollTop = 0; refresh(); };
  if (byFinding.length === 1) open.add(`finding ${byFinding[0].id}`);
  refresh();
  window.addEventListener("hashchange", openHash);
  openHash();
})();
