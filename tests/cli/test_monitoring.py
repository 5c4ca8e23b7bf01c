"""Formats of monitoring systems: Prometheus' text, plugins of Nagios and Icinga, JSON lines."""
import getpass
import grp
import json
import os
import subprocess
import time

import consumers
import harness
from harness import Case, debrief


@consumers.needs("promtool")
@consumers.needs_venv
class Prometheus(Case):
    def samples(self, path):
        return consumers.open_prometheus(consumers.render(path, "prometheus"))

    def test_real_evidence(self):
        report = json.loads(consumers.real_report().read_text())
        found = {}
        for name, labels, value in self.samples(consumers.real_report()):
            found.setdefault(name, []).append((labels, value))
        verdicts = {labels["target"]: value for labels, value in found["debrief_target_verdict"]}
        self.assertEqual(verdicts, {t["name"]: ["ok", "warning", "error", "unknown"].index(t["verdict"])
                                    for t in report["targets"]})
        outcomes = {(l["target"], l["check"]): l["outcome"] for l, _ in found["debrief_check_outcome"]}
        self.assertEqual(outcomes, {(t["name"], c["id"]): c["outcome"] for t in report["targets"] for c in t["checks"]})
        findings = sorted((l["target"], l["id"], l["severity"], l["role"], l["subject"], l["waived"])
                          for l, _ in found["debrief_finding"])
        self.assertEqual(findings, sorted((t["name"], f["id"], f["severity"], f["role"], f["subject"]["name"], "false")
                                          for t in report["targets"] for f in t["findings"]))
        self.assertEqual(found["debrief_build_info"], [({"version": report["tool"]["version"]}, 1)])

    def test_the_run_itself(self):
        samples = {name: value for name, labels, value in self.samples(consumers.incident()) if not labels}
        self.assertEqual(samples, {"debrief_run_timestamp_seconds": 1795248001, "debrief_run_duration_seconds": 1})

    def test_a_waived_finding_is_told_from_others(self):
        path = consumers.edited(consumers.incident(), consumers.waive_all)
        self.assertEqual({l["waived"] for name, l, _ in self.samples(path) if name == "debrief_finding"}, {"true"})

    def test_a_target_that_comes_twice_makes_no_series_twice(self):
        def twice(report):
            better = json.loads(json.dumps(report["targets"][0]))
            better["verdict"] = "ok"
            report["targets"].append(better)
        samples = self.samples(consumers.edited(consumers.incident(), twice))
        keys = [(name, *sorted(labels.items())) for name, labels, _ in samples]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual([value for name, _, value in samples if name == "debrief_target_verdict"], [2])


