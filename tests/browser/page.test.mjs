// One incident, used: filter, deep links, copying, keys, light and dark, no script at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, render, report } from "./browser.mjs";

const incident = report("certificates/self-signed");
const several = report("certificates/self-signed", "grpc-codes/closed-7", "probes/healthy", "low-ports/low-port");
const shown = (page) => page.locator("article.finding:not([hidden])").evaluateAll((all) =>
  all.filter((each) => !each.closest("[hidden]")).map((each) => each.querySelector(".tags code").textContent));
const said = (page) => page.locator(".filter output").textContent();
const findings = (document) => document.targets.flatMap((target) => target.findings);

test("the answer stands on top", () => open(incident.page, async (page) => {
  const cause = findings(incident.document)[0];
  const answer = page.locator(".answer");
  assert.equal(await answer.locator(".what").textContent(), cause.message);
  assert.match(await answer.locator(".todo").first().textContent(), new RegExp(cause.fix[0].text));
  assert.equal(await answer.locator(".todo pre").first().textContent(), cause.fix[0].command);
  assert.ok((await answer.locator(".reason pre").textContent()).startsWith(cause.evidence[0].excerpt.slice(0, 100)));
  assert.ok((await answer.boundingBox()).y < 150);
}));

test("a healthy proxy: how much was judged", () => open(report("probes/healthy").page, async (page) => {
  assert.match(await page.locator(".answer .what").textContent(), /^nothing wrong found/);
  const counts = [...(await page.locator("main").textContent()).matchAll(/\d+ of \d+ checks/g)].map(([each]) => each);
  assert.equal(counts.length, 2);
  assert.equal(counts[0], counts[1]);
}));

test("filter by text, severity, section and target, with a count", () => open(several.page, async (page) => {
  const all = findings(several.document);
  assert.equal((await shown(page)).length, all.length);
  assert.equal(await said(page), `${all.length} findings`);

  const word = all.find((each) => each.id.startsWith("grpc-codes.")).id;
  await page.fill(".filter input[type=search]", word);
  assert.ok((await shown(page)).includes(word));
  assert.match(await said(page), new RegExp(`^\\d+ of ${all.length} findings$`));
  assert.equal(await page.locator("section.target:not([hidden])").count(), 1);
  assert.equal(await page.locator(".targets tr[data-target]:not([hidden])").count(), 1);
  await page.fill(".filter input[type=search]", "no such words anywhere");
  assert.deepEqual(await shown(page), []);
  await page.locator(".filter input[type=search]").press("Escape");
  assert.equal((await shown(page)).length, all.length);

  await page.selectOption(".filter select[name=section]", "certificates");
  assert.match(await said(page), new RegExp(`^${all.filter((each) => each.id.startsWith("certificates.")).length} of`));
  await page.selectOption(".filter select[name=section]", "");
  await page.selectOption(".filter select[name=target]", "2");
  assert.deepEqual(await shown(page), several.document.targets[1].findings.map((each) => each.id));
  await page.selectOption(".filter select[name=target]", "");

  const kinds = { error: "error", warning: "warning", info: "note" };
  await page.uncheck(".filter input[value=error]");
  assert.match(await said(page), new RegExp(`^${all.filter((each) => kinds[each.severity] !== "error").length} of`));
}));

test("a deep link opens what is folded and highlights it", async () => {
  const follower = findings(incident.document).find((each) => each.role === "consequence");
  const name = `#finding-${follower.fingerprint}`;
  const check = async (page) => {
    const article = page.locator(name);
    await article.waitFor({ state: "visible" });
    assert.match(await article.getAttribute("class"), /\bhit\b/);
    assert.ok((await page.evaluate(() => document.activeElement.id)) === name.slice(1));
    await page.waitForFunction((id) => { const { top } = document.querySelector(id).getBoundingClientRect(); return top > -5 && top < innerHeight; }, name);
  };
  await open(incident.page, check, { hash: name });
  await open(incident.page, async (page) => {
    assert.ok(!await page.locator(name).isVisible());
    await page.fill(".filter input[type=search]", "no such words anywhere");
    await page.evaluate((hash) => { location.hash = hash; }, name);
    await check(page);
  });
});

