-- A virtual gateway of App Mesh that answers the load balancer's check with 404, where the proxy's own configuration is not
-- in evidence: if every gateway route names a host, none serves the target's address, which the check sends as Host; if a
-- route takes any host, but none the path of the check, it is the path. Whether the routes given are all there are is not
-- known, so this is likely, never certain.

local GUIDE = "https://docs.aws.amazon.com/app-mesh/latest/userguide/gateway-routes.html"

local PATHS = { "httpRoute", "http2Route", "grpcRoute" }

-- The host that a gateway route demands; nil when it takes any. Kubernetes keeps the same under spec.
local function host_of(route)
  for _, kind in ipairs(PATHS) do
    local name = route["spec." .. kind .. ".match.hostname.exact"]
    local suffix = route["spec." .. kind .. ".match.hostname.suffix"]
    if name or suffix then return name or "*" .. suffix end
  end
end

local function gateway_of(route)
  return route.virtualGatewayName or route["spec.virtualGatewayRef.name"] or "?"
end

-- Whether the route takes PATH; nil: it matches by more than a path.
local function takes(route, path)
  for _, kind in ipairs(PATHS) do
    local at = "spec." .. kind .. ".match"
    local prefix, exact = route[at .. ".prefix"] or route[at .. ".path.prefix"], route[at .. ".path.exact"]
    if route[at .. ".path.regex"] or kind == "grpcRoute" and route[at .. ".serviceName"] then return nil end
    if exact then return exact == path, exact end
    if prefix then return path:sub(1, #prefix) == prefix, prefix .. "*" end
  end
end

-- Whether some route that takes any host takes the path, and the paths that they take; nil: not to be told.
local function serves(routes, path)
  local taken = {}
  for _, route in ipairs(routes) do
    if not host_of(route) then
      local yes, what = takes(route, path)
      if yes == nil then return nil end
      if yes then return true end
      taken[#taken + 1] = what
    end
  end
  return false, table.concat(taken, ", ")
end

-- The gateway's routes, its hosts, and whether some route takes any host; nil with several gateways.
local function read_routes(ev)
  local gateway, routes, hosts, any = nil, {}, {}, false
  for _, name in ipairs { "aws.appmesh", "k8s.appmesh" } do
    for route in ev:each(name) do
      if route.kind == "gatewayRoute" or route.kind == "GatewayRoute" then
        if gateway and gateway ~= gateway_of(route) then return nil end
        gateway = gateway_of(route)
        routes[#routes + 1] = route
        hosts[#hosts + 1] = host_of(route)
        any = any or host_of(route) == nil
      end
    end
  end
  return #routes > 0 and { gateway = gateway, routes = routes, hosts = table.concat(hosts, ", "), any = any } or nil
end

-- The path that the check asks for.
local function path_of(ev)
  for record in ev:each("access.health_check") do
    if record.code == "404" and record.path then return record.path end
  end
  local group = ev:count("aws.target_groups") == 1 and ev:first("aws.target_groups")
  return group and group.check_path or nil
end

-- The record that tells of a 404, with the kind and name of what fails, as the section's other checks name it.
local function not_found(ev)
  for target in ev:each("aws.target_health") do
    if (target.description or ""):find("[404]", 1, true) then
      return target, "target", (target.target or "?") .. (target.port and ":" .. target.port or "")
    end
  end
  for record in ev:each("access.health_check") do
    if record.code == "404" then return record, "proxy", ev:first("proxy") and ev:first("proxy").node_id or "envoy" end
  end
  local event = ev:first("event.not_found")
  if event then return event, "target-group", event.arn:match("targetgroup/([^/]+)") or event.arn end
end

local function judge_path(ev, routes, record, kind, name)
  local path = path_of(ev)
  local served, taken = nil, nil
  if path then served, taken = serves(routes.routes, path) end
  if served ~= false then return end
  ev:report("lb-health.wrong-path", kind, name, "the load balancer's check asks for %s, and the gateway routes of %s that are given take only %s: the gateway answers 404",
    path, routes.gateway, taken):confidence("likely"):when("now"):cite(record):cite(routes.routes[1])
    :advise("check a path that a gateway route takes, and that the application answers with 200",
      "aws elbv2 modify-target-group --target-group-arn ARN --health-check-path PATH")
    :advise("or add a gateway route for " .. path .. " to a virtual service that answers it"):reference(GUIDE)
  ev:ask { evidence = "admin/config_dump.json", why = "the routes that the gateway has tell for certain whether one takes that path",
    how = "curl -s http://ADMIN/config_dump > config_dump.json, then --evidence" }
end

return debrief.check {
  id = "lb-health/gateway-routes",
  title = "does a gateway route serve what the load balancer asks for?",
  applies = "mesh = appmesh, mode = gateway",
  version = "0.1.0",
  tags = { "appmesh", "gateway" },
  needs = { "aws.appmesh{gatewayRoute} | k8s.appmesh", "?aws.appmesh{gatewayRoute}", "?k8s.appmesh", "?aws.target_health", "?aws.target_groups",
    "?access.health_check", "?proxy", "?xds.virtual_hosts" },
  events = {
    not_found = [[is unhealthy in \(?target-group (?<arn>[^ )]+)\)? due to \(reason Health checks failed with these codes: \[404]],
  },
  findings = {
    ["lb-health.wrong-host"] = { title = "no virtual host serves the Host of the check", severity = "error", explains = { "lb-health.check-failing" } },
    ["lb-health.wrong-path"] = { title = "the path of the check is not served as the check wants it", severity = "error", explains = { "lb-health.check-failing" } },
  },
  run = function(ev)
    local routes = read_routes(ev)
    local record, kind, name = not_found(ev)
    if not routes or not record or ev:first("xds.virtual_hosts") then return end
    if routes.any then return judge_path(ev, routes, record, kind, name) end
    ev:report("lb-health.wrong-host", kind, name, "the load balancer's check sends the target's address as Host, and every gateway route of %s that is given "
      .. "demands another one (%s): the gateway answers 404", routes.gateway, routes.hosts):confidence("likely"):when("now"):cite(record):cite(routes.routes[1])
      :advise("check the gateway by TCP on the listener's port (network load balancer): its health then does not depend on routes",
        "aws elbv2 modify-target-group --target-group-arn ARN --health-check-protocol TCP")
      :advise("or add a gateway route without a hostname for the check's path, to a virtual service that answers it"):reference(GUIDE)
    ev:ask { evidence = "admin/config_dump.json", why = "the virtual hosts that the gateway has tell for certain whether one serves the target's address",
      how = "curl -s http://ADMIN/config_dump > config_dump.json, then --evidence" }
  end,
}
