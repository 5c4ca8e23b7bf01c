"""The same findings come from raw evidence and from what was redacted: cases of each section are checked as they are, from
a bundle, and with pseudonyms for all identities. $DEBRIEF_ALL_CASES: all of them, a few minutes."""
import concurrent.futures
import os

import harness
from harness import TOP, Case, debrief

PER_SECTION = 2
BATCH = 20   # cases in one run

# Cases whose findings differ under pseudonyms, and why that cannot be helped.
EXCEPTIONS = {
    # Names within a certificate (PEM, base64) stay, those outside of it are pseudonyms: they no longer fit each other.
    "ems-connection/cases/by-hand-untrusted",
    "ems-connection/cases/by-hand-proxy-clock",
}


def cases():
    for section in sorted((TOP / "plugins").iterdir()):
        found = sorted(case for case in section.glob("cases/*") if (case / "evidence").exists())
        if os.environ.get("DEBRIEF_ALL_CASES"):
            yield from found
        elif found:
            yield from found[len(found) // (2 * PER_SECTION)::max(1, len(found) // PER_SECTION)][:PER_SECTION]


def findings(targets, *options):
    """Of each target, in their order; in one run, since most of what a run costs is its start."""
    report = debrief("check", *targets, *options, "-o", "json", "--fail-on", "never").report
    return [sorted((one["id"], one["subject"]["kind"], one["subject"]["name"], one["severity"], one["role"], one["state"],
                    one["message"], one["fingerprint"]) for one in target["findings"]) for target in report["targets"]]


def identity_free(found):
    return sorted(row[0] + row[3] + row[4] for row in found)


class Findings(Case):
    def compare(self, batch):
        """What differs, as a list of lines."""
        work = self.dir / str(batch[0])
        work.mkdir()
        cases, evidence = batch[1], [case / "evidence" for case in batch[1]]
        pseudonyms = ["--redact", "identities", "--redact-map", work / "map"]
        for i, one in enumerate(evidence):
            debrief("collect", one, "--bundle", work / ("b%d" % i))
            debrief("collect", one, "--bundle", work / ("p%d" % i), *pseudonyms)
        raw, shown = findings(evidence), findings(evidence, *pseudonyms)
        bundled = findings([work / ("b%d" % i) for i in range(len(cases))])
        hidden = findings([work / ("p%d" % i) for i in range(len(cases))], *pseudonyms)
        wrong = []
        for found in (raw, shown, bundled, hidden):
            if len(found) != len(cases):
                wrong.append("%s: %d targets of %d" % (cases[0], len(found), len(cases)))
        for case, a, b, c, d in zip(cases, raw, shown, bundled, hidden):
            if c != a:
                wrong.append("%s: its bundle gives other findings" % case)
            if d != b:
                wrong.append("%s: its bundle with pseudonyms gives other findings" % case)
            if identity_free(a) != identity_free(b):
                wrong.append("%s: pseudonyms change the findings" % case)
        return wrong

    def test_names_of_statistics(self):
        """Addresses with underscores, and names within names: the ones that checks compare and show."""
        server = "server.live: 1\nserver.state: 0\nserver.uptime: 3600\n"
        listener = "listener.%s.no_filter_chain_match: 7\nlistener.%s.downstream_cx_total: 7\n"
        cluster = "cluster.%s.upstream_cx_connect_fail: 5\ncluster.%s.upstream_cx_total: 5\n"
        log = ("[2026-11-21 07:59:00.000][1][warning][config] [x.cc:1] %s of okapi.kiwi.svc.cluster.local, account "
               "4815-1623-4299, arn:aws:iam::481516234299:role/ZebraTaskRole\n")
        for name, addresses, clusters in (
                ("six", ["[2a05_d018__1f]_8443", "[::ffff_ac13_2c17]_8444"], ["okapiService", "outbound|80||okapi"]),
                ("four", ["172_19_44_23_8443", "172.19.44.23_8444"], ["zebrabackend", "ZEBRAPROD"])):
            evidence = self.dir / "section" / "cases" / name / "evidence"
            evidence.mkdir(parents=True)
            (evidence / "stats.txt").write_text(server + "".join(listener % (each, each) for each in addresses) +
                                                "".join(cluster % (each, each) for each in clusters))
            (evidence / "envoy.log").write_text(log % "[2a05:d018::1f]:8443 and 172.19.44.23")
            with self.subTest(name):
                self.assertGreaterEqual(len(findings([evidence])[0]), 4)
                self.assertEqual(self.compare((name, [evidence.parent])), [])

    def test_cases(self):
        todo = [case for case in cases() if str(case.relative_to(TOP / "plugins")) not in EXCEPTIONS]
        self.assertGreater(len(todo), 20)
        batches = [(i, todo[i:i + BATCH]) for i in range(0, len(todo), BATCH)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [line for lines in pool.map(self.compare, batches) for line in lines]
        self.assertEqual(wrong, [])


harness.main()
