-- Checks whose answer means something else than it seems: nodes of Kubernetes that fail by design because the service
-- keeps traffic where its pods are, and checks that end at the proxy and say nothing of the application behind it.

local DOCS = "https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip"
local GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"

-- ---- externalTrafficPolicy: Local ----

local TARGET_TYPE = 'metadata.annotations."service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"'

local function is_local(service)
  return service["spec.externalTrafficPolicy"] == "Local" and (service["spec.type"] == "LoadBalancer" or service["spec.type"] == "NodePort")
    and service[TARGET_TYPE] ~= "ip"
end

-- The nodes on which the service has a pod, as far as its slices tell.
local function nodes_of(ev, service)
  local nodes, seen, found = 0, {}, nil
  for slice in ev:each("k8s.endpoints") do
    if slice["metadata.namespace"] == service["metadata.namespace"] and slice['metadata.labels."kubernetes.io/service-name"'] == service["metadata.name"] then
      found = slice
      for endpoint in ev:items(slice, "endpoints") do
        if endpoint.nodeName and not seen[endpoint.nodeName] and endpoint["conditions.ready"] ~= "false" then
          seen[endpoint.nodeName] = true
          nodes = nodes + 1
        end
      end
    end
  end
  return found and nodes, found
end

-- Targets that are nodes, by the health of the check on the port that tells whether a pod is there.
local function count_nodes(ev, port)
  local healthy, sick, first = 0, 0, nil
  for target in ev:each("aws.target_health") do
    if (target.target or ""):find("^i%-") and (not port or target.check_port == port) then
      if target.state == "healthy" then healthy = healthy + 1 end
      if (target.state or ""):find("^unhealthy") then sick, first = sick + 1, first or target end
    end
  end
  return healthy, sick, first
end

-- What kubectl describe, or a paste of the service, tells, where the service itself is not among the evidence.
local function judge_told(ev)
  local told = ev:first("event.policy")
  local healthy, sick, first = count_nodes(ev)
  if not told or ev:first("k8s.services") or healthy == 0 or sick == 0 then return end
  ev:report("lb-health.local-traffic-policy", "service", told.workload or "service", "a service has externalTrafficPolicy: Local: only nodes that run one of its pods "
    .. "pass the load balancer's check, the others fail it by design (%d healthy, %d not)", healthy, sick):confidence("likely"):cite(told):cite(first)
    :advise("leave it, if it is the service that these targets are for; to have all nodes pass, run a pod on each (a DaemonSet)"):reference(DOCS)
end

-- kube-proxy answers on a service's health port only where the policy is Local: its answer alone tells of the policy.
local function judge_answer(ev)
  local none, some = ev:first("event.no_local"), ev:first("event.with_local")
  if not none or ev:first("k8s.services") or ev:first("event.policy") then return end
  local finding = ev:report("lb-health.local-traffic-policy", "service", none.workload or "service", "a node answers 503 because it runs no pod of the service "
    .. "(localEndpoints 0), which kube-proxy says only of services with externalTrafficPolicy: Local%s",
    some and "; another node runs one and answers 200: that is the design, and no fault" or ""):cite(none):cite(some)
    :advise("leave it, if some nodes are healthy; to have all of them pass, run a pod on each (a DaemonSet, or a spread over the nodes), or set the policy to Cluster, which "
      .. "hides the client's address"):reference(DOCS)
  if some then return end
  finding:confidence("likely")
  ev:ask { evidence = "k8s.endpoints", why = "whether the service has a ready pod on any node: without one no node can pass",
    how = "kubectl get endpointslices -A -o json; the same /healthz on the other nodes" }
end

local function judge_local(ev)
  judge_told(ev)
  judge_answer(ev)
  for service in ev:each("k8s.services") do
    local port = service["spec.healthCheckNodePort"]
    local healthy, sick, first = count_nodes(ev, port)
    local answered = ev:first("event.no_local")
    if is_local(service) and (healthy > 0 or sick == 0) and (sick > 0 or answered) then
      local nodes, slice = nodes_of(ev, service)
      local name = (service["metadata.namespace"] or "default") .. "/" .. (service["metadata.name"] or "?")
      ev:report("lb-health.local-traffic-policy", "service", name, "service %s has externalTrafficPolicy: Local: only nodes that run one of its pods%s pass the load "
        .. "balancer's check%s, the others fail it by design%s", name, nodes and string.format(" (%d of them)", nodes) or "", port and " on port " .. port or "",
        sick > 0 and string.format(" (%d healthy, %d not)", healthy, sick) or ""):cite(service):cite(first or answered):cite(slice)
        :advise("leave it, if some nodes are healthy; to have all of them pass, run a pod on each node (a DaemonSet), or set the policy to Cluster, which hides the "
          .. "client's address", string.format("kubectl patch service -n %s %s -p '{\"spec\":{\"externalTrafficPolicy\":\"Cluster\"}}'",
          service["metadata.namespace"] or "default", service["metadata.name"] or "NAME")):reference(DOCS)
    end
  end