test("a link that cannot be decoded leads nowhere", () => open(incident.page, async (page) => {
  assert.ok(await page.locator(".answer").isVisible());
  assert.equal(await page.locator(".hit").count(), 0);
}, { hash: "#finding-%E0%A4" }));

test("every link within the page has its end", async () => {
  for (const each of [incident, several])
    await open(each.page, async (page) => {
      const broken = await page.evaluate(() => [...document.querySelectorAll('a[href^="#"]')]
        .filter((link) => !document.getElementById(link.getAttribute("href").slice(1))).map((link) => link.outerHTML));
      assert.deepEqual(broken, []);
      const twice = await page.evaluate(() => { const ids = [...document.querySelectorAll("[id]")].map((one) => one.id); return ids.filter((id, at) => ids.indexOf(id) !== at); });
      assert.deepEqual(twice, []);
    });
});

test("copying puts the command into the clipboard", () => open(incident.page, async (page) => {
  const command = findings(incident.document)[0].fix[0].command;
  await page.locator(".answer .code button").first().click();
  await page.locator(".said", { hasText: "Copied the command" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), command);
}, { permissions: ["clipboard-read", "clipboard-write"] }));

test("only what can be run as it stands is offered for copying", () => {
  const document = structuredClone(incident.document);
  const ask = (how) => ({ evidence: "log/envoy.log", why: "it tells", how });
  document.targets[0].asks = [ask("give the Envoy log with --evidence FILE"), ask("kubectl logs POD, docker logs NAME, or aws logs tail GROUP, into envoy.log"),
    ask("debrief check k8s:shop/cart (the pod), or kubectl logs cart > envoy.log; or: paste it into a file; or: debrief check k8s:shop/cart (the pod)"),
    ask("curl -s http://127.0.0.1:9901/stats; then --evidence for it")];
  return open(render("asks", document), async (page) => {
    const asks = page.locator(".asks > li");
    assert.equal(await asks.count(), 4);
    assert.deepEqual(await page.locator(".asks pre").evaluateAll((all) => all.map((each) => each.textContent)),
      ["debrief check k8s:shop/cart", "kubectl logs cart > envoy.log"]);
    assert.equal(await page.locator(".asks button").count(), 2);
    assert.equal(await asks.nth(0).locator(".how").textContent(), "give the Envoy log with --evidence FILE");
    assert.match(await asks.nth(2).textContent(), /\(the pod\).*or.*or: paste it into a file$/);
  });
});

test("boxes of the picture that say the same are told apart, and many are one", () => {
  const document = structuredClone(report("probes/live-unconfigured").document);
  const target = document.targets[0];
  const boxes = async (page) => page.locator("svg.for-wide .node").evaluateAll((all) => all.map((each) => each.textContent.trim()));
  return open(render("twins", document), async (page) => {
    const texts = await boxes(page);
    assert.equal(texts.length, 4);
    assert.equal(new Set(texts).size, 4);
    const twin = target.findings.find((each) => each.id === "config-rejected.fetch-timed-out");
    for (let i = 0; i < 40; i++) target.findings.push({ ...twin, subject: { ...twin.subject, name: `type ${i}` }, fingerprint: `${i}` });
    await open(render("crowd", document), async (crowd) => {
      const many = await boxes(crowd);
      assert.equal(many.length, 3);
      assert.equal(many.filter((each) => each.includes("42 findings")).length, 1);
      assert.doesNotMatch(await crowd.locator("figcaption").first().textContent(), /not drawn/);
    });
  });
});

test("a candidate that is the finding itself is no rival", () => {
  const document = structuredClone(incident.document);
  const finding = document.targets[0].findings[0];
  finding.candidates = [{ id: finding.id, for: ["the server says so"], against: [] }];
  return open(render("own", document), async (page) => {
    const text = await page.locator("article.finding").first().evaluate((each) => {
      each.querySelector(".follows").remove();
      return each.textContent;
    });
    assert.match(text, /Why this cause\s*speaks for it: the server says so/);
    assert.doesNotMatch(text, /Possible causes/);
  });
});

