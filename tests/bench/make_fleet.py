"""make_fleet.py REPORT.json... --targets N --findings N > fleet.json: a report of many targets.

The findings are those of the reports given (real ones, made from recorded cases), spread over N targets with
names of their own: subject, message and proof name the target, as they would in a fleet. Deterministic.
"""
import argparse
import copy
import hashlib
import json
import sys

RANK = {"error": 0, "warning": 1, "info": 2}
WORDS = ["cart", "checkout", "search", "edge", "billing", "profile", "stock", "mail", "auth", "feed"]


def name_of(number):
    return f"{WORDS[number % len(WORDS)]}-{number // 10:04d}.prod.example:9901"


def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def renamed(finding, target, number):
    """The finding as TARGET has it: its own subject, fingerprint, message and proof."""
    new = copy.copy(finding)
    new["subject"] = {"kind": finding["subject"]["kind"], "name": f"{finding['subject']['name']}/{number}"}
    new["fingerprint"] = digest(finding["id"], new["subject"]["name"])[:32]
    new["message"] = f"{finding['message']} (on {target})"
    new["evidence"] = [dict(each, excerpt=f"{each['excerpt'][:120]} {number}",
                            sha256=digest(number, each["source"]))
                       for each in finding["evidence"][:2]]
    return new


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reports", nargs="+")
    parser.add_argument("--targets", type=int, default=10000)
    parser.add_argument("--findings", type=int, default=50000)
    options = parser.parse_args()
    reports = [json.load(open(path)) for path in options.reports]
    models = [target for report in reports for target in report["targets"]]
    findings = [finding for model in models for finding in model["findings"]]
    targets, used, ids = [], 0, sorted({finding["id"] for finding in findings})
    of_id = {finding["id"]: finding for finding in findings}
    for number in range(options.targets):
        name, model = name_of(number), models[number % len(models)]
        share = options.findings * (number + 1) // options.targets - used
        # Neighbours share most of their trouble: a fleet breaks in few ways at a time.
        mine = [of_id[ids[(number // 50 + i) % len(ids)]] for i in range(min(share, len(ids)))]
        mine.sort(key=lambda finding: (finding["role"] != "cause", RANK[finding["severity"]], finding["id"]))
        used += len(mine)
        rows = [dict(renamed(finding, name, number), rank=rank) for rank, finding in enumerate(mine, 1)]
        worst = {finding["severity"] for finding in mine}
        targets.append({
            "name": name, "verdict": "error" if "error" in worst else "warning" if "warning" in worst else "ok",
            "envoy": dict(model["envoy"], node=f"mesh/prod/virtualNode/{name.split('.')[0]}"), "findings": rows,
            "checks": [dict(check, elapsed_ms=number % 7) for check in model["checks"][:8]], "asks": model["asks"][:2],
            "sources": [dict(source, sha256=digest(number, source["name"]))
                        for source in model["sources"][:3]],
            "unrecognised": []})
    report = dict(reports[0], targets=targets)
    severities = [row["severity"] for target in targets for row in target["findings"]]
    report["summary"] = {"verdict": "error", "targets": len(targets), "errors": severities.count("error"),
                         "warnings": severities.count("warning"), "infos": severities.count("info"), "waived": 0,
                         "checks": reports[0]["summary"]["checks"]}
    sys.stdout.write(json.dumps(report, separators=(",", ":")))


if __name__ == "__main__":
    main()