end

local traffic_policy = debrief.check {
  id = "lb-health/traffic-policy",
  title = "do nodes fail the check because the service keeps traffic local?",
  applies = "platform = kubernetes|docker",
  version = "0.1.0",
  tags = { "kubernetes", "gateway" },
  needs = { "k8s.services | text", "aws.target_health | text", "?k8s.services", "?aws.target_health", "?k8s.endpoints" },
  events = {
    no_local = [["localEndpoints": ?0\b]],
    with_local = [["localEndpoints": ?[1-9]\d*]],
    policy = [[[eE]xternal ?[tT]raffic ?[pP]olicy"?: {1,16}"?Local\b]],
  },
  findings = {
    ["lb-health.local-traffic-policy"] = { title = "nodes without a pod fail the check by design", severity = "info",
      explains = { "lb-health.check-failing", "lb-health.backend-unready" } },
  },
  run = judge_local,
}

-- ---- a check that ends at the proxy ----

local ADMIN_PORTS = { ["9901"] = "the admin port", ["9902"] = "the proxy agent's port", ["15000"] = "the admin port", ["15020"] = "the agent's port",
  ["15021"] = "the proxy's readiness port", ["15090"] = "the proxy's statistics port", ["19000"] = "the admin port" }

-- Whether the proxy's listeners speak HTTP at all; nil when they are not known.
local function speaks_http(ev)
  if ev:state("xds.filter_chains") ~= "complete" then return nil end
  for chain in ev:each("xds.filter_chains") do
    if chain.network_filter == "http_connection_manager" then return true end
  end
  return false
end

local function by_walk(ev, group)
  local port = tonumber(group.check_port or "") or tonumber(group.port or "")
  local walk = ev:walk { port = port and math.tointeger(port), direction = "inbound", path = group.check_path or "/", tls = group.check_protocol == "HTTPS" }
  local last = walk.hops[#walk.hops]
  if walk.ends ~= "answered" or walk.broke or not last or (walk.status or 0) >= 300 then return nil end
  return string.format("asks %s, which the proxy answers itself (%s%s: %s)", group.check_path or "/", last.kind, last.name ~= "" and " " .. last.name or "", last.why),
    last.record
end

local function judge_depth(ev)
  local group, proxy = ev:first("aws.target_groups"), ev:first("proxy")
  if not proxy or proxy.mode ~= "sidecar" or ev:count("aws.target_groups") ~= 1 then
    return ev:not_applicable("no application stands behind this proxy that a target group's check should reach")
  end
  local check, what, record = group.check_protocol or "", nil, nil
  if ADMIN_PORTS[group.check_port or ""] then
    what = "asks " .. ADMIN_PORTS[group.check_port] .. " " .. group.check_port
  elseif (check == "TCP" or check == "TLS") and speaks_http(ev) ~= false then
    what = "opens a connection, which the proxy accepts whether or not the application runs"
  elseif check:find("^HTTP") then
    what, record = by_walk(ev, group)
  end
  if not what then return end
  local finding = ev:report("lb-health.node-check-skips-app", "target-group", group.name or group.arn or "target group",
    "the load balancer's check %s: it stays healthy while the application behind the proxy is down", what):cite(group):cite(record)
  finding:advise("check a path that the application answers, on the port that it serves: that proves the proxy and the application",
    string.format("aws elbv2 modify-target-group --target-group-arn %s --health-check-protocol HTTP --health-check-path /ping --health-check-port traffic-port",
      group.arn or "ARN")):reference(GUIDE)
  if check == "TCP" and speaks_http(ev) == nil then finding:confidence("likely") end
end

local depth = debrief.check {
  id = "lb-health/depth",
  title = "does the load balancer's check reach the application?",
  applies = "mode = sidecar",
  version = "0.1.0",
  tags = { "ecs", "appmesh" },
  needs = { "aws.target_groups", "proxy", "?xds.listeners", "?xds.filter_chains", "?xds.virtual_hosts", "?xds.routes", "?xds.clusters", "?clusters", "?hosts" },
  findings = {
    ["lb-health.node-check-skips-app"] = { title = "the check ends at the proxy and says nothing of the application", severity = "warning" },
  },
  run = judge_depth,
}

return { traffic_policy, depth }
