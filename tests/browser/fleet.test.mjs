// A fleet of 10,000 targets and 50,000 findings: opened, filtered, looked into. Its times are tests/bench's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { openSync, closeSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { TOP, debrief, objections, open, report, scratch } from "./browser.mjs";

const CASES = ["certificates/self-signed", "grpc-codes/closed-7", "low-ports/low-port", "ems-connection/tls-expired", "config-rejected/constraint",
  "envoy-image/jaeger-old-image", "image-pull/plain-http", "lb-health/local-policy", "probes/draining"];
const fleet = join(scratch, "fleet.html");
let targets;

before(() => {
  const json = join(scratch, "fleet.json");
  const out = openSync(json, "w");
  execFileSync("python3", [join(TOP, "tests/bench/make_fleet.py"), ...CASES.map((each) => report(each).json)], { stdio: ["ignore", out, "inherit"] });
  closeSync(out);
  debrief("report", json, "-o", `html=${fleet}`);
  targets = JSON.parse(readFileSync(json, "utf8")).targets;
});

const said = (page) => page.locator(".filter output").textContent();
const number = (count) => count.toLocaleString("en");

test("the page of 10,000 targets is below 25 MB and holds them all", async () => {
  assert.equal(targets.length, 10000);
  const all = targets.flatMap((target) => target.findings);
  assert.equal(all.length, 50000);
  assert.ok(statSync(fleet).size < 25 << 20, `${statSync(fleet).size} bytes`);
  await open(fleet, async (page) => {
    assert.equal(await said(page), "50,000 findings of 50,000, 10,000 targets");
    assert.ok(await page.locator(".row").count() < 60);
    const ids = [...new Set(all.map((each) => each.id))];
    assert.equal(await page.locator(".grid").getAttribute("aria-rowcount"), String(ids.length));

    const { name, findings } = targets[4242];
    await page.fill(".filter input[type=search]", name);
    assert.equal(await said(page), `${findings.length} findings of 50,000, 1 target`);
    await page.selectOption("select[name=order]", "target");
    assert.ok((await page.locator(".row.head b").allTextContents()).includes(name));
    await page.fill(".filter input[type=search]", "");

    const errors = all.filter((each) => each.severity === "error");
    await page.uncheck(".filter input[value=warning]");
    await page.uncheck(".filter input[value=note]");
    assert.match(await said(page), new RegExp(`^${number(errors.length)} findings`));
    await page.selectOption("select[name=section]", "low-ports");
    assert.match(await said(page), new RegExp(`^${number(errors.filter((each) => each.id.startsWith("low-ports.")).length)} findings`));
    await page.keyboard.press("Escape");
    await page.selectOption("select[name=finding]", ids[0]);
    assert.match(await said(page), new RegExp(`^${number(all.filter((each) => each.id === ids[0]).length)} findings`));
  });
});

test("a group opens, the last of its rows can be reached, a target shows its details", () => open(fleet, async (page) => {
  const group = page.locator(".row.head .expand").first();
  await group.click();
  assert.equal(await page.locator(".row.head .expand").first().getAttribute("aria-expanded"), "true");
  await page.locator(".row .about").click();
  assert.ok(await page.locator(".details .steps li, .details .message").count() > 0);
  await page.selectOption("select[name=order]", "target");
  await page.locator(".grid").evaluate((grid) => { grid.scrollTop = grid.scrollHeight; });
  await page.locator(`.row[aria-rowindex="10000"]`).waitFor();
  await page.locator(`.row[aria-rowindex="10000"] .show`).click();
  const name = await page.locator(`.row[aria-rowindex="10000"] b`).textContent();
  const target = targets.find((each) => each.name === name);
  assert.ok((await page.locator(".details h2").textContent()).includes(name));
  assert.deepEqual(await page.locator(".details .finding .message").allTextContents(), target.findings.map((each) => each.message));
  await page.keyboard.press("j");
  assert.match(await page.evaluate(() => document.activeElement.id), /^finding-/);
}));

test("what does not fit is left out, and the page says what", () => open(fleet, async (page) => {
  assert.match(await page.locator("#explore > p.quiet").textContent(), /leaves out sources, timelines, and proofs beyond the first [\d,]+ targets/);
  await page.selectOption("select[name=order]", "target");
  await page.fill(".filter input[type=search]", targets[9999].name);
  await page.locator(".row .show").click();
  assert.match(await page.locator(".details").textContent(), /The proof is in the JSON report/);
  await page.fill(".filter input[type=search]", targets[0].name);
  await page.locator(".row .show").click();
  const [proof] = targets[0].findings[0].evidence;
  assert.ok((await page.locator(".details .proof pre").allTextContents()).includes(proof.excerpt));
}));

test("deep links lead into a fleet", async () => {
  const { name, findings } = targets[7777];
  await open(fleet, async (page) => {
    await page.locator(".details .finding.hit").waitFor();
    assert.equal(await page.locator(".details .finding.hit .message").textContent(), findings[2].message);
    assert.ok((await page.locator(".details h2").textContent()).includes(name));
    await page.evaluate(() => { location.hash = "#target-1"; });
    await page.locator(".details h2", { hasText: targets[0].name }).waitFor();
  }, { hash: `#finding-${findings[2].fingerprint}` });
});

test("axe-core has nothing to object to, nor a narrow screen or paper", () => open(fleet, async (page) => {
  await page.locator(".row.head .expand").first().click();
  await page.locator(".row .leaf:not(.about)").first().click();
  assert.deepEqual(await objections(page), []);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await page.emulateMedia({ media: "print" });
  assert.ok(await page.locator(".groups .group").first().isVisible());
  assert.ok(!await page.locator(".grid").isVisible());
}));

test("without scripts a fleet shows what is wrong, by finding", () => open(fleet, async (page) => {
  const ids = new Set(targets.flatMap((target) => target.findings.map((each) => each.id)));
  assert.equal(await page.locator(".group").count(), ids.size);
  assert.match(await page.locator("noscript").textContent(), /needs JavaScript/);
}, { javaScriptEnabled: false }));
