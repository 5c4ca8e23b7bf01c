// What the page can do beyond being read: filter, copy, keys, deep links, printing what is folded. Every
// fact stands in the page without it.
"use strict";
(() => {
  const page = document.documentElement;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, attributes = {}, ...content) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...content);
    return element;
  };
  window.debrief = { all, make };

  // ---- saying and copying ----

  const said = make("div", { class: "said", role: "status", "aria-live": "polite" });
  let silence = 0;
  const say = (text) => {
    said.textContent = text;
    clearTimeout(silence);
    silence = setTimeout(() => { said.textContent = ""; }, 2500);
  };

  // The old way works where the clipboard is closed to pages: file:// in some browsers.
  const copyOldWay = (text) => {
    const field = make("textarea", { "aria-hidden": "true", readonly: "" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  };
  const copy = async (text, what) => {
    const focused = document.activeElement;
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = copyOldWay(text);
    }
    if (focused) focused.focus({ preventScroll: true });
    say(done ? `Copied the ${what}` : "Could not copy: mark it and copy it by hand");
  };
  const addCopyButtons = (root) => {
    for (const pre of all("pre[data-copy]", root)) {
      if (pre.parentElement.querySelector("button")) continue;
      const what = pre.dataset.copy;
      const button = make("button", { type: "button", "aria-label": `Copy the ${what}` }, "Copy");
      button.addEventListener("click", () => copy(pre.textContent, what));
      pre.after(button);
    }
  };
  window.debrief.addCopyButtons = addCopyButtons;

  // Links are typed and cut by mail programs: one that cannot be decoded leads nowhere.
  const hashName = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  };
  window.debrief.hashName = hashName;

  // ---- folding ----

  const unfold = (element) => {
    for (let each = element; each; each = each.parentElement)
      if (each.localName === "details") each.open = true;
  };
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    for (const each of folded) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  });

  // ---- findings: filter, deep links, the next one ----

  const findings = all("article.finding"); // a fleet's are drawn later, by fleet.js
  const isShown = (element) => !element.closest("[hidden]");
  const openHash = () => {
    const name = hashName();
    const element = name && document.getElementById(name);
    for (const each of all(".hit")) each.classList.remove("hit");
    if (!element) return;
    if (!isShown(element) && window.debrief.reset) window.debrief.reset();
    unfold(element);
    if (element.matches(".finding")) {
      element.classList.add("hit");
      element.focus({ preventScroll: true });
    }
    element.scrollIntoView({ block: "start" });
  };

  const words = { error: "Errors", warning: "Warnings", note: "Notes", waived: "Waived" };
  const option = (value, text) => make("option", { value }, text);

  const severityBoxes = () => {
    const set = make("fieldset", {}, make("legend", { hidden: "" }, "Severity"));
    for (const severity of Object.keys(words)) {
      const count = findings.filter((each) => each.dataset.severity === severity).length;
      if (!count) continue;
      const box = make("input", { type: "checkbox", value: severity, name: "severity", checked: "" });
      set.append(make("label", {}, box, `${words[severity]} (${count})`));
    }
    return set;
  };
  const chooser = (name, label, values) => {
    const select = make("select", { name, "aria-label": label }, option("", label));
    for (const [value, text] of values) select.append(option(value, text));
    return select;
  };

  const buildFilter = () => {
    const texts = new Map(findings.map((each) => [each, each.textContent.toLowerCase()]));
    const targets = all("section.target");
    const sections = [...new Set(findings.map((each) => each.dataset.section))].sort();
    const search = make("input", { type: "search", name: "text", placeholder: "Filter findings  /", "aria-label": "Filter findings by text" });
    const boxes = severityBoxes();
    const section = chooser("section", "All sections", sections.map((each) => [each, each]));
    const target = chooser("target", "All targets", targets.map((each) => [each.id.slice(7), each.querySelector("h1, h2").textContent]));
    const count = make("output", { "aria-live": "polite" });
    const form = make("form", { class: "filter", role: "search", "aria-label": "Findings" }, search, boxes, section);
    if (targets.length > 1) form.append(target);
    form.append(count);

    const apply = () => {
      const text = search.value.trim().toLowerCase();
      const severities = new Set(all("input:checked", boxes).map((each) => each.value));
      let shown = 0;
      // From the innermost out: a finding stays for the sake of one that is folded in it.
      for (const each of [...findings].reverse()) {
        const fits = severities.has(each.dataset.severity) && (!section.value || each.dataset.section === section.value)
          && (!target.value || each.dataset.target === target.value) && (!text || texts.get(each).includes(text));
        each.hidden = !fits && !all("article.finding:not([hidden])", each).length;
        if (fits) shown++;
      }
      for (const each of targets) if (targets.length > 1)
        each.hidden = each.querySelector(".finding") ? !each.querySelector(".finding:not([hidden])") : isFiltering();
      for (const row of all(".targets tr[data-target]"))
        row.hidden = document.getElementById("target-" + row.dataset.target).hidden;
      const total = `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
      count.textContent = isFiltering() ? `${shown} of ${total}` : total;
    };
    const isFiltering = () => search.value.trim() || section.value || target.value || all("input:not(:checked)", boxes).some((each) => each.type === "checkbox");
    window.debrief.reset = () => { form.reset(); apply(); };
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", apply);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { window.debrief.reset(); search.blur(); }
    });
    const place = document.querySelector(".targets") ? document.querySelector(".targets").closest("section") : document.querySelector(".findings");
    place.querySelector("h2").after(form);
    apply();
  };

  // ---- keys ----

  const go = (step) => {
    const shown = all("article.finding").filter(isShown);
    if (!shown.length) return;
    const current = document.activeElement && document.activeElement.closest("article.finding");
    const at = shown.indexOf(current);
    const next = shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + step, 0), shown.length - 1)];
    unfold(next);
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  };
  const copyFirst = () => {
    const current = (document.activeElement && document.activeElement.closest("article.finding")) || document;
    const pre = current.querySelector('pre[data-copy="command"]');
    if (pre) copy(pre.textContent, "command");
    else say("There is no command to copy here");
  };
  const help = make("dialog", { "aria-labelledby": "keys" }, make("h2", { id: "keys" }, "Keys"));
  const keys = [["/", "filter"], ["j  k", "next, previous finding"], ["c", "copy the first command"], ["?", "this help"], ["Esc", "clear the filter, close"]];
  const list = make("dl");
  for (const [key, text] of keys) list.append(make("dt", {}, make("kbd", {}, key)), make("dd", {}, text));
  const close = make("button", { type: "button" }, "Close");
  close.addEventListener("click", () => help.close());
  help.append(list, close);

  const actions = {
    "/": () => { const search = document.querySelector('input[type="search"]'); if (search) { search.focus(); search.select(); } },
    j: () => go(1),
    k: () => go(-1),
    c: copyFirst,
    "?": () => { if (!help.open) help.showModal(); },
    Escape: () => { if (window.debrief.reset) window.debrief.reset(); },
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest(event.key === "Escape" ? "input[type=search]" : "input[type=search], select");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || help.open || !Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  });
  window.debrief.actions = actions;

  // ---- light and dark ----

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = make("button", { type: "button" });
  const isDark = () => (page.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours"); };
  theme.addEventListener("click", () => { page.dataset.theme = isDark() ? "light" : "dark"; nameTheme(); });
  dark.addEventListener("change", nameTheme);
  nameTheme();
  const keysButton = make("button", { type: "button" }, "Keys");
  keysButton.addEventListener("click", actions["?"]);

  document.querySelector("header.top").append(keysButton, theme);
  document.body.append(help, said);
  addCopyButtons(document);
  if (findings.length) buildFilter();
  window.addEventListener("hashchange", openHash);
  openHash();
})();