class Nagios(Case):
    def said(self, text, *options):
        result = self.site(self.file("a.txt", text), "-o", "nagios", "--exit", "nagios", *options)
        return result.status, result.out

    def test_states(self):
        for state, (word, text) in enumerate((("OK", harness.INFO), ("WARNING", harness.WARNING),
                                              ("CRITICAL", harness.ERROR), ("UNKNOWN", "SITE unsure\n"))):
            for options in ((), ("--fail-on", "never"), ("--fail-on", "warning")):
                with self.subTest(word, options=options):
                    status, out = self.said(text + (harness.NOTHING if state != 3 else ""), *options)
                    self.assertEqual(status, state)
                    self.assertTrue(out.startswith(f"DEBRIEF {word} - {self.dir}/a.txt: "), out)
                    self.assertEqual(out.count("\n"), 1)
                    self.assertEqual(out.count("|"), 1)

    def test_without_the_option_the_contract_holds(self):
        result = self.site(self.file("a.txt", harness.ERROR), "-o", "nagios")
        self.assertStatus(result, 3)
        self.assertTrue(result.out.startswith("DEBRIEF CRITICAL"))
        self.assertStatus(self.site(self.file("a.txt", harness.ERROR), "--exit", "contract"), 3)

    def test_usage_errors_and_failures_are_unknown(self):
        for arguments in (("check", "--no-such", "--exit", "nagios"), ("check", "--exit=nagios", "-o", "xml", "a"),
                          ("report", "/nonexistent", "--exit", "nagios"), ("merge", "--exit", "nagios"),
                          ("check", harness.closed_port(), "--exit", "nagios"),
                          ("check", self.file("a", ""), "-o", "text=/nonexistent/x", "--exit", "nagios")):
            with self.subTest(arguments=arguments):
                self.assertStatus(debrief(*arguments), 3)

    def test_any_format_and_command(self):
        saved = self.save("e", harness.ERROR)
        self.assertStatus(debrief("report", saved, "--exit", "nagios"), 2)
        self.assertStatus(debrief("merge", saved, saved, "-o", "json", "--exit", "nagios"), 2)
        self.assertUsage(debrief("report", saved, "--exit", "icinga"), "option '--exit' takes contract|nagios")

    def test_a_fleet_names_the_worst(self):
        a, b = self.file("a/x.txt", harness.NOTHING).parent, self.file("b/x.txt", harness.ERROR).parent
        result = self.site(a, b, "-o", "nagios", "--verbose")
        lines = result.out.splitlines()
        self.assertIn(f"CRITICAL - 2 targets: 1 with errors, 1 ok - {b}: 1 error: ", lines[0])
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[1].startswith(f"error: {b}: "))

    def test_what_the_baseline_has_already_decides_nothing(self):
        a = self.save("a", harness.ERROR)
        result = self.site(self.dir / "a.txt", "--baseline", a, "-o", "nagios", "--exit", "nagios")
        self.assertEqual((result.status, result.out.split(" - ")[0]), (0, "DEBRIEF OK"))
        self.assertIn("only what is new since the baseline decides the state|errors=1;", result.out)
        (self.dir / "a.txt").write_text(harness.ERROR + "SITE error another\n")
        self.assertStatus(self.site(self.dir / "a.txt", "--baseline", a, "--exit", "nagios"), 2)

    def test_what_is_waived_does_not_count(self):
        path = consumers.edited(consumers.incident(), consumers.waive_all)
        out = debrief("report", path, "-o", "nagios").out
        self.assertRegex(out, r"\|errors=0;;0;0 warnings=0;0;;0 infos=0;;;0 waived=4;;;0 ")
        self.assertNotIn("permission-denied", out)


CONFIG = """
log_file={dir}/nagios.log
cfg_file={dir}/objects.cfg
object_cache_file={dir}/objects.cache
status_file={dir}/status.dat
status_update_interval=1
check_external_commands=0
lock_file={dir}/nagios.lock
temp_file={dir}/nagios.tmp
temp_path={dir}
check_result_path={dir}/results
query_socket={dir}/nagios.qh
use_syslog=0
interval_length=1
execute_host_checks=0
enable_notifications=0
enable_environment_macros=0
service_inter_check_delay_method=n
process_performance_data=1
service_perfdata_file={dir}/perfdata
service_perfdata_file_template=$SERVICEPERFDATA$
service_perfdata_file_mode=a
nagios_user={user}
nagios_group={group}
check_for_updates=0
"""
OBJECTS = """
define command {{
  command_name debrief
  command_line {program} report {report} -o nagios --exit nagios --verbose
}}
define timeperiod {{
  timeperiod_name always
  alias always
  monday 00:00-24:00
  tuesday 00:00-24:00
  wednesday 00:00-24:00
  thursday 00:00-24:00
  friday 00:00-24:00
  saturday 00:00-24:00
  sunday 00:00-24:00
}}
define contact {{
  contact_name nobody
  host_notification_commands debrief
  service_notification_commands debrief
  host_notification_period always
  service_notification_period always
}}
define host {{
  host_name proxy
  address 127.0.0.1
  max_check_attempts 1
  check_period always
  notification_period always
  contacts nobody
}}
define service {{
  host_name proxy
  service_description envoy
  check_command debrief
  check_interval 3600
  max_check_attempts 1
  check_period always
  notification_period always
  contacts nobody
}}
"""


