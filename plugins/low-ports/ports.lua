-- Ports that nobody refuses in the log: a binary that may not start for its file capability, a port of the node that
-- keeps a pod from being placed, two processes that share a port in silence, and a gateway whose low ports moved.

local match = debrief.match

local function has(list, item)
  for word in (list or ""):gmatch("[^,]+") do
    word = word:upper():gsub("^CAP_", "")
    if word == item then return true end
  end
  return false
end

-- ---- a file capability outside the bounding set ----

-- The bounding set of a container lacks the capability: dropped and not added again.
local function dropped(container)
  local gone = has(container.caps_drop, "ALL") or has(container.caps_drop, "NET_BIND_SERVICE")
  local back = has(container.caps_add, "ALL") or has(container.caps_add, "NET_BIND_SERVICE")
  return gone and not back and container.privileged ~= "yes"
end

-- The manifest of the container that the line is about; the only container when it does not say.
local function manifest_of(ev, record)
  local found, several
  for container in ev:each("containers") do
    local image = container.image or ""
    local about = record.container and record.container == container.name or
      not record.container and match(image .. " " .. (container.name or ""), [[(?i)(envoy|proxy|gateway)]])
    if about then
      several = found ~= nil
      found = container
    end
  end
  return not several and found or nil
end

local function advise_capability(finding)
  finding
    :snippet("keep the capability in the container's bounding set when everything else is dropped", "pod.yaml",
      "securityContext:\n  capabilities:\n    drop: [\"ALL\"]\n    add: [\"NET_BIND_SERVICE\"]\n")
    :advise("or take the file capability off the binary in an image of your own, and listen on ports from 1024 on", "setcap -r /usr/local/bin/envoy")
    :reference("https://man7.org/linux/man-pages/man7/capabilities.7.html")
end

local function judge_exec(ev, record)
  local container = manifest_of(ev, record)
  if container and not dropped(container) then return end
  local name = record.container or (container and container.name) or record.path
  local finding = ev:report("low-ports.file-capability-dropped", "container", name,
    "%s may not be executed: its file carries a capability that the container's bounding set lacks%s",
    record.path, container and (", which '" .. (container.name or "?") .. "' drops (" .. container.caps_drop .. ")") or "")
  finding:cite(record):cite(container)
  if not container then
    finding:confidence "likely"
      :candidate("low-ports.file-capability-dropped", { ["for"] = "execve answers EPERM when a file's effective capability cannot be had", against = "the manifest that would show the dropped capability is not there" })
    ev:ask { evidence = "containers", why = "the manifest tells whether NET_BIND_SERVICE is dropped; a security module prints the same line",
      how = "@definition@; and getcap " .. record.path }
  end
  advise_capability(finding)
end

local file_capability = debrief.check {
  id = "low-ports/file-capability",
  title = "may the proxy's binary be executed with the capabilities that are left?",
  applies = "any",
  tags = { "gateway", "kubernetes" },
  needs = { "text", "?containers", "?container_status" },
  events = {
    exec = {
      pattern = [[(?:exec|fork/exec|ba?sh(?:: line \d+)?|starting container process caused)[ :]{1,3}"?(?<path>/[\w./-]*(?:envoy|pilot-agent|agent|nginx|haproxy)[\w.-]*)"?: operation not permitted]],
      caseless = true },
  },
  findings = {
    ["low-ports.file-capability-dropped"] = { title = "the binary's file capability is not in the container's bounding set", severity = "error",
      explains = { "probes.wrong-address", "probes.initializing", "lb-health.no-listener", "lb-health.check-failing" } },
  },
  run = function(ev)
    for record in ev:each("event.exec") do judge_exec(ev, record) end
  end,
}

-- ---- a port of the node ----

local function placed(ev, object)
  for status in ev:each("container_status") do
    if object and status.workload == object and status.state == "running" then return true end
  end
  return false
end

local function judge_unplaced(ev, record, kind, name, format, ...)
  local finding = ev:report("low-ports.host-port-taken", kind, name, format, ...):cite(record)
  if kind == "pod" and placed(ev, name) then finding:severity "info":when "before" end
  return finding
