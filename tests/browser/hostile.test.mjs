// Reports that somebody has made to attack their reader, or has broken: texts stay texts, nothing runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, render, report } from "./browser.mjs";

const HOSTILE = [
  "<script>alert(1)</script>", "</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)' x='",
  "javascript:alert(1)", "</style><style>*{display:none}</style>", "<!-- <svg onload=alert(1)>", "]]></title><iframe src=https://attack.example>",
  "\u2028alert(1)\u2029", "\u202ereversed\u0007\u001b[31m", "&lt;b&gt; &amp; %s %d %n", "https://ok.example/\"onclick=\"alert(1)", "bad bytes: BYTES",
  "__proto__", "constructor",
];
const model = report("certificates/self-signed").document;

// Every text of VALUE but the members a reader goes by, each another of the hostile ones.
let turn = 0;
function poisoned(value, name) {
  if (Array.isArray(value)) return value.map((each) => poisoned(each, name));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, poisoned(each, key)]));
  const kept = ["schema", "role", "time", "first", "last", "lane", "outcome", "state"];
  return typeof value === "string" && !kept.includes(name) ? HOSTILE[turn++ % HOSTILE.length] : value;
}
function attack(count) {
  const targets = Array.from({ length: count }, () => poisoned(model.targets[0]));
  const text = JSON.stringify({ ...poisoned(model), schema: model.schema, targets });
  return Buffer.from(Buffer.from(text).toString("latin1").replaceAll("BYTES", "\xff\xc0\x80\xed\xa0\x80"), "latin1");
}

// What the page is made of when only its own markup counts.
const inventory = (page) => page.evaluate(() => ({
  scripts: document.querySelectorAll("script").length,
  styles: document.querySelectorAll("style").length,
  foreign: [...document.querySelectorAll("img, iframe, object, embed, base, form[action], [style]:not(.rows, .row), link:not([rel=icon])")].map((each) => each.outerHTML),
  handlers: [...document.querySelectorAll("*")].flatMap((each) => [...each.attributes]).filter((each) => /^on/i.test(each.name)).map((each) => each.name),
  links: [...document.querySelectorAll("a[href]")].map((each) => each.getAttribute("href")).filter((href) => !/^(#|https?:\/\/)/.test(href)),
  ids: [...document.querySelectorAll("[id]")].map((each) => each.id).filter((id) => !/^[a-z0-9-]+$/.test(id)),
}));
const HARMLESS = { styles: 1, foreign: [], handlers: [], links: [], ids: [] };

test("a hostile report of one target and of several runs nothing and hides nothing", async () => {
  for (const count of [1, 3])
    await open(render(`attack-${count}`, attack(count)), async (page) => {
      assert.deepEqual(await inventory(page), { scripts: 1, ...HARMLESS });
      const text = await page.locator("body").textContent();
      for (const each of HOSTILE.slice(0, 8)) assert.ok(text.includes(each), each);
      assert.ok(!/[\u202e\u0007\u001b]/.test(text));
      await page.fill(".filter input[type=search]", "<script>");
      assert.ok(await page.locator(".filter").isVisible());
    });
});

test("nor does a hostile fleet", () => open(render("attack-60", attack(60)), async (page) => {
  await page.locator(".row .expand").first().click();
  await page.locator(".row .leaf:not(.about)").first().click();
  await page.locator(".details article").first().waitFor();
  assert.deepEqual(await inventory(page), { scripts: 3, ...HARMLESS });
  await page.locator(".row .about").first().click();
  await page.locator(".details h2").waitFor();
  assert.deepEqual(await inventory(page), { scripts: 3, ...HARMLESS });
}));

// Each member of a finding and of a target once with each type it does not have, or gone.
function broken() {
  const targets = [];
  const wrong = [null, 7, true, "text", [], ["text", 7, null], {}, { a: { b: [] } }, undefined];
  const lists = ["findings", "checks", "asks", "sources"];
  const full = structuredClone(model.targets[0]);
  full.walks = [{ request: "GET /", ends: "refused", check: "upstreams", hops: [{ kind: "route", why: "none" }] }];
  full.redactions = [{ source: "a", kind: "b", count: 1 }];
  full.findings[0].waiver = { finding: "a", target: "b", reason: "c", owner: "d", expires: "2026-12-01", state: "active" };
  const put = (change) => { const target = structuredClone(full); change(target); targets.push(target); };
  for (const value of wrong) {
    for (const key of Object.keys(full).filter((each) => !lists.includes(each))) put((target) => { target[key] = value; });
    for (const key of Object.keys(full.findings[0])) put((target) => { target.findings[0][key] = value; });
    for (const list of ["timeline", "walks", "redactions", "sources", "checks", "asks"])
      for (const key of Object.keys(full[list][0])) put((target) => { target[list][0][key] = value; });
    for (const key of ["evidence", "fix", "candidates"])
      put((target) => { if (target.findings[0][key].length) target.findings[0][key][0] = value; });
  }
  return targets.map((target) => JSON.parse(JSON.stringify(target)));
}

test("a broken report is shown as far as it goes", async () => {
  const targets = broken();
  await open(render("broken", { ...model, targets: targets.slice(0, 50) }), async (page) => {
    assert.equal(await page.locator("section.target").count(), 50);
  });
  for (let at = 50; at < targets.length; at += 50) render("broken", { ...model, targets: targets.slice(at, at + 50) });
  await open(render("broken", { ...model, targets }), async (page) => {
    await page.waitForSelector(".row");
    for (let number = 1; number <= targets.length; number += 7) {
      await page.evaluate((hash) => { location.hash = hash; }, `#target-${number}`);
      await page.locator(`#target-${number}`).waitFor();
    }
  });
});

test("causes that explain each other end the pictures, not the program", () => {
  const document = structuredClone(model);
  const findings = Array.from({ length: 40 }, (_, at) => ({ ...model.targets[0].findings[0], id: `loop.of-${at}`, fingerprint: String(at).padStart(16, "0"),
    candidates: [], explains: Array.from({ length: 40 }, (_, other) => `loop.of-${other}`), explained_by: Array.from({ length: 40 }, (_, other) => `loop.of-${other}`) }));
  document.targets[0].findings = findings;
  return open(render("loop", document), async (page) => {
    assert.equal(await page.locator("article.finding").count(), 40);
    assert.match(await page.locator("figcaption", { hasText: "Arrows" }).textContent(), /16 more are not drawn/);
  });
});
