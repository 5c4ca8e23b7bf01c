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

-- What mends it, by the reason; the first row that matches decides.
local REMEDIES = {
  { "Unable to convert YAML as JSON: *%S+%.ya?ml$", "--config-yaml takes the configuration itself, not the name of a file: give the file with -c",
    "envoy -c /etc/envoy/envoy.yaml" },
  { "[Uu]nable to read file", "the file is not there, or the proxy's user may not read it: see that it is mounted under that path, as a file and "
    .. "readable for that user (the official image runs as user 101)", "docker run --rm --entrypoint ls IMAGE -ln /etc/envoy; kubectl exec POD -- ls -ln /etc/envoy" },
  { "[Uu]nable to open file.*[Rr]ead%-only", "a log is to be written where the file system is read-only: write to /dev/stdout, or mount a volume there" },
  { "[Uu]nable to open file", "the proxy's user may not write that log: write to a directory that belongs to it; for /dev/stdout run the container "
    .. "with a terminal (docker run -t), let its user own it, or start the image as root (ENVOY_UID=0)" },
  { "v2 xDS major version", "write the file for the v3 API (typed_config with v3 types, load_assignment instead of hosts, transport_api_version: V3); "
    .. "Envoy 1.17 is the last that can read v2" },
  { "find a registered implementation", "this build of Envoy lacks the extension: correct its name and type URL, or run an image that holds it" },
  { "[Uu]nknown type", "this build of Envoy lacks the type: correct the type URL, or run an image that holds the extension" },
  { "no such field", "the field that is named does not stand there in this version: correct its name or place, or run the version that the file was written for" },
  { "Cannot find field", "the field that is named does not stand there in this version: correct its name or place, or run the version that the file was written for" },
  { "Unable to parse JSON", "the file is read by its ending: .yaml for YAML, .json for JSON (.yml counts as JSON)" },
  { "yaml%-cpp", "correct the YAML at the line and column that the message names (indentation, tabs, quotes)" },
  { "[Cc]onfig%-path", "give the configuration with -c FILE or --config-yaml TEXT" },
}

local function advise(finding, reason)
  for _, row in ipairs(REMEDIES) do
    if reason:find(row[1]) then
      finding:advise(row[2], row[3])
      break
    end
  end
  finding:advise("correct the file that the line names, and try it before it is used",
    "envoy --mode validate -c /etc/envoy/envoy.yaml"):reference(BOOTSTRAP_DOCS)
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

-- The agent writes the file that its Envoy is started with.
local function judge_agent(ev)
  local record = ev:last("event.agent")
  if not record or started_later(ev, record) then return end
  local proxy = ev:first("proxy")
  ev:report("config-rejected.bootstrap-invalid", "proxy", proxy and proxy.node_id or "envoy",
    "the agent cannot write the configuration that Envoy is to start with: %s", record.why):cite(record)
    :advise(record.why:find("space", 1, true) and "make room where the directory lies"
      or "give the agent a directory that its user may write: with readOnlyRootFilesystem an emptyDir is needed there (Istio: /etc/istio/proxy)",
      "kubectl get pod POD -o jsonpath='{.spec.containers[*].securityContext} {.spec.containers[*].volumeMounts}'")
end

-- The fatal line was cut or wrapped: an extension is lacking, and then Envoy exits. In an update it would be a rejection.
local function judge_unregistered(ev)
  local record, exiting = ev:last("event.unregistered"), nil
  for stop in ev:each("log.stop") do exiting = stop.step == "exiting" and stop or exiting end
  if not record or not exiting or ev:count("log.config_rejected") > 0 or started_later(ev, record) then return end
  local finding = ev:report("config-rejected.bootstrap-invalid", "proxy", "envoy",
    "Envoy exits over its configuration: this build has no implementation of '%s'%s", record.name, record.type and " (" .. record.type .. ")" or "")
  finding:cite(record):cite(exiting):confidence("likely")
  advise(finding, "find a registered implementation")
end

return debrief.check {
  id = "config-rejected/bootstrap",
  title = "does Envoy start with its configuration file?",
  applies = "mode != proxyless",
  version = "0.2.0",
  needs = { "log", "?log.fatal", "?log.start", "?log.stop", "?log.config_rejected", "?proxy" },
  events = {
    unregistered = [[Didn't find a registered implementation for (?:name: )?'(?<name>[^'\n]+)'(?: with type URL: '(?<type>[\w./]+))?]],
    agent = [[failed to (?:generate|write)[^\n]{0,60}(?:bootstrap|envoy-rev)[^\n]{0,200}(?<why>read-only file system|permission denied|no space left on device)]],
  },
  findings = {
    ["config-rejected.bootstrap-invalid"] = { title = "Envoy does not start with its configuration", severity = "error",
      explains = EXPLAINS },
  },
  run = function(ev)
    judge_agent(ev)
    local record = ev:last("log.fatal")
    if not record then return judge_unregistered(ev) end
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
    advise(finding, reason)
  end,
}
