-- Whether the rules around the proxy let it out to its management server at all: security groups, network ACLs and routes
-- of its task as AWS describes them, or the network policies that select its pod. Reads rules only, tries nothing, and is
-- silent while the link is up.

local match, xds, identity = debrief.match, debrief.use "xds_stream", debrief.use "aws_identity"

local PROXY = [[(?i)(envoy|istio-proxy|proxyv2|consul-dataplane)]]

-- ---- which server ----

local function region_of(ev)
  local arn = match(identity.own_resource(ev) or "", [[^arn:aws[a-z-]*:appmesh:(?<region>[a-z0-9-]+):]])
  return arn and arn.region
end

-- name (the subject), host, port; and whether the link to it is known to be up
local function read_server(ev)
  local stream = xds.read(ev)
  local server, group = stream.servers[1], stream.groups[1]
  local name = server and (server.address or server.target) or group and group.name
  local host, port = (name or ""):match("^(.+):(%d+)$")
  local region = not host and region_of(ev)
  if region then
    host, port = "appmesh-envoy-management." .. region .. ".amazonaws.com", "443"
    name = name or host .. ":443"
  end
  local last = group and group.closes[#group.closes]
  local up = stream.link.up or stream.marks.success > 0 and not last
    or last and xds.is_recovered(ev, last, stream.link, stream.marks)
  return name, host, tonumber(port), up
end

local function report(ev, name, format, ...)
  return ev:report("ems-connection.egress-closed", "xds-server", name, format, ...)
end

-- ---- AWS ----

local REMEDY = {
  ["security-group"] = "allow outbound TCP to the port in the task's security group (and inbound from it in the endpoint's group)",
  ["network-acl"] = "allow the port outbound, and the ephemeral ports 1024-65535 inbound, in the subnet's network ACL",
  ["route"] = "give the subnet a route out: a NAT gateway, or an interface endpoint for the service (com.amazonaws.REGION.appmesh-envoy-management)",
  ["public-address"] = "give the task a public address (assignPublicIp ENABLED), or put it into a subnet with a NAT gateway",
}

local function has_proxy(ev, task)
  for container in ev:items(task, "containers") do
    if match((container.name or "") .. " " .. (container.image or ""), PROXY) then return true end
  end
  return false
end

local function judge_tasks(ev, name, host, port)
  local asked = 0
  for task in ev:each("aws.tasks") do
    if task.id and has_proxy(ev, task) and asked < 20 then
      asked = asked + 1
      local decision, why, record, reason = ev:path { from = task.id, to = host, port = port }
      if decision == "closed" then
        report(ev, name, "task %s cannot get out to %s:%d: %s", task.id:match("([^/]+)$"), host, port, why or "the rules close it")
          :cite(record):cite(task):advise(REMEDY[reason] or "open the way that the message names")
        return
      end
    end
  end
end

-- ---- Kubernetes ----

-- Whether the policy's pod selector takes the pod; nil when that cannot be told.
local function selects(ev, policy, pod)
  if policy["spec.podSelector.matchExpressions[0].key"] then return nil end
  for _, key in ipairs(ev:keys(policy, "spec.podSelector.matchLabels")) do
    local path = '."' .. key .. '"'
    if pod["metadata.labels" .. path] ~= policy["spec.podSelector.matchLabels" .. path] then return false end
  end
  return true
end

local function is_egress(ev, policy)
  for kind in ev:items(policy, "spec.policyTypes") do
    if kind == "Egress" then return true end
  end
  return policy["spec.policyTypes[0]"] == nil and policy["spec.egress[0].to"] ~= nil
end

-- Whether some rule lets PORT out to somewhere; a named port may be any.
local function lets_out(ev, policy, port, protocol)
  for rule in ev:items(policy, "spec.egress") do
    local any = true
    for entry in ev:items(rule, "ports") do
      any = false
      local from, to = tonumber(entry.port), tonumber(entry.endPort or entry.port)
      local fits = (entry.protocol or "TCP") == protocol
      if fits and (not entry.port or not from or port >= from and port <= (to or from)) then return true end
    end
    if any then return true end
  end
  return false
end

-- The policies that close PORT for the pod; nil when one lets it out, none selects it, or that cannot be told.
local function closed_by(ev, pod, port, protocol)
  local found
  for policy in ev:each("k8s.network_policies") do
    if policy["metadata.namespace"] == pod["metadata.namespace"] and is_egress(ev, policy) then
      local selected = selects(ev, policy, pod)
      if selected == nil or selected and lets_out(ev, policy, port, protocol) then return nil end
      if selected then found = found or policy end
    end
  end
  return found
end

local function is_proxy_pod(ev, pod)
  for container in ev:items(pod, "spec.containers") do
    if match((container.name or "") .. " " .. (container.image or ""), PROXY) then return true end
  end
  return false
end

local function judge_pods(ev, name, host, port)
  for pod in ev:each("k8s.pods") do
    if is_proxy_pod(ev, pod) and pod["spec.hostNetwork"] ~= "true" then
      local what = "TCP port " .. math.floor(port)
      local policy = closed_by(ev, pod, port, "TCP")
      if not policy and not match(host, [=[^[\d.]+$|:]=]) then
        policy, what = closed_by(ev, pod, 53, "UDP"), "port 53 to the resolver, which has to look its name up"
      end
      if policy then
        report(ev, name, "network policy %s lets pod %s send nothing to %s, and %s is the management server",
          policy.id or policy["metadata.name"], pod.id or pod["metadata.name"], what, name)
          :cite(policy):cite(pod)
          :snippet("allow it", "egress.yaml", string.format(
            "  egress:\n    - ports: [{ protocol: TCP, port: %d }]\n    - ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]\n", port))
        return
      end
    end
  end
end

local function run(ev)
  local name, host, port, up = read_server(ev)
  if not host then
    ev:not_applicable("no address of a management server is known")
    return
  end
  if up then return end
  judge_tasks(ev, name, host, port)
  judge_pods(ev, name, host, port)
end

return debrief.check {
  id = "ems-connection/egress",
  title = "do the rules around the proxy let it out to its management server?",
  applies = "any",
  version = "0.1.0",
  tags = { "xds", "appmesh", "ecs", "kubernetes" },
  needs = {
    "aws.tasks | k8s.network_policies", "?aws.tasks", "?aws.services", "?aws.container_instances", "?aws.instances", "?aws.network_interfaces",
    "?aws.subnets", "?aws.security_groups", "?aws.security_group_rules", "?aws.network_acls", "?aws.route_tables", "?aws.vpc_endpoints",
    "?aws.prefix_lists", "?k8s.network_policies", "?k8s.pods", "?bootstrap", "?proxy", "?env{APPMESH_RESOURCE_ARN}", "?log.xds_closed",
    "?log", "?log.start", "?log.stop", "?log.config_rejected", "?log.xds_answered", "?stats{*control_plane.connected_state}",
    "?stats{cluster_manager.cds.update_*}", "?stats{listener_manager.lds.update_*}", "?stats{grpc.*.streams_total}",
  },
  events = { google = xds.GOOGLE },
  findings = {
    ["ems-connection.egress-closed"] = { title = "the rules, as given, close the way to the management server", severity = "warning",
      explains = { "ems-connection.not-connected", "ems-connection.timeout", "ems-connection.no-answer", "ems-connection.dns-unreachable",
        "grpc-codes.internal", "probes.pre-initializing", "probes.live-unconfigured", "lb-health.no-listener" } },
  },
  run = run,
}