@consumers.needs("nagios4")
class RealNagios(Case):
    """A Nagios that runs the plugin once, in the foreground; what it made of the answer."""

    def configure(self, report):
        (self.dir / "results").mkdir()
        self.file("nagios.cfg", CONFIG.format(dir=self.dir, user=getpass.getuser(), group=grp.getgrgid(os.getgid()).gr_name))
        self.file("objects.cfg", OBJECTS.format(program=harness.PROGRAM, report=report))

    def service(self):
        """The members of the service in status.dat, once it was checked; None before."""
        status = self.dir / "status.dat"
        text = status.read_text(errors="replace") if status.exists() else ""
        block = text.partition("servicestatus {")[2].partition("}\n")[0]
        members = dict(line.strip().split("=", 1) for line in block.splitlines() if "=" in line)
        return members if members.get("has_been_checked") == "1" else None

    def watch(self, report):
        self.configure(report)
        daemon = subprocess.Popen([consumers.program("nagios4"), self.dir / "nagios.cfg"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=harness.environment())
        try:
            for _ in range(600):
                service = self.service()
                if service or daemon.poll() is not None:
                    break
                time.sleep(0.1)
        finally:
            daemon.terminate()
            daemon.wait(30)
        log = self.dir / "nagios.log"
        self.assertTrue(service, log.read_text() if log.exists() else "no log")
        return service, (self.dir / "perfdata").read_text().strip()

    def test_state_text_and_performance_data(self):
        service, performance = self.watch(consumers.incident())
        self.assertEqual(service["current_state"], "2")
        self.assertTrue(service["plugin_output"].startswith("DEBRIEF CRITICAL - http://127.0.0.1:9901: 3 errors"))
        self.assertIn("lb-health.backend-unready", service["long_plugin_output"])
        self.assertEqual(performance.split()[:3], ["errors=3;;0;0", "warnings=0;0;;0", "infos=1;;;0"])
        self.assertEqual(service["performance_data"], performance)

    def test_evidence_stays_text(self):
        def change(report):
            for finding in report["targets"][0]["findings"]:
                finding["message"] = "a|errors=0;;0;0\nb <script>x</script> $USER1$ 'c' \\n d"
        service, performance = self.watch(consumers.edited(consumers.incident(), change))
        self.assertEqual(performance.split()[0], "errors=3;;0;0")
        # Semicolons of a text are colons to Nagios.
        self.assertIn("a¦errors=0::0:0 b ‹script›x‹/script› $USER1$ 'c' ", service["plugin_output"])


class JsonLines(Case):
    def test_every_part_of_the_report_is_a_line(self):
        report = json.loads(consumers.real_report().read_text())
        lines = consumers.open_jsonl(consumers.render(consumers.real_report(), "jsonl"))
        self.assertEqual((lines[0]["type"], lines[0]["schema"], lines[-1]["type"]), ("begin", "debrief.report-lines/1", "end"))
        self.assertEqual(lines[-1]["summary"], report["summary"])
        for kind, member in (("finding", "findings"), ("check", "checks"), ("ask", "asks"), ("source", "sources"),
                             ("event", "timeline")):
            told = [{k: v for k, v in line.items() if k not in ("type", "target", "time")} for line in lines
                    if line["type"] == kind]
            rows = [{k: v for k, v in row.items() if k != "time"} for t in report["targets"] for row in t.get(member, [])]
            self.assertEqual(told, rows)
        names = [line["target"] for line in lines if line["type"] == "target"]
        self.assertEqual(names, [target["name"] for target in report["targets"]])
        self.assertTrue(all("time" in line for line in lines))

    def test_jq_selects(self):
        data = consumers.render(consumers.real_report(), "jsonl")
        report = json.loads(consumers.real_report().read_text())
        said = consumers.run("jq", "-r", 'select(.type == "finding" and .role == "cause") | [.target, .id] | @tsv', input=data)
        self.assertEqual(said.splitlines(), [f"{t['name']}\t{f['id']}" for t in report["targets"] for f in t["findings"]
                                             if f["role"] == "cause"])

    def test_members_of_a_row_do_not_hide_the_line(self):
        def change(report):
            report["targets"][0]["findings"][0].update(type="end", target="other")
        lines = consumers.open_jsonl(consumers.render(consumers.edited(consumers.incident(), change), "jsonl"))
        self.assertEqual([line["type"] for line in lines].count("end"), 1)
        self.assertEqual({line["target"] for line in lines if "target" in line}, {"http://127.0.0.1:9901"})


harness.main()
