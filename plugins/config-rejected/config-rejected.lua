-- What the proxy was sent, or started with, and refused. Reads rejections in the log, error states in the
-- configuration dump and the counters of listeners and clusters; reports one finding per refused thing, and tells
-- trouble from history by what was accepted afterwards. Sockets that cannot be bound are low-ports' to name.

local XDS_DOCS = "https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ack-nack-and-resource-type-instance-version"
local BOOTSTRAP_DOCS = "https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-mode"

local KINDS = {
  listener = { prefix = "listener_manager.lds.", type = "%.Listener$" },
  cluster = { prefix = "cluster_manager.cds.", type = "%.Cluster$" },
}

-- The first row that matches the reason decides.
local ADVICE = {
  { "has the same matching rules defined as", "give each filter chain of the listener its own filter_chain_match, or drop the twin" },
  { "find a registered implementation", "send only extensions that this build of Envoy has: correct the name and type URL, or use an image that holds it" },
  { "could not find @type", "send only extensions that this build of Envoy has: correct the name and type URL, or use an image that holds it" },
  { "unknown cluster", "send the cluster before the route that names it, or correct its name in the route" },
  { "constraint validation failed", "correct the field that the message names: its value breaks the rules of the API" },
  { "has unknown fields", "the message holds a field that this Envoy does not know: correct its name, or update Envoy" },
  { "[cC]ertificate", "correct the certificate or key that the message names" },
}

-- On one line, without the mark (goo.gle/debugonly) that protobuf puts into texts which are not for machines.
local function clean(text)
  text = text:gsub("goo%.gle/debug%S*", ""):gsub("%s+", " ")
  return (text:gsub("^[%s:,]+", ""):gsub("%s+$", ""))
end

local function is_bind_failure(text)
  return text:lower():find("cannot bind", 1, true) ~= nil
end

local function kind_of_type(type_url)
  for kind, how in pairs(KINDS) do
    if type_url and type_url:match(how.type) then return kind end
  end
end

local function last_word(type_url, otherwise)
  return (type_url or ""):match("([^./]+)$") or otherwise
end

-- Prose, where a message that is quoted over many lines has values.
local function starts_reason(text)
  return text:match("^[%a'].* ") ~= nil
end

