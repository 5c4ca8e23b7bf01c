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

    def test_cases(self):
        todo = [case for case in cases() if str(case.relative_to(TOP / "plugins")) not in EXCEPTIONS]
        self.assertGreater(len(todo), 20)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [line for lines in pool.map(self.compare, todo) for line in lines]
        self.assertEqual(wrong, [])


harness.main()
