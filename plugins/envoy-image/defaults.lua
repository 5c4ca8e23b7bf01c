-- Which retries and limits nobody chose: App Mesh's defaults (accounts without a mesh before 2020-07-29), told apart
-- from a user's own and from Envoy's own. Facts worth knowing, never a fault.

local UNLIMITED = "2147483647"
local LIMITS = { "max_connections", "max_pending_requests", "max_requests", "max_retries" }
local USUAL = { max_connections = "1024", max_pending_requests = "1024", max_requests = "1024", max_retries = "3" }

local function words(text)
  local set, len = {}, 0
  for word in (text or ""):gmatch("[^,%s]+") do
    if not set[word] then set[word], len = true, len + 1 end
  end
  return set, len
end

-- The conditions are a set, in any order; later accounts have `reset` too.
local function is_default_retry(text)
  local parts = debrief.match(text, [[^on=(?<on>\S+) retries=2 attempts=5 codes=503 predicates=previous_hosts$]])
  if not parts then return false end
  local on, len = words(parts.on)
  for _, word in ipairs { "unavailable", "connect-failure", "refused-stream", "retriable-status-codes" } do
    if not on[word] then return false end
  end
  return len == 4 or len == 5 and on.reset
end

local function judge_retries(ev, subject)
  local default, own, none, shown = 0, 0, 0, {}
  for route in ev:each("xds.routes") do
    if route.action == "cluster" or route.action == "weighted" then
      if not route.retry then
        none = none + 1
      elseif is_default_retry(route.retry) then
        default = default + 1
        if #shown < 3 then shown[#shown + 1] = route end
      else
        own = own + 1
      end
    end
  end
  if default == 0 then return end
  local finding = ev:report("envoy-image.default-retry-policy", "proxy", subject,
    "%d routes retry as App Mesh lets them by default (2 retries, another host, 503 and connection failures); %d have a policy of their own, %d none", default, own, none)
    :advise("set a retry policy on the App Mesh route to change it; a virtual service whose provider is a virtual node cannot carry one: put a virtual router in between")
  for _, route in ipairs(shown) do finding:cite(route) end
end

-- "app-mesh", "envoy", or "own" for thresholds that a user set; of the usual priority alone.
local function origin_of(cluster)
  if not cluster.thresholds or not cluster.thresholds:find("DEFAULT", 1, true) then return "envoy" end
  local unlimited, usual = true, true
  for _, limit in ipairs(LIMITS) do
    unlimited = unlimited and cluster[limit] == UNLIMITED
    usual = usual and (cluster[limit] or USUAL[limit]) == USUAL[limit]
  end
  return unlimited and "app-mesh" or usual and "envoy" or "own"
end

local function add(list, cluster)
  list.len = (list.len or 0) + 1
  if #list < 3 then list[#list + 1] = cluster end
end

local function overflows(ev)
  for record in ev:each("stats") do
    if (ev:number(record, "value") or 0) > 0 then return true end
  end
  return false
end

local function names(list)
  local texts = {}
  for _, cluster in ipairs(list) do texts[#texts + 1] = cluster.name or "?" end
  return table.concat(texts, ", ") .. (list.len > #list and ", ..." or "")
end

local function judge_breakers(ev, subject, mesh)
  local found = { ["app-mesh"] = {}, envoy = {}, own = {} }
  for cluster in ev:each("xds.clusters") do
    if cluster.state ~= "static" or mesh == nil then add(found[origin_of(cluster)], cluster) end
  end
  local unlimited, usual, own = found["app-mesh"], found.envoy, found.own
  if mesh == "appmesh" and unlimited.len then
    local finding = ev:report("envoy-image.default-circuit-breakers", "proxy", subject,
      "%d clusters have App Mesh's default circuit breakers, which never open (%s each): %s; %d have limits of their own", unlimited.len, UNLIMITED, names(unlimited), own.len or 0)
      :advise("set connectionPool on the virtual node's listener to limit what it takes")
    for _, cluster in ipairs(unlimited) do finding:cite(cluster) end
  end
  if usual.len and (mesh == "appmesh" or overflows(ev)) then
    local finding = ev:report("envoy-image.envoy-circuit-breakers", "proxy", subject,
      "%d clusters run with Envoy's own circuit breakers (1024 connections, 1024 pending, 1024 requests, 3 retries), which nobody chose: %s", usual.len, names(usual))
      :advise("set circuit_breakers.thresholds where more is wanted; what is left out has Envoy's default, each limit for itself")
    for _, cluster in ipairs(usual) do finding:cite(cluster) end
  end
end

local function run(ev)
  local proxy = ev:first("proxy")
  local mesh, subject = proxy and proxy.mesh, proxy and proxy.node_id or "envoy"
  if mesh == "appmesh" then judge_retries(ev, subject) end
  judge_breakers(ev, subject, mesh)
end

return debrief.check {
  id = "envoy-image/defaults",
  title = "which retries and limits are defaults that nobody chose?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "appmesh" },
  needs = { "xds.routes | xds.clusters", "?xds.routes", "?xds.clusters", "?proxy", "?stats{cluster.*.upstream_cx_overflow}", "?stats{cluster.*.upstream_rq_pending_overflow}" },
  findings = {
    ["envoy-image.default-retry-policy"] = { title = "App Mesh's default retries", severity = "info" },
    ["envoy-image.default-circuit-breakers"] = { title = "App Mesh's default circuit breakers", severity = "info" },
    ["envoy-image.envoy-circuit-breakers"] = { title = "Envoy's own circuit breakers", severity = "info" },
  },
  run = run,
}
