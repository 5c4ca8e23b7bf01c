-- A configuration file with which Envoy does not start. Reads the fatal line of the log and what came after it; a later
-- start that went well makes it history. Addresses that cannot be bound are low-ports' to name.

local BOOTSTRAP_DOCS = "https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-mode"

local EXPLAINS = { "probes.live-unconfigured", "probes.listeners-unanswered", "probes.initializing", "probes.pre-initializing",
  "probes.wrong-address", "lb-health.no-listener", "proxy-process.crashed" }

-- On one line, without the mark (goo.gle/debugonly) that protobuf puts into texts which are not for machines.
local function clean(text)
  text = text:gsub("goo%.gle/debug%S*", ""):gsub("%s+", " ")
  return (text:gsub("^[%s:,]+", ""):gsub("%s+$", ""))
end

local function started_later(ev, record)
  local time = ev:time(record)
  for other in ev:each("log.start") do
    local later = ev:time(other)
    local same = record.container == other.container and record.workload == other.workload
    if time and later and later > time and same and other.step and other.step:find("dispatch", 1, true) then return true end
  end
  return false
end

return debrief.check {
  id = "config-rejected/bootstrap",
  title = "does Envoy start with its configuration file?",
  version = "0.2.0",
  needs = { "log", "?log.fatal", "?log.start", "?proxy" },
  findings = {
    ["config-rejected.bootstrap-invalid"] = { title = "Envoy does not start with its configuration", severity = "error",
      explains = EXPLAINS },
  },
  run = function(ev)
    local record = ev:last("log.fatal")
    if not record then return end
    local text = record.message or ""
    local reason = clean(record.reason or text:match("error `(.-)` initializing config") or text)
    if reason == "" or reason:lower():find("cannot bind", 1, true) then return end
    local proxy = ev:first("proxy")
    local over = started_later(ev, record)
    local finding = ev:report("config-rejected.bootstrap-invalid", "proxy", proxy and proxy.node_id or "envoy",
      "Envoy does not start with its configuration: \"%s\"%s", reason, over and "; a later start went well" or ""):cite(record)
    if over then
      finding:severity("info"):when("before")
      return
    end
    finding:advise("correct the file that the line names, and try it before it is used",
      "envoy --mode validate -c /etc/envoy/envoy.yaml"):reference(BOOTSTRAP_DOCS)
  end,
}
