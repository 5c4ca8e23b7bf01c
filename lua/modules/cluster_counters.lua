-- What the statistics of clusters tell, for checks that judge requests behind the proxy: counters by cluster, whether they
-- grow between two samples, and which clusters are the mesh's own. Counters run since the proxy's start: only growth
-- shows present trouble. A check that uses it declares stats{cluster.*}, and bootstrap as an optional need.

local match = debrief.match

local counters = {}

-- Clusters of the mesh itself, and those that are meant to have no hosts.
local HOUSE = [[(?i)^(xds|ads|sds|als|agent|prometheus_stats|zipkin|jaeger|otel|tracing|service_stats|admin|self_admin|.*management_server|]]
  .. [[xds[-_].*|.*xds[-_]?(cluster|grpc|server)|sds-grpc|local_agent|blackholecluster|.*passthrough.*|block_?all|wasm_cluster|]]
  .. [[ads_cluster|xds_cluster|rate_?limit(_cluster|_service)?|contour|envoy-admin|envoy-stats|service-stats|kuma[_:].*|inboundpassthrough.*)$]]

-- A function that tells whether a cluster of this name is one of those.
function counters.house(ev)
  local house = {}
  for record in ev:each("bootstrap") do if record.target then house[record.target] = true end end
  return function(name) return house[name] or match(name, HOUSE) ~= nil end
end

-- cluster -> counter -> { value, change, record }
function counters.read(ev)
  local stats = {}
  for record in ev:each("stats") do
    local cluster, counter
    for _, pattern in ipairs { "(upstream_[%w_]+)", "(ssl%.[%w_]+)", "(circuit_breakers%.default%.[%w_]+)", "(membership_[%w_]+)" } do
      if not cluster then cluster, counter = (record.name or ""):match("^cluster%.(.+)%." .. pattern .. "$") end
    end
    local value = ev:number(record, "value")
    if cluster and value then
      stats[cluster] = stats[cluster] or {}
      stats[cluster][counter] = { value = value, change = ev:number(record, "change"), record = record }
    end
  end
  return stats
end

function counters.value(of, name)
  return of[name] and of[name].value or 0
end

function counters.grows(of, name)
  return of[name] ~= nil and (of[name].change or 0) > 0
end

-- Whether a second sample was taken at all.
function counters.twice(of, name)
  return of[name] ~= nil and of[name].change ~= nil
end

-- Whether a second sample tells of NAME. One in which nobody asked the cluster for anything tells nothing.
function counters.sampled(of, name)
  if not counters.twice(of, name) then return false end
  return counters.grows(of, name) or counters.grows(of, "upstream_cx_total") or counters.grows(of, "upstream_rq_total")
end

-- A counter without a second sample tells of some time since the start.
function counters.ask_sample(ev)
  ev:ask { evidence = "a second sample of the statistics, taken while requests come", why = "counters run since the proxy's start: only growth shows present trouble",
    how = "@debrief@ --sample 10s" }
end

-- Information about trouble that a counter tells of, and nothing else does. TEXT has one place for the number.
function counters.old(ev, id, cluster, of, name, text)
  if counters.value(of, name) == 0 then return end
  local seen = counters.sampled(of, name)
  local finding = ev:report(id, "cluster", cluster, text .. "%s", counters.value(of, name),
    seen and ", none of them while it was watched" or " since the proxy started; whether it still happens is not known")
    :severity("info"):cite(of[name].record)
  if seen then finding:when("before") else counters.ask_sample(ev) end
end

return counters
