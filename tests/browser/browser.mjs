// What the tests of the HTML report share: reports of recorded cases, a Chromium, and what a page must never do.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

export const TOP = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const PROGRAM = resolve(process.env.DEBRIEF || join(TOP, "build/debrief"));
const CACHE = process.env.DEBRIEF_TEST_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "debrief-test");
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

// Ubuntu's chromium-browser is a stub that asks for a snap: only one that answers counts. tests/browser/fetch
// brings one where there is none.
function findChromium() {
  const places = [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome", join(CACHE, "browser", "chromium")];
  for (const name of places.filter((each) => each)) {
    const path = spawnSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).stdout.trim();
    if (path && /^(Google )?Chrom/m.test(spawnSync(path, ["--headless", "--version"], { encoding: "utf8" }).stdout || "")) return path;
  }
  console.log("skipped: no Chromium here (install the package chromium, or run tests/browser/fetch on x86_64)");
  process.exit(77);
}

const executablePath = findChromium();
const require = createRequire(join(CACHE, "browser", "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const scratch = mkdtempSync(join(tmpdir(), "debrief-browser-"));
let browser;
before(async () => { browser = await chromium.launch({ executablePath, args: ARGUMENTS }); });
after(async () => {
  if (browser) await browser.close();
  rmSync(scratch, { recursive: true, force: true });
});

// Status 1 is a target that could not be judged: it has a report all the same.
export function debrief(...options) {
  const done = spawnSync(PROGRAM, [...options, "--fail-on", "never"], {
    cwd: TOP, encoding: "utf8", env: { ...process.env, LANG: "C.UTF-8", DEBRIEF_NOW: "2026-11-21T08:00:00Z" },
  });
  if (done.error || done.status > 1 || done.stderr) throw new Error(`debrief ${options.join(" ")}: ${done.status} ${done.error || done.stderr}`);
}

const evidence = (name) => `plugins/${name.replace("/", "/cases/")}/evidence`;

// The page and the document of recorded cases ("SECTION/CASE"), each made once.
export function report(...cases) {
  const stem = join(scratch, cases.join("+").replaceAll("/", "-"));
  if (!existsSync(`${stem}.html`))
    debrief("check", ...cases.map(evidence), "-o", `json=${stem}.json`, "-o", `html=${stem}.html`);
  return { page: `${stem}.html`, json: `${stem}.json`, document: JSON.parse(readFileSync(`${stem}.json`, "utf8")) };
}

// The page of a document that a test has made or changed.
export function render(name, document) {
  const stem = join(scratch, name);
  writeFileSync(`${stem}.json`, Buffer.isBuffer(document) ? document : JSON.stringify(document));
  debrief("report", `${stem}.json`, "-o", `html=${stem}.html`);
  return `${stem}.html`;
}

// Opens a page and hands it to USE; afterwards nothing may have left it, failed in it or met its policy.
export async function open(path, use, { hash = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, reducedMotion: "reduce", ...options });
  const troubles = [];
  context.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) troubles.push(`asked for ${request.url()}`);
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => { if (message.type() !== "log") troubles.push(`console: ${message.text()}`); });
  page.on("dialog", (dialog) => { troubles.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  if (options.javaScriptEnabled !== false)
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
  let failure;
  try {
    await page.goto(pathToFileURL(path).href + hash);
    await use(page, context);
    await page.waitForTimeout(50);
  } catch (error) {
    failure = error;
  }
  await context.close();
  if (troubles.length) throw new Error(troubles.join("\n"), { cause: failure });
  if (failure) throw failure;
}

// What axe-core objects to, of any impact.
export async function objections(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  return violations.map((each) => `${each.impact} ${each.id}: ${each.nodes.slice(0, 3).map((node) => node.html.slice(0, 150)).join(" | ")}`);
}
