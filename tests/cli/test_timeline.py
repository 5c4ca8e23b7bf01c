"""What happened when: one order of events from all sources, and the stretch of it that is asked for."""
import json

import jsonschema

import harness
from harness import Case, debrief

SCHEMA = json.loads((harness.TOP / "docs/report.schema.json").read_text())
CLOSED = "[{time}][11][warning][config] [./source/extensions/config_subscription/grpc/grpc_stream.h:189] " \
         "StreamAggregatedResources gRPC config stream to xds.example:18000 closed: 7, permission denied\n"
START = "[{time}][11][info][main] [source/server/server.cc:1018] starting main dispatch loop\n"


def events(*rows):
    """What `kubectl get events -o json` prints."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Event", "metadata": {"name": f"web.{i}", "namespace": "shop"},
         "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1",
                            "fieldPath": "spec.containers{envoy}"},
         "reason": reason, "message": message, "type": "Warning", "count": count,
         "firstTimestamp": time, "lastTimestamp": time} for i, (time, reason, message, count) in enumerate(rows)]})


class Timeline(Case):
    def timeline(self, *files, **texts):
        for name, text in texts.items():
            (self.dir / "in").mkdir(exist_ok=True)
            (self.dir / "in" / name.replace("__", ".")).write_text(text)
        target = debrief("check", self.dir / "in", "-o", "json", *files).target
        return target["timeline"]

    def texts(self, timeline):
        return [entry["text"] for entry in timeline]

    def test_sources_make_one_order(self):
        log = START.format(time="2026-11-21 07:00:05.000") + CLOSED.format(time="2026-11-21 07:00:06.000") + \
            CLOSED.format(time="2026-11-21 07:10:06.000")
        timeline = self.timeline(envoy__log=log, events__json=events(
            ("2026-11-21T07:05:00Z", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 3)))
        self.assertEqual([entry["time"] for entry in timeline], sorted(entry["time"] for entry in timeline))
        closed = next(entry for entry in timeline if "closed with code 7" in entry["text"])
        self.assertEqual((closed["time"], closed["last"], closed["count"], closed["lane"], closed["source"],
                          closed["locator"], closed["findings"]),
                         ("2026-11-21T07:00:06Z", "2026-11-21T07:10:06Z", 2, "config", "envoy.log", "line 2",
                          ["grpc-codes.permission-denied"]))
        event = next(entry for entry in timeline if entry["text"].startswith("Pod shop/web-1: Unhealthy"))
        self.assertEqual((event["time"], event["count"], event["lane"]), ("2026-11-21T07:05:00Z", 3, "platform"))
        self.assertNotIn("zone", event)
        self.assertEqual(closed["zone"], "assumed")

    def test_a_wrapper_with_a_zone_corrects_a_log_in_local_time(self):
        log = "".join(f"2026-11-21T07:00:{second:02}.500000000Z " + line.format(time=f"2026-11-21 09:00:{second:02}.499")
                      for second, line in ((5, START), (6, CLOSED), (7, CLOSED)))
        timeline = self.timeline(envoy__log=log)
        self.assertEqual([entry["time"][:19] for entry in timeline], ["2026-11-21T07:00:05", "2026-11-21T07:00:06"])
        self.assertFalse([entry for entry in timeline if "zone" in entry])

    def test_a_pause_begins_another_entry(self):
        times = ["2026-11-21 01:00:00.000", "2026-11-21 01:30:00.000", "2026-11-21 06:00:00.000"]
        timeline = self.timeline(envoy__log="".join(CLOSED.format(time=time) for time in times))
        self.assertEqual([(entry["time"], entry.get("count", 1)) for entry in timeline],
                         [("2026-11-21T01:00:00Z", 2), ("2026-11-21T06:00:00Z", 1)])

    def test_many_kinds_of_one_event_are_counted(self):
        rows = [(f"2026-11-21T07:{minute:02}:00Z", "Failed", f"trouble of the kind {minute}", 1) for minute in range(30)]
        timeline = [entry for entry in self.timeline(events__json=events(*rows)) if entry["lane"] == "platform"]
        self.assertEqual(len(timeline), 12)
        self.assertEqual(sum(entry.get("more", 0) for entry in timeline), 18)

    def test_tasks_tell_their_times(self):
        task = {"taskArn": "arn:aws:ecs:us-west-2:123456789012:task/c/0123456789abcdef0123456789abcdef",
                "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "createdAt": "2026-11-21T09:00:00.123000+02:00",
                "pullStartedAt": 1795244410.5, "stoppedAt": "2026-11-21T09:01:00+02:00",
                "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
                "taskDefinitionArn": "arn:aws:ecs:us-west-2:123456789012:task-definition/web:3",
                "containers": [{"name": "envoy", "lastStatus": "STOPPED", "exitCode": 137}]}
        timeline = self.timeline(tasks__json=json.dumps({"tasks": [task], "failures": []}))
        texts = [(entry["time"], entry["text"].split(":")[-1].split("is ")[-1].strip()) for entry in timeline
                 if entry["text"].startswith("task ")]
        self.assertEqual([time for time, _ in texts],
                         ["2026-11-21T07:00:00.123Z", "2026-11-21T07:00:10.500Z", "2026-11-21T07:01:00Z"])

    def test_a_live_proxy_tells_when_it_began(self):
        with harness.admin_page() as page:
            timeline = debrief("check", page.url, "-o", "json").target["timeline"]
        self.assertEqual([(entry["time"], entry["source"], entry["locator"]) for entry in timeline if "uptime" in entry["text"]],
                         [("2026-11-21T07:00:00Z", "admin/server_info.json", "/uptime_current_epoch")])
        (self.dir / "in").mkdir()
        (self.dir / "in/server_info.json").write_text(json.dumps(harness.SERVER_INFO))
        self.assertFalse([entry for entry in self.timeline() if "uptime" in entry["text"]])

    def test_secrets_stay_out(self):
        timeline = self.timeline(events__json=events(
            ("2026-11-21T07:05:00Z", "Failed", "login with Authorization: Bearer abcdef0123456789abcdef0123456789 refused", 1)))
        self.assertNotIn("abcdef0123456789abcdef", json.dumps(timeline))
        self.assertIn("[redacted:", json.dumps(timeline))

    def test_text_shows_it_beside_what_is_wrong(self):
        log = self.file("envoy.log", START.format(time="2026-11-21 07:00:05.000") +
                        CLOSED.format(time="2026-11-21 07:00:06.000"))
        out = debrief("check", log).out
        self.assertIn("what happened when (UTC)\n    2026-11-21 07:00:05 Envoy: starting main dispatch loop\n", out)
        self.assertIn("[grpc-codes.permission-denied]", out.split("what happened when")[1])
        healthy = self.file("healthy.log", START.format(time="2026-11-21 07:00:05.000"))
        self.assertNotIn("what happened when", debrief("check", healthy).out)

    def test_the_schema_knows_it(self):
        log = self.file("envoy.log", START.format(time="2026-11-21 07:00:05.000") +
                        CLOSED.format(time="2026-11-21 07:00:06.000"))
        report = debrief("check", log, "--since", "2h", "-o", "json").report
        self.assertEqual(report["targets"][0]["window"], {"since": "2026-11-21T06:00:00Z"})
        jsonschema.Draft202012Validator(SCHEMA).validate(report)


class Window(Case):
    def setUp(self):
        super().setUp()
        self.log = self.file("envoy.log", CLOSED.format(time="2026-11-21 05:00:00.000") +
                             "".join(START.format(time=f"2026-11-21 07:{minute:02}:00.000") for minute in range(5)))

    def found(self, *options):
        target = debrief("check", self.log, "-o", "json", *options).target
        return [finding["id"] for finding in target["findings"] if finding["id"].startswith("grpc-codes.")]

    def test_what_is_outside_is_left_out(self):
        self.assertEqual(self.found(), ["grpc-codes.permission-denied"])
        self.assertEqual(self.found("--since", "2026-11-21T06:00:00Z"), [])
        self.assertEqual(self.found("--since", "2h"), [])
        self.assertEqual(self.found("--since", "4h"), ["grpc-codes.permission-denied"])
        self.assertEqual(self.found("--until", "2026-11-21T04:00:00Z"), [])
        self.assertEqual(self.found("--since", "2026-11-21T06:00:00+02:00", "--until", "2026-11-21T06:00:00Z"),
                         ["grpc-codes.permission-denied"])

    def test_lines_without_a_time_belong_to_the_line_above(self):
        untimed = "warning config StreamAggregatedResources gRPC config stream to xds.example:18000 closed: 7, denied\n"
        self.log = self.file("mixed.log", START.format(time="2026-11-21 05:00:00.000") + untimed)
        self.assertEqual(self.found("--since", "2026-11-21T06:00:00Z"), [])
        self.log = self.file("untimed.log", untimed)
        self.assertEqual(self.found("--since", "2026-11-21T06:00:00Z"), ["grpc-codes.permission-denied"])

    def test_events_of_a_cluster_too(self):
        path = self.file("events.json", events(
            ("2026-11-21T05:00:00Z", "Failed", "Failed to pull image: toomanyrequests: You have reached your pull rate limit", 1)))
        ids = lambda *options: [finding["id"] for finding in debrief("check", path, "-o", "json", *options).target["findings"]]
        self.assertIn("image-pull.rate-limited", ids())
        self.assertNotIn("image-pull.rate-limited", ids("--since", "1h"))

    def test_evidence_knows_it_as_well(self):
        shown = lambda *options: debrief("evidence", self.log, "log.xds_closed", *options).out
        self.assertIn("closed", shown())
        self.assertNotIn("closed: 7", shown("--since", "2h"))

    def test_a_time_that_is_none_is_refused(self):
        self.assertUsage(debrief("check", self.log, "--since", "yesterday"), "--since", "yesterday")


harness.main()
