-- my-section: is the proxy's log level fit for production?
--
-- Reads the one `proxy` record; docs/evidence.md lists all evidence, docs/lua-checks.md the calls.
-- Findings, manual (README.md) and cases belong together: `debrief lint` compares them.

return debrief.check {
  id = "my-section",
  title = "is the log level fit for production?",
  version = "0.1.0",
  tags = { "site" },
  applies = "any",
  needs = { "proxy" },
  params = {
    level = { type = "string", default = "debug", help = "the log level that is not wanted" },
  },
  findings = {
    ["my-section.debug-log"] = { title = "debug log in production", severity = "warning" },
  },

  run = function(ev)
    local proxy = ev:first("proxy")
    local level = proxy.log_level
    if not level then
      return ev:ask {
        evidence = "admin/server_info.json",
        why = "the log level is not in the evidence",
        how = "@debrief@",
      }
    end
    if level == ev:param("level") then
      ev:report("my-section.debug-log", "proxy", proxy.node_id or "envoy",
                "the proxy logs at level %s: it is slow and fills disks", level)
        :when("now")
        :cite(proxy)
        :advise("set the level back to info",
                "curl -X POST 'http://127.0.0.1:9901/logging?level=info'")
        :reference("https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-l")
    end
  end,
}
