-- A virtual gateway of App Mesh that answers the load balancer's check with 404, where the proxy's own configuration is not
-- in evidence: if every gateway route names a host, none serves the target's address, which the check sends as Host. Whether
-- the routes given are all there are is not known, so this is likely, never certain.

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

-- The record that tells of a 404, with the kind and name of what fails, as the section's other checks name it.
local function not_found(ev)
  for target in ev:each("aws.target_health") do
    if (target.description or ""):find("[404]", 1, true) then
      return target, "target", (target.target or "?") .. (target.port and ":" .. target.port or "")
    end
  end
  local event = ev:first("event.not_found")
  if event then return event, "target-group", event.arn:match("targetgroup/([^/]+)") or event.arn end
end

return debrief.check {
  id = "lb-health/gateway-routes",
  title = "does a gateway route serve what the load balancer asks for?",
  applies = "mesh = appmesh, mode = gateway",
  version = "0.1.0",
  tags = { "appmesh", "gateway" },
  needs = { "aws.appmesh{gatewayRoute} | k8s.appmesh", "?aws.appmesh{gatewayRoute}", "?k8s.appmesh", "?aws.target_health", "?xds.virtual_hosts" },
  events = {
    not_found = [[is unhealthy in \(?target-group (?<arn>[^ )]+)\)? due to \(reason Health checks failed with these codes: \[404]],
  },
  findings = {
    ["lb-health.wrong-host"] = { title = "no virtual host serves the Host of the check", severity = "error", explains = { "lb-health.check-failing" } },
  },
  run = function(ev)
    local routes = read_routes(ev)
    local record, kind, name = not_found(ev)
    if not routes or not record or routes.any or ev:first("xds.virtual_hosts") then return end
    ev:report("lb-health.wrong-host", kind, name, "the load balancer's check sends the target's address as Host, and every gateway route of %s that is given "
      .. "demands another one (%s): the gateway answers 404", routes.gateway, routes.hosts):confidence("likely"):when("now"):cite(record):cite(routes.routes[1])
      :advise("check the gateway by TCP on the listener's port (network load balancer): its health then does not depend on routes",
        "aws elbv2 modify-target-group --target-group-arn ARN --health-check-protocol TCP")
      :advise("or add a gateway route without a hostname for the check's path, to a virtual service that answers it"):reference(GUIDE)
    ev:ask { evidence = "admin/config_dump.json", why = "the virtual hosts that the gateway has tell for certain whether one serves the target's address",
      how = "curl -s http://ADMIN/config_dump > config_dump.json, then --evidence" }
  end,
}