-- "Error adding/updating listener(s) NAME: reason", further ones on lines of their own, or a bare reason.
local function subjects(text, type_url)
  local kind, list = text:match("^Error adding/updating (%l+)%(s%) (.+)$")
  if not KINDS[kind] then
    return { { kind = "config", name = last_word(type_url, "xDS"), reason = clean(text) } }
  end
  local found = {}
  for line in list:gmatch("[^\n]+") do
    local name, reason = line:match("^%s*(%S*): (.+)$")
    if name and (not found[1] or starts_reason(reason)) then
      found[#found + 1] = { kind = name == "" and "config" or kind, name = name == "" and last_word(type_url, kind) or name,
        reason = clean(reason) }
    elseif found[1] then
      found[#found].reason = found[#found].reason .. " " .. clean(line)
    end
  end
  if not found[1] then return { { kind = "config", name = last_word(type_url, kind), reason = clean(text) } } end
  return found
end

-- ---- what was accepted, and when ----

local function counters(ev, kind)
  local found = {}
  for _, slug in ipairs { "update_rejected", "update_success" } do
    local value, record = ev:stat(KINDS[kind].prefix .. slug)
    found[slug] = tonumber(value)
    found[slug .. "_record"] = record
  end
  return found
end

-- Listeners by name: true while the dump shows a refused update, false when it shows none.
local function read_dump(ev)
  local dump = {}
  for record in ev:each("xds.listeners") do
    local name = record.name
    if name then
      dump[name] = dump[name] or { bad = false }
      if record.state == "rejected" or record.error then dump[name] = { bad = true, record = record } end
    end
  end
  return dump
end

local function same_origin(a, b)
  return a.container == b.container and a.workload == b.workload
end

local function followed(ev, event, record, accepts)
  local time = ev:time(record)
  for other in ev:each(event) do
    local later = ev:time(other)
    if time and later and later > time and same_origin(record, other) and accepts(other) then return true end
  end
  return false
end

local function accepted_in_log(ev, subject, record)
  if followed(ev, "log.start", record, function(each) return each.step and each.step:find("epoch", 1, true) end) then
    return true
  end
  return followed(ev, "log.xds_answered", record, function(each)
    if subject.kind == "listener" then return each.listener == subject.name end
    if subject.kind == "cluster" then return (ev:number(each, "clusters") or 0) > 0 end
    return each.listener ~= nil or (ev:number(each, "clusters") or 0) > 0
  end)
end

-- update_time is the last accepted update: a refusal before it was mended, unless the dump still shows it.
local function is_over(ev, facts, subject, record)
  local entry = subject.kind == "listener" and facts.dump[subject.name]
  if entry then return not entry.bad end
  if accepted_in_log(ev, subject, record) then return true end
  local time = ev:time(record)
  for _, at in ipairs(facts.updated[facts.family(subject, record)] or {}) do
    if time and at / 1000 > time then return true end
  end
  return false
end

local function read_updated(ev)
  local updated = { listener = {}, cluster = {}, route = {}, secret = {}, endpoint = {} }
  for record in ev:each("stats") do
    local name, value = record.name, ev:number(record, "value")
    if name and value and name:match("%.update_time$") then
      local family = name:match("^listener_manager%.lds%.") and "listener" or name:match("^cluster_manager%.cds%.") and "cluster"
        or name:match("%.rds%.") and "route" or name:match("sds%.") and "secret" or name:match("^cluster%.") and "endpoint"
      if family then table.insert(updated[family], value) end
    end
  end
  return updated
end

local function family(subject, record)
  if subject.kind ~= "config" then return subject.kind end
  local type_url = record.type_url or ""
  return kind_of_type(type_url) or type_url:find("RouteConfiguration", 1, true) and "route"
    or type_url:find("Secret", 1, true) and "secret" or type_url:find("LoadAssignment", 1, true) and "endpoint" or "other"
end

-- ---- reporting ----

local function advise(finding, subject)
  for _, row in ipairs(ADVICE) do
    if subject.reason:find(row[1]) then
      finding:advise(row[2])
      break
    end
  end
  finding:advise("correct it where it is made (control plane, mesh or gateway resource); the proxy keeps what it had "
    .. "until it is sent an update that it can accept",
    "curl -s 'http://ADMIN/stats?filter=update_(rejected|success)'")
  finding:reference(XDS_DOCS)
end

local function report_rejected(ev, subject, record, over)
  local text = subject.kind == "config" and "an update of %s was rejected: \"%s\"%s" or subject.kind .. " %s was rejected: \"%s\"%s"
  local finding = ev:report("config-rejected.rejected", subject.kind, subject.name, text, subject.name, subject.reason,
    over and "; a later update was accepted" or ""):cite(record)
  if over then
    finding:severity("info"):when("before")
  else
    advise(finding, subject)
  end
  return finding
end

-- The newest word on each subject first: it decides, the older lines only add to the citations.
local function from_log(ev, facts)
  local newest, order = {}, {}
  for record in ev:each("log.config_rejected") do
    local text = (record.rest or ""):gsub("^[%s:,]+", "")
    for _, subject in ipairs(subjects(text, record.type_url)) do
      local key = subject.kind .. " " .. subject.name
      if is_bind_failure(subject.reason) then
        facts.explained[family(subject, record)] = true
      elseif subject.reason ~= "" then
        if not newest[key] then order[#order + 1] = key end
        newest[key] = { subject = subject, record = record }
      end
    end
  end
  for _, key in ipairs(order) do
    local subject, record = newest[key].subject, newest[key].record
    local over = is_over(ev, facts, subject, record)
    local finding = report_rejected(ev, subject, record, over)
    if not over and subject.kind == "config" and family(subject, record) == "route" then
      finding:confidence("likely") -- a route that came before its cluster is sent again, and no line says so
    end
    facts.explained[family(subject, record)] = true
  end
end

local function from_dump(ev, facts)
  for name, entry in pairs(facts.dump) do
    if entry.bad then
      facts.explained.listener = true
      local reason = clean(entry.record.error or "")
      if reason ~= "" and not is_bind_failure(reason) then
        report_rejected(ev, { kind = "listener", name = name, reason = reason }, entry.record, false):when("now")
      end
    end
  end
end

-- A dump that the proxy cannot print holds a refused listener with a type that it does not know.
local function from_unreadable(ev, facts)
  for record in ev:each("xds.resources") do
    if record.state == "rejected" and not record.name and record.error and not facts.explained.listener then
      facts.explained.listener = true
      local subject = { kind = "config", name = "Listener", reason = clean(record.error) }
      report_rejected(ev, subject, record, false):severity("warning"):confidence("likely")
    end
  end
end

local function from_counters(ev, facts)
  for _, kind in ipairs { "listener", "cluster" } do
    local seen = counters(ev, kind)
    local rejected, accepted = seen.update_rejected, seen.update_success
    if rejected and rejected > 0 and not facts.explained[kind] then
      local never = accepted == 0
      ev:report("config-rejected.rejected", "config", kind == "listener" and "Listener" or "Cluster",
        "updates of %ss were rejected (%d)%s; the evidence does not hold the reason", kind, rejected,
        never and " and none was accepted" or ""):severity(never and "warning" or "info")
        :cite(seen.update_rejected_record):reference(XDS_DOCS)
        :advise("read the reason in the proxy's log", "grep -E 'config for .* rejected' envoy.log")
      if never then
        ev:ask { evidence = "log/envoy.log, admin/config_dump.json", why = "they hold the reason why " .. kind .. "s were rejected",
          how = "add the proxy's log with --evidence FILE, or curl -s http://ADMIN/config_dump (error_state)" }
      end
    end
  end
end

-- ---- a bootstrap that cannot be used ----

local function from_start(ev)
  local record = ev:last("log.fatal")
  if not record then return end
  local text = record.message or ""
  local reason = clean(record.reason or text:match("error `(.-)` initializing config") or text)
  if reason == "" or is_bind_failure(reason) then return end
  local proxy = ev:first("proxy")
  local over = followed(ev, "log.start", record, function(each) return each.step and each.step:find("dispatch", 1, true) end)
  local finding = ev:report("config-rejected.bootstrap-invalid", "proxy", proxy and proxy.node_id or "envoy",
    "Envoy does not start with its configuration: \"%s\"%s", reason, over and "; a later start went well" or ""):cite(record)
  if over then
    finding:severity("info"):when("before")
    return
  end
  finding:advise("correct the file that the line names, and try it before it is used",
    "envoy --mode validate -c /etc/envoy/envoy.yaml"):reference(BOOTSTRAP_DOCS)
end

local EXPLAINS = { "probes.live-unconfigured", "probes.listeners-unanswered", "probes.initializing", "probes.pre-initializing",
  "lb-health.no-listener" }

return debrief.check {
  id = "config-rejected",
  title = "does the proxy accept the configuration that it is given?",
  version = "0.1.0",
  tags = { "xds", "istio", "consul", "gateway" },
  needs = {
    "log | xds.listeners | xds.resources{listener} | stats{listener_manager.lds.update_rejected} | stats{cluster_manager.cds.update_rejected}",
    "?log.config_rejected", "?log.fatal", "?log.start", "?log.xds_answered", "?xds.listeners", "?xds.resources{listener}", "?proxy",
    "?stats{listener_manager.lds.update_*}", "?stats{cluster_manager.cds.update_*}", "?stats{*.update_time}",
  },
  findings = {
    ["config-rejected.rejected"] = { title = "an update was rejected by the proxy", severity = "error", explains = EXPLAINS },
    ["config-rejected.bootstrap-invalid"] = { title = "Envoy does not start with its configuration", severity = "error",
      explains = EXPLAINS },
  },
  run = function(ev)
    local facts = { dump = read_dump(ev), updated = read_updated(ev), family = family, explained = {} }
    from_log(ev, facts)
    from_dump(ev, facts)
    from_unreadable(ev, facts)
    from_counters(ev, facts)
    from_start(ev)
  end,
}
