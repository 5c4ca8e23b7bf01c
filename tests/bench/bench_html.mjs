// The HTML report of 10,000 targets and 50,000 findings: time to write it, its size, time to open and to filter it in
// Chromium; and what writing 5,000 and 20,000 findings of one target takes in each format for people. Prints, asserts nothing: DEBRIEF=build-release/debrief node tests/bench/bench_html.mjs
import { execFileSync } from "node:child_process";
import { closeSync, openSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TOP, debrief, open, report, scratch } from "../browser/browser.mjs";

const CASES = ["certificates/self-signed", "grpc-codes/closed-7", "low-ports/low-port", "ems-connection/tls-expired", "config-rejected/constraint",
  "envoy-image/jaeger-old-image", "image-pull/plain-http", "lb-health/local-policy", "probes/draining"];
const ROUNDS = 3;
const say = (what, value) => console.log(`${what.padEnd(34)} ${value}`);

test("the HTML report of a fleet", async () => {
  const json = join(scratch, "fleet.json");
  const html = join(scratch, "fleet.html");
  const out = openSync(json, "w");
  execFileSync("python3", [join(TOP, "tests/bench/make_fleet.py"), ...CASES.map((each) => report(each).json)], { stdio: ["ignore", out, "inherit"] });
  closeSync(out);
  const best = {};
  const note = (what, began) => { best[what] = Math.min(best[what] ?? Infinity, performance.now() - began); };
  const time = async (what, action) => {
    const began = performance.now();
    await action();
    note(what, began);
  };
  for (let round = 0; round < ROUNDS; round++) {
    await time("read the JSON and write the page", () => debrief("report", json, "-o", `html=${html}`));
    const began = performance.now();
    await open(html, async (page) => {
      await page.waitForSelector(".row");
      note("opened, first rows in sight", began);
      const count = page.locator(".filter output");
      await time("filter by text", async () => { await page.fill(".filter input[type=search]", "checkout-04"); await count.textContent(); });
      await time("filter by section", async () => { await page.selectOption("select[name=section]", "low-ports"); await count.textContent(); });
      await time("clear, by target", async () => { await page.keyboard.press("Escape"); await page.selectOption("select[name=order]", "target"); await count.textContent(); });
      await time("open a target", async () => { await page.locator(".row .show").first().click(); await page.locator(".details .finding").first().waitFor(); });
    });
  }
  say("JSON report", `${(statSync(json).size / 1e6).toFixed(1)} MB`);
  say("HTML report", `${(statSync(html).size / 1e6).toFixed(1)} MB`);
  for (const [what, ms] of Object.entries(best)) say(what, `${ms.toFixed(0)} ms`);
});

// Twice as many findings are to take twice as long: half of them causes, each of which one of the others names.
test("many findings of one target", async () => {
  const { document } = report("ems-connection/wrong-region");
  const [target] = document.targets;
  const one = (role) => target.findings.find((each) => each.role === role);
  const many = (finding, count, from) => Array.from({ length: count }, (_, i) => ({ ...finding,
    subject: { ...finding.subject, name: `c${i}` }, fingerprint: (from + i).toString(16).padStart(16, "0") }));
  const roles = [one("cause"), one("consequence")];
  for (const count of [5000, 20000]) {
    target.findings = [...many(roles[0], count / 2, 0), ...many(roles[1], count / 2, count)];
    const json = join(scratch, `many-${count}.json`);
    writeFileSync(json, JSON.stringify(document));
    for (const format of ["html", "markdown", "text"]) {
      const began = performance.now();
      debrief("report", json, "-o", `${format}=${join(scratch, "many")}`);
      say(`${count} findings of one target, ${format}`, `${(performance.now() - began).toFixed(0)} ms`);
    }
  }
});
