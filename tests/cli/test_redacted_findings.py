"""The same findings come from raw evidence and from what was redacted: cases of each section are checked as they are, from
a bundle, and with pseudonyms for all identities. $DEBRIEF_ALL_CASES: all of them, which takes a while."""
import concurrent.futures
import os

import harness
from harness import TOP, Case, debrief

PER_SECTION = 2

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


def findings(*arguments):
    report = debrief("check", *arguments, "-o", "json", "--fail-on", "never").report
    return sorted((one["id"], one["subject"]["kind"], one["subject"]["name"], one["severity"], one["role"], one["state"],
                   one["message"], one["fingerprint"]) for target in report["targets"] for one in target["findings"])


class Findings(Case):
    def compare(self, case):
        """What differs, as a list of lines."""
        work = self.dir / case.parent.parent.name / case.name
        work.mkdir(parents=True)
        evidence, pseudonyms = case / "evidence", ["--redact", "identities", "--redact-map", work / "map"]
        debrief("collect", evidence, "--bundle", work / "b")
        debrief("collect", evidence, "--bundle", work / "p", *pseudonyms)
        raw, shown = findings(evidence), findings(evidence, *pseudonyms)
        wrong = []
        if findings(work / "b") != raw:
            wrong.append("%s: its bundle gives other findings" % case)
        if findings(work / "p", *pseudonyms) != shown:
            wrong.append("%s: its bundle with pseudonyms gives other findings" % case)
        if sorted(row[0] + row[3] + row[4] for row in raw) != sorted(row[0] + row[3] + row[4] for row in shown):
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
                self.assertGreaterEqual(len(findings(evidence)), 4)
                self.assertEqual(self.compare(evidence.parent), [])

    def test_cases(self):
        todo = [case for case in cases() if str(case.relative_to(TOP / "plugins")) not in EXCEPTIONS]
        self.assertGreater(len(todo), 20)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [line for lines in pool.map(self.compare, todo) for line in lines]
        self.assertEqual(wrong, [])


harness.main()