end

-- What ECS names as lacking: what it means, and what decides.
local LACKING = {
  ["RESOURCE:ENI"] = { "no network interface is left on it, and each task in network mode awsvpc takes one",
    "the instance type's limit of interfaces, whether trunking (awsvpcTrunking) is on, and how many tasks it runs",
    "aws ecs list-account-settings --name awsvpcTrunking --effective-settings; aws ec2 describe-instance-types --instance-types TYPE --query 'InstanceTypes[].NetworkInfo.MaximumNetworkInterfaces'; aws ecs describe-container-instances --cluster CLUSTERNAME --container-instances %s",
    "switch ENI trunking on and replace the instances (types that have it), take a larger type, or add instances" },
  ["RESOURCE:MEMORY"] = { "its memory is taken by other tasks", "what the instance has left", nil, "add an instance, or ask for less memory in the task definition" },
  ["RESOURCE:CPU"] = { "its CPU units are taken by other tasks", "what the instance has left", nil, "add an instance, or ask for less CPU in the task definition" },
  ["RESOURCE:FARGATE"] = { "Fargate has no capacity of that kind at this time in the Availability Zones of the service's subnets",
    "which capacity providers and subnets the service names", "aws ecs describe-services --cluster CLUSTERNAME --services SERVICE --query 'services[].[capacityProviderStrategy,networkConfiguration]'",
    "give the service subnets in more Availability Zones, and FARGATE beside FARGATE_SPOT in its capacity provider strategy; ECS tries again by itself" },
  AGENT = { "its ECS agent is not connected", "whether the agent runs and reaches ECS", nil, "start the agent anew, or replace the instance" },
  ATTRIBUTE = { "it lacks an attribute that the task asks for", "the attributes asked for and those of the instance", nil,
    "compare requiresAttributes of the task definition with the attributes of the instance (agent version, network mode, log driver)" },
}
local INSTANCE = "aws ecs describe-container-instances --cluster CLUSTERNAME --container-instances %s --query 'containerInstances[].[agentConnected,remainingResources,attributes]'"