test("copying works where the clipboard is closed to pages", () => open(incident.page, async (page) => {
  const command = findings(incident.document)[0].fix[0].command;
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error("closed")); });
  await page.locator(".answer .code button").first().click();
  await page.locator(".said", { hasText: "Copied" }).waitFor();
  await page.focus(".filter input[type=search]");
  await page.keyboard.press("Control+V");
  assert.equal(await page.inputValue(".filter input[type=search]"), command);
}, { permissions: ["clipboard-read", "clipboard-write"] }));

test("the keyboard: / j k c ? Esc", () => open(incident.page, async (page) => {
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.name);
  const ids = await page.locator("article.finding").evaluateAll((all) => all.map((each) => each.id));
  await page.keyboard.press("/");
  assert.equal(await focused(), "text");
  await page.keyboard.type("j");
  assert.equal(await page.inputValue("input[name=text]"), "j");
  await page.keyboard.press("Escape");
  assert.equal(await page.inputValue("input[name=text]"), "");
  await page.keyboard.press("j");
  assert.equal(await focused(), ids[0]);
  await page.keyboard.press("j");
  assert.equal(await focused(), ids[1]);
  assert.ok(await page.locator(`#${ids[1]}`).isVisible());
  await page.keyboard.press("k");
  assert.equal(await focused(), ids[0]);
  await page.keyboard.press("c");
  await page.locator(".said", { hasText: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), findings(incident.document)[0].fix[0].command);
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog[open]").isVisible());
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
}, { permissions: ["clipboard-read", "clipboard-write"] }));

test("light and dark, by the system and by the button", async () => {
  const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await open(incident.page, async (page) => {
    const light = await paper(page);
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await paper(page);
    assert.notEqual(light, dark);
    await page.getByRole("button", { name: "Light colours" }).click();
    assert.equal(await paper(page), light);
    await page.getByRole("button", { name: "Dark colours" }).click();
    assert.equal(await paper(page), dark);
  });
});

test("without scripts everything can be read and nothing is offered that does not work", () => open(incident.page, async (page) => {
  const text = await page.locator("body").textContent();
  for (const finding of findings(incident.document)) {
    assert.ok(text.includes(finding.message));
    for (const proof of finding.evidence) assert.ok(text.includes(proof.source));
    for (const step of finding.fix) assert.ok(text.includes(step.command || step.text));
  }
  for (const check of incident.document.targets[0].checks) assert.ok(text.includes(check.id));
  assert.equal(await page.locator("button, input, select").count(), 0);
  await page.locator(".follows > summary").first().click();
  assert.ok(await page.locator(".follows .finding").first().isVisible());
}, { javaScriptEnabled: false }));

test("waivers, baseline, policy, walks and removals are shown", () => {
  const document = structuredClone(incident.document);
  const waiver = { finding: "certificates.*", target: "*", reason: "known until the rotation", owner: "mesh team", expires: "2026-12-01", state: "active" };
  const [target] = document.targets;
  target.findings[0].waiver = waiver;
  target.findings[1].waiver = { ...waiver, state: "expired" };
  target.findings[1].severity_was = "warning";
  target.findings[1].baseline = "worse";
  target.redactions = [{ source: "log/envoy.log", kind: "bearer-token", count: 3 }];
  target.walks = [{ request: "GET http://shop.example.com/cart", ends: "refused", status: 503, flag: "NR", check: "upstreams", depends: "the header x-canary",
    hops: [{ kind: "listener", name: "ingress", why: "it is bound to port 80" }, { kind: "route", name: "cart", why: "no route matches", broke: true }] }];
  document.policy = { config: { path: "debrief.yaml", sha256: "0".repeat(64) }, waivers: [{ ...waiver, findings: 2 }] };
  return open(render("policy", document), async (page) => {
    const text = await page.locator("main").innerText();
    for (const each of ["Waived: known until the rotation", "owner mesh team, until 2026-12-01", "The waiver has expired", "warning by the check",
      "worse since the baseline", "3 of kind bearer-token from log/envoy.log", "GET http://shop.example.com/cart", "breaks here", "no route matches",
      "status 503", "response flag NR", "the header x-canary", "debrief.yaml"])
      assert.ok(text.includes(each), each);
    assert.equal(await page.locator(".finding.is-waived").count(), 1);
    assert.notEqual(await page.locator(".answer .what").textContent(), target.findings[0].message);
  });
});
