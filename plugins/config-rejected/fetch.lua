-- A first answer that did not come in time: Envoy gives up waiting, and is LIVE without that configuration. Reads the
-- timeout lines of the log and init_fetch_timeout; what was accepted later makes it history. Why no answer came is
-- ems-connection's and grpc-codes' to say.

local dates = debrief.use "dates"

local DOCS = "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/init"

local FAMILIES = {
  Listener = { prefix = "listener_manager.lds.", what = "listeners", type = "lds" },
  Cluster = { prefix = "cluster_manager.cds.", what = "clusters", type = "cds" },
  RouteConfiguration = { what = "routes", glob = "*.rds.*.update_success" },
  Secret = { what = "secrets", glob = "*sds.*.update_success" },
  ClusterLoadAssignment = { what = "endpoints" },
}

local function family_name(type_url)
  local name = (type_url or ""):match("([^./]+)$") or "xDS"
  local rest = { listeners = "Listener", clusters = "Cluster", routes = "RouteConfiguration" }
  return rest[name:match("discovery:(%l+)") or ""] or name
end

local function answered_later(ev, family, record)
  local time = record and ev:time(record)
  for other in ev:each("log.xds_answered") do
    local at = ev:time(other)
    if time and at and at > time and family.type and other.type == family.type then return true end
  end
  return false
end

-- How many updates of the family were accepted, nil when nobody tells; for single resources the least of them.
local function successes(ev, family)
  if family.prefix then return tonumber((ev:stat(family.prefix .. "update_success"))) end
  local least
  for record in ev:each("stats") do
    if family.glob and debrief.glob(family.glob, record.name or "") then
      local value = ev:number(record, "value")
      if value and (not least or value < least) then least = value end
    end
  end
  return least
end

-- The wait is over, the lack goes on: to the end of the log in which it stands.
local function lasts_until(ev, record)
  local time, ends = ev:time(record), nil
  for log in ev:each("log") do
    local first, last = dates.seconds(log.first), dates.seconds(log.last)
    if time and first and last and math.floor(first) <= time and time <= last + 1 then ends = last end
  end
  return ends
end

local function timed_out(ev)
  local found = {}
  for record in ev:each("log.fetch_timeout") do found[family_name(record.type_url)] = record end
  for name, family in pairs(FAMILIES) do
    if family.prefix and not found[name] then
      local value, record = ev:stat(family.prefix .. "init_fetch_timeout")
      if (tonumber(value) or 0) > 0 then found[name] = record end
    end
  end
  return found
end

return debrief.check {
  id = "config-rejected/fetch",
  title = "did the first configuration come in time?",
  applies = "envoy >= 1.9, mode != proxyless",
  version = "0.2.0",
  tags = { "xds" },
  needs = {
    "log | stats{*.lds.init_fetch_timeout} | stats{*.cds.init_fetch_timeout}", "?log.fetch_timeout", "?log.xds_answered", "?proxy",
    "?stats{listener_manager.lds.*}", "?stats{cluster_manager.cds.*}", "?stats{*.rds.*.update_success}",
    "?stats{*sds.*.update_success}",
  },
  findings = {
    ["config-rejected.fetch-timed-out"] = { title = "the first configuration did not come in time", severity = "error",
      explains = { "probes.live-unconfigured", "lb-health.no-listener", "upstreams.no-route", "upstreams.endpoints-missing" } },
  },
  run = function(ev)
    for name, record in pairs(timed_out(ev)) do
      local family = FAMILIES[name] or { what = name }
      local accepted = successes(ev, family)
      local over = (accepted or 0) > 0 or answered_later(ev, family, record)
      local finding = ev:report("config-rejected.fetch-timed-out", "config", name,
        over and "the first answer for %s came later than the proxy waits for it; they were accepted since"
          or "no answer for %s came in time: the proxy stopped waiting and goes on without them", family.what):cite(record)
      if over then
        finding:severity("info"):when("before")
      else
        local last = lasts_until(ev, record)
        if last then finding:span { last = last } end
        if not accepted and not family.prefix then
          finding:severity("warning"):confidence("likely")
          ev:ask { evidence = "admin/stats.txt", why = "the counters tell whether the " .. family.what .. " came later",
            how = "curl -s 'http://ADMIN/stats?filter=update_success|init_fetch_timeout'" }
        end
        finding:advise("find out why the control plane does not answer: it has no " .. family.what .. " for this node, waits for something "
          .. "itself, or cannot be reached", "curl -s 'http://ADMIN/stats?filter=(lds|cds|control_plane)'")
          :advise("if traffic must not come before the configuration, let the proxy wait for ever: initial_fetch_timeout: 0s")
          :reference(DOCS)
      end
    end
  end,
}