local function judge_placement(ev, record)
  local text = record.message or ""
  if match(text, "already using a port") then return end
  local instance = match(text, [[container-instance (?<id>[\w-]{8,})]])
  local said = match(text, [[encountered error "?(?<what>[A-Z]+(?::[A-Z]+)?)]]) or match(text, [[has insufficient (?<what>memory|CPU)]])
    or match(text, [[is missing an (?<what>attribute)]]) or match(text, [[(?<what>agent) (?:is )?(?:disconnected|not connected)]])
  local word = said and said.what:upper() or ""
  local row = LACKING[word] or LACKING["RESOURCE:" .. word]
  local id = instance and instance.id or "INSTANCE"
  local finding = ev:report("low-ports.not-placed", "service", record.service or "service", "ECS places no task of %s: %s", record.service or "the service",
    row and (instance and "the closest instance (" .. id .. ") is refused because " or "instances are refused because ") .. row[1]
      or "no container instance met all of its requirements" .. (said and " (" .. said.what .. ")" or "")):cite(record)
  if row then finding:advise(row[4]) end
  finding:reference("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html")
  ev:ask { evidence = "aws.container_instances", why = row and row[2] or "what the instances have left, and what the task asks for", how = string.format(row and row[3] or INSTANCE, id) }
end

-- The name of an event of EventBridge, with its reason where that is told.
local function judge_failure(ev, record)
  local reason = record.reason and record.reason ~= "" and record.reason or nil
  local row, service = LACKING[reason or ""], record.workload
  local why = record.constraint and "a task no longer meets the placement constraint of its daemon service"
    or row and row[1] or reason or "the event tells no reason"
  local finding = ev:report("low-ports.not-placed", "service", service or "service", "ECS places no task of %s (%s): %s", service or "the service", record.name, why)
    :cite(record):reference("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html")
  if row then finding:advise(row[4]) end
  ev:ask { evidence = "aws/describe-services.json", why = "the service's events say in a sentence what no instance or capacity provider had",
    how = "aws ecs describe-services --cluster CLUSTERNAME --services " .. (service or "SERVICE") .. " --output json > services.json" }
end

local host_port = debrief.check {
  id = "low-ports/host-port",
  title = "is the node's port free that the proxy asks for?",
  applies = "any",
  tags = { "gateway", "ecs", "kubernetes" },
  needs = { "text", "?container_status", "?containers" },
  events = {
    no_free_port = [[didn't have free ports for the requested pod ports]],
    not_placed = [[(?:service (?<service>[\w-]+) )?was unable to place a task because no container instance met all of its requirements]],
    failure = [[\b(?<name>SERVICE_TASK_PLACEMENT_FAILURE|SERVICE_DAEMON_PLACEMENT_(?<constraint>CONSTRAINT)_VIOLATED)\b(?::? *"?(?<reason>[A-Z]+:[A-Z]+))?]],
    instance_port = [[closest matching \(?container-instance (?<instance>[\w-]+)\)? is already using a port required by your task]],
  },
  findings = {
    ["low-ports.not-placed"] = { title = "ECS places no task: no instance has what it asks for", severity = "warning",
      explains = { "lb-health.check-failing", "lb-health.no-listener", "probes.initializing" } },
    ["low-ports.host-port-taken"] = { title = "the node's port is taken, so the proxy is not placed", severity = "error",
      explains = { "lb-health.check-failing", "lb-health.no-listener", "probes.initializing" } },
  },
  run = function(ev)
    for record in ev:each("event.no_free_port") do
      judge_unplaced(ev, record, "pod", record.workload or "pod",
        "no node has the host port free that %s asks for: it is not scheduled", record.workload or "the pod")
        :advise("see who holds it: another pod of the same kind, an old replica during a rolling update, or a host-network pod",
          "kubectl get pods -A -o json | jq -r '.items[]|select(.spec.containers[].ports[]?.hostPort)|.metadata.namespace+\"/\"+.metadata.name+\" \"+.spec.nodeName'")
        :advise("with hostPort or hostNetwork run no more replicas than nodes, and let an update take the old pod away first (maxSurge: 0, maxUnavailable: 1)")
        :reference("https://kubernetes.io/docs/concepts/configuration/overview/")
    end
    for record in ev:each("event.instance_port") do
      judge_unplaced(ev, record, "task", record.instance,
        "container instance %s already uses a port that the task asks for: the task is not placed", record.instance)
        :advise("let ECS choose the host port (hostPort 0 in bridge mode), use network mode awsvpc, or add an instance")
        :advise("or let a deployment stop the old task first (minimumHealthyPercent 0)")
        :reference("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html")
    end
    for record in ev:each("event.not_placed") do judge_placement(ev, record) end
    local failure = ev:last("event.failure")
    if failure and ev:count("event.not_placed") + ev:count("event.instance_port") == 0 then judge_failure(ev, failure) end
  end,
}

-- ---- one port, two processes ----

-- The processes of one line of ss or netstat: a set by number, and a text.
local function holders(record)
  local pids, names = {}, {}
  for name, pid in (record.process or ""):gmatch('%("([^"]+)",pid=(%d+)') do
    pids[pid] = name
    names[#names + 1] = name .. " (" .. pid .. ")"
  end
  local pid, name = (record.process or ""):match("^(%d+)/(.+)$")
  if pid then
    pids[pid] = name
    names[1] = name .. " (" .. pid .. ")"
  end
  return pids, table.concat(names, ", ")
end

-- Sockets that were inherited or passed on (workers, hot restart) have a process in common.
local function apart(one, other)
  for pid in pairs(one) do
    if other[pid] then return false end
  end
  return next(one) ~= nil and next(other) ~= nil
end

local function holds_proxy(pids)
  for _, name in pairs(pids) do
    if match(name, [[(?i)(envoy|pilot-agent)]]) then return true end
  end
  return false
end

local function judge_sharing(ev, first, second, port)
  local one, one_text = holders(first)
  local other, other_text = holders(second)
  if not apart(one, other) or not (holds_proxy(one) or holds_proxy(other)) then return end
  ev:report("low-ports.silent-port-share", "address", port,
    "%s and %s listen on %s at the same time: the kernel deals connections out between them, and neither reports an error",
    one_text, other_text, port)
    :cite(first):cite(second)
    :advise("end the process that should not be there, or give one of the two another port")
    :advise("where one port must have one holder, switch sharing off: a second bind then fails with an error")
    :snippet("a listener that does not share its port", "listener.yaml", "enable_reuse_port: false\n")
    :reference("https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener.proto")
end

local sharing = debrief.check {
  id = "low-ports/sharing",
  title = "is the proxy alone on its ports?",
  applies = "mode != proxyless",
  tags = { "gateway" },
  needs = { "host.sockets" },
  findings = {
    ["low-ports.silent-port-share"] = { title = "two processes share the proxy's port", severity = "error",
      explains = { "lb-health.check-failing", "probes.wrong-address", "upstreams.no-route" } },
  },
  run = function(ev)
    local seen, anonymous = {}, nil
    for record in ev:each("host.sockets") do
      local key = (record.address or "?") .. ":" .. (record.port or "?")
      if not record.process and seen[key] then anonymous = key end
      for _, before in ipairs(seen[key] or {}) do judge_sharing(ev, before, record, key) end
      seen[key] = seen[key] or {}
      if #seen[key] < 8 then table.insert(seen[key], record) end
    end
    if anonymous then
      ev:ask { evidence = "host.sockets", why = anonymous .. " has several sockets, and the table does not tell whose they are",
        how = "ss -ltnp as root, in the proxy's network namespace, then --evidence FILE" }
    end
  end,
}

-- ---- a gateway whose low ports moved ----

-- Envoy Gateway listens on 10000 + n for a port below 1024; a Service in front maps it back, the host's network does not.
local function is_envoy_gateway(ev, container, listener)
  return match(listener.name or "", [[^[\w.-]+/[\w.-]+/[\w.-]+$]]) or
    match((container.workload or "") .. " " .. (container.image or ""), [[(?i)(envoy-gateway|envoyproxy/gateway)]])
end

local shift = debrief.check {
  id = "low-ports/shift",
  title = "does a gateway on the host's network listen where clients ask?",
  applies = "mesh = envoy-gateway, mode = gateway",
  tags = { "gateway", "kubernetes" },
  needs = { "listeners | xds.listeners", "containers" },
  findings = {
    ["low-ports.host-network-shift"] = { title = "a gateway on the host's network listens on 10000 + n, not on the low port", severity = "warning",
      explains = { "lb-health.no-listener", "lb-health.check-failing" } },
  },
  run = function(ev)
    local host
    for container in ev:each("containers") do
      if container.host_network == "yes" and match((container.image or "") .. (container.name or ""), [[(?i)(envoy|proxy|gateway)]]) then host = container end
    end
    if not host then return end
    local ports, moved = {}, {}
    for _, name in ipairs { "listeners", "xds.listeners" } do
      for record in ev:each(name) do
        local port = ev:number(record, "port")
        if port then
          ports[port] = true
          if port > 10000 and port < 11024 and is_envoy_gateway(ev, host, record) then moved[port] = moved[port] or record end
        end
      end
    end
    for port, record in pairs(moved) do
      if not ports[port - 10000] then
        ev:report("low-ports.host-network-shift", "listener", record.name or tostring(port),
          "listener '%s' for port %d is bound at %d: on the host's network no Service maps it back, so clients that ask for port %d find nobody",
          record.name or "?", port - 10000, port, port - 10000)
          :confidence "likely":cite(record):cite(host)
          :advise("point clients and the load balancer's target port at " .. port)
          :snippet("or let the gateway bind the port itself (it then needs the privilege for it)", "envoyproxy.yaml",
            "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\nspec:\n  provider:\n    type: Kubernetes\n    kubernetes:\n      useListenerPortAsContainerPort: true\n")
          :reference("https://gateway.envoyproxy.io/docs/api/extension_types/")
      end
    end
  end,
}

return { file_capability, host_port, sharing, shift }
