// One incident, looked at: narrow screens, paper, and what axe-core says of it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { objections, open, report, scratch } from "./browser.mjs";

const incident = report("certificates/self-signed");
const chain = report("ems-connection/tls-expired");
const several = report("certificates/self-signed", "grpc-codes/closed-7", "probes/healthy", "low-ports/low-port");
const unknown = report("traffic-capture/modprobe-alone");
const pages = [incident, chain, several, unknown];

test("no page scrolls sideways at 360 pixels, nor one that is all unfolded", async () => {
  for (const each of pages)
    await open(each.page, async (page) => {
      const width = () => page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(await width(), 360);
      await page.evaluate(() => { for (const details of document.querySelectorAll("details")) details.open = true; });
      assert.equal(await width(), 360);
    }, { viewport: { width: 360, height: 740 } });
});

test("the pictures fit the screen and can be read", async () => {
  for (const width of [360, 1200])
    await open(chain.page, async (page) => {
      const pictures = page.locator(".picture svg:visible");
      assert.equal(await pictures.count(), 2);
      for (const picture of await pictures.all()) {
        const { height, viewBox } = await picture.evaluate((svg) => ({ height: svg.getBoundingClientRect().height, viewBox: svg.viewBox.baseVal.height }));
        assert.ok(height / viewBox > 0.85, "drawn smaller than it was meant to be");
      }
      const cause = chain.document.targets[0].findings[0];
      await page.locator(`.picture svg:visible a[href="#finding-${cause.fingerprint}"]`).first().click();
      await page.locator(`#finding-${cause.fingerprint}.hit`).waitFor();
    }, { viewport: { width, height: 740 } });
});

const textOf = (pdf) => execFileSync("pdftotext", ["-layout", pdf, "-"], { encoding: "utf8" });

test("the printed page holds what is folded on the screen, and no controls", async () => {
  for (const javaScriptEnabled of [true, false])
    await open(incident.page, async (page) => {
      const path = join(scratch, `print-${javaScriptEnabled}.pdf`);
      await page.pdf({ path, format: "A4" });
      const text = textOf(path).replace(/\s+/g, " ");
      const [target] = incident.document.targets;
      const follower = target.findings.find((each) => each.role === "consequence");
      for (const part of [follower.id, follower.fingerprint, target.sources[0].sha256.slice(0, 20), incident.document.tool.plugins[0].name,
        target.checks.find((check) => check.outcome === "skip").reason.slice(0, 30)])
        assert.ok(text.includes(part), `${part} (with scripts: ${javaScriptEnabled})`);
      assert.ok(!/\bCopy\b|Filter findings/.test(text));
      assert.ok(statSync(path).size > 20000);
    }, { javaScriptEnabled });
});

test("axe-core has nothing to object to", async () => {
  for (const [each, colorScheme] of [[incident, "light"], [incident, "dark"], [several, "light"], [unknown, "light"]])
    await open(each.page, async (page) => {
      assert.deepEqual(await objections(page), [], `${each.page} ${colorScheme}`);
    }, { colorScheme });
  await open(chain.page, async (page) => {
    await page.evaluate(() => { for (const details of document.querySelectorAll("details")) details.open = true; });
    assert.deepEqual(await objections(page), []);
  }, { viewport: { width: 360, height: 740 } });
});
