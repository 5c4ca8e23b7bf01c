#!/usr/bin/env python3
"""Tests of the judge: check_state.py and citations.py against tiny reports made by hand."""
import copy
import io
import json
import os
import tarfile
import tempfile
import unittest
from contextlib import redirect_stdout
from unittest import mock

import check_state
import citations

VERSION = "1.40.0"
CLOSED = "gRPC config stream to management_server closed: 7, no arn:aws:x{via_upstream}"
LOG = "[start]\n[2026-11-21][warning] %s\n" % CLOSED
STATS = "control_plane.connected_state: 0\ncluster_manager.cds.update_attempt: 5\n"
DUMP = json.dumps({"configs": [{"name": "ingress", "details": "cannot bind"}]})

FINDING = {
    "id": "grpc-codes.permission-denied", "severity": "error", "role": "cause", "rank": 1,
    "subject": {"kind": "xds-server", "name": "management_server"},
    "evidence": [{"source": "log/envoy.log", "locator": "line 2", "excerpt": CLOSED}]}
CONSEQUENCE = {
    "id": "probes.pre-initializing", "severity": "error", "role": "consequence", "rank": 2,
    "subject": {"kind": "proxy", "name": "x"}, "evidence": []}
UNTOLD = dict(FINDING, id="ems-connection.not-connected", candidates=[{"id": "ems-connection.refused"}])


class Citations(unittest.TestCase):
    """Does an excerpt stand where it says?"""

    @staticmethod
    def _problem(locator, excerpt, text=LOG):
        return citations.problem({"source": "s", "locator": locator, "excerpt": excerpt}, lambda _: text)

    def test_standing(self):
        """Lines, redacted and shortened lines, statistics, pointers, words in any order."""
        for locator, excerpt, text in (
                ("line 2", CLOSED, LOG), ("line 2", CLOSED[:30] + "...", LOG),
                ("line 2", CLOSED.replace("arn:aws:x", "[redacted:arn]"), LOG),
                ("control_plane.connected_state", "control_plane.connected_state: 0", STATS),
                ("/configs/0/details", "cannot bind", DUMP),
                ("/configs/0", '{"details":"cannot bind","name":"ingress"}', DUMP),
                ("/configs/0", "type: listener, name: ingress, state: rejected", DUMP),
                ("whole document", '"state": "LIVE"', '{"version": "1",\n "state": "LIVE"}')):
            self.assertIsNone(self._problem(locator, excerpt, text), (locator, excerpt))

    def test_not_standing(self):
        """Wrong line, wrong value, no such place, nothing said."""
        for locator, excerpt, text in (
                ("line 1", CLOSED, LOG), ("line 9", CLOSED, LOG), ("line 2", CLOSED.replace("7", "16"), LOG),
                ("control_plane.connected_state", "control_plane.connected_state: 1", STATS),
                ("/configs/1", "ingress", DUMP), ("/configs/0", "egress", DUMP),
                ("/configs/0", "type: listener, name: egress, state: rejected", DUMP), ("line 2", "...", LOG),
                ("whole document", "DRAINING", "{}"), ("line 2", "", LOG)):
            self.assertIsNotNone(self._problem(locator, excerpt, text), (locator, excerpt))

    def test_no_source(self):
        """A source that is not there."""
        self.assertIn("no source", citations.problem(FINDING["evidence"][0], lambda _: None))


class States(unittest.TestCase):
    """Reports that must pass, and each way in which one must not."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.out = scratch.name

    def _judge(self, state, findings, status=3, asks=(), change=None, meta=None):
        """The judge's status for these findings, the same in all three reports unless `change` alters them."""
        folder = os.path.join(self.out, VERSION, state)
        os.makedirs(os.path.join(folder, "evidence/log"))
        os.makedirs(os.path.join(folder, "reports"))
        self._write(folder, "evidence/log/envoy.log", LOG)
        reports = {name: {"schema": "debrief.report/1", "targets": [
            {"findings": copy.deepcopy(list(findings)), "asks": list(asks)}]} for name in check_state.REPORTS}
        runs = [{"name": name, "arguments": ["check"], "status": 0 if name == "collect" else status, "stderr": ""}
                for name in check_state.REPORTS + ("collect",)]
        if change:
            change(reports, runs)
        for name, report in reports.items():
            self._write(folder, "reports/%s.json" % name, json.dumps(report))
        self._write(folder, "reports/runs.json", json.dumps(runs))
        self._write(folder, "meta.json", json.dumps(meta or {}))
        with tarfile.open(os.path.join(folder, "reports/bundle.tar.gz"), "w:gz") as bundle:
            bundle.add(os.path.join(folder, "evidence/log"), "debrief-x/log")
        said = io.StringIO()
        with redirect_stdout(said), mock.patch("sys.argv", ["check_state.py", self.out, VERSION, state]):
            return check_state.main(), said.getvalue()

    @staticmethod
    def _write(folder, name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as target:
            target.write(text)

    def _fails(self, part, *args, **options):
        status, said = self._judge(*args, **options)
        self.assertEqual(status, 1, said)
        self.assertIn(part, said)

    def test_right(self):
        """The expected cause, with a consequence."""
        self.assertEqual(self._judge("closed-7", [FINDING, CONSEQUENCE]), (0, ""))

    def test_healthy(self):
        """Info alone is healthy."""
        info = dict(FINDING, severity="info", role="note")
        self.assertEqual(self._judge("healthy", [info], status=0), (0, ""))

    def test_false_alarm(self):
        """A healthy proxy with a warning."""
        self._fails("is healthy", "healthy", [dict(FINDING, severity="warning")], status=0)

    def test_wrong_id(self):
        """Another cause first."""
        self._fails("expected grpc-codes", "closed-7", [dict(CONSEQUENCE, rank=1), dict(FINDING, rank=2)])

    def test_role(self):
        """The right id, but as a consequence."""
        self._fails("no cause", "closed-7", [dict(FINDING, role="consequence")])

    def test_status(self):
        """The right report with the wrong exit status."""
        self._fails("expected 3", "closed-7", [FINDING], status=0)

    def test_citation(self):
        """A citation that does not stand."""
        wrong = dict(FINDING["evidence"][0], locator="line 1")
        self._fails("no citation", "closed-7", [dict(FINDING, evidence=[wrong])])

    def test_bundle_differs(self):
        """The bundle loses a finding."""
        def change(reports, _):
            reports["bundle"]["targets"][0]["findings"].pop()
        self._fails("only live", "closed-7", [FINDING, CONSEQUENCE], change=change)

    def test_untold(self):
        """A cause that cannot be told: candidates and an ask."""
        self.assertEqual(self._judge("refused-google", [UNTOLD], asks=[{"evidence": "probe"}]), (0, ""))

    def test_no_ask(self):
        """Cannot tell, and asks nothing."""
        self._fails("nothing is asked", "refused-google", [UNTOLD])

    def test_claims_too_much(self):
        """A specific cause where the evidence has none."""
        claim = dict(CONSEQUENCE, id="ems-connection.refused")
        self._fails("cannot tell", "refused-google", [UNTOLD, claim], asks=[{"evidence": "probe"}])

    def test_skipped(self):
        """A state that this machine cannot play."""
        status, said = self._judge("closed-7", [], meta={"skipped": "no namespaces"})
        self.assertEqual(status, check_state.SKIPPED, said)


if __name__ == "__main__":
    unittest.main()
