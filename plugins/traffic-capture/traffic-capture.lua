-- Whether traffic is redirected into the proxy as it should be, judged by the settings alone: before anything runs, or
-- beside what went wrong. A setting that the evidence does not tell (a template's, an imported value) decides nothing.

local match = debrief.match

local MULTIPORT_MAX = 15 -- ports of one iptables multiport match; a range counts twice
local NFS = "2049"

-- Helpers beside the application whose ports are not the application's.
local HELPERS = [[(?i)(xray|x-ray|cloudwatch|cw-?agent|datadog|dd-agent|otel|adot|fluent|firelens|log_router|statsd|prometheus|vector|filebeat|promtail)]]
local PROXY_VARIABLES = { HTTP_PROXY = true, HTTPS_PROXY = true, http_proxy = true, https_proxy = true, ALL_PROXY = true,
  all_proxy = true }

-- Where a setting is changed, in the words of the platform.
local NAMES = {
  ecs = { uid = "IgnoredUID", app = "AppPorts", ignored = "EgressIgnoredPorts", where = "proxyConfiguration.properties" },
  appmesh = { uid = "APPMESH_IGNORE_UID", app = "appmesh.k8s.aws/ports", ignored = "appmesh.k8s.aws/egressIgnoredPorts",
    where = "the pod's annotations" },
  istio = { uid = "--proxy-uid", app = "traffic.sidecar.istio.io/includeInboundPorts",
    ignored = "traffic.sidecar.istio.io/excludeOutboundPorts", where = "the pod's annotations" },
  consul = { uid = "proxy uid", app = "transparent proxy", where = "the pod's annotations",
    ignored = "consul.hashicorp.com/transparent-proxy-exclude-outbound-ports" },
}

local function names_of(capture)
  return capture.platform == "ecs" and NAMES.ecs or NAMES[capture.by]
end

local function known(capture, column)
  return not (("," .. (capture.unknown or "") .. ","):find("," .. column .. ",", 1, true))
end

local function parts(text)
  local out = {}
  for part in (text or ""):gmatch("[^,%s]+") do out[#out + 1] = part end
  return out
end

-- Whether PORT is in a list of ports and ranges ("22,8000:8010", "8000-8010").
local function holds(list, port)
  local wanted = tonumber(port)
  for _, part in ipairs(parts(list)) do
    local from, to = part:match("^(%d+)[:-](%d+)$")
    from, to = tonumber(from or part), tonumber(to or part)
    if part == "*" or (wanted and from and to and wanted >= from and wanted <= to) then return true end
  end
  return false
end

local function same(a, b)
  return (a or "") == (b or "")
end

local function subject_of(capture)
  local kind = capture.platform == "ecs" and "task" or "pod"
  return kind, capture.workload and capture.workload ~= "" and capture.workload or "proxyConfiguration"
end

local function proxy_container(ev, capture)
  for record in ev:each("containers") do
    if same(record.workload, capture.workload) and record.name == capture.container then return record end
  end
  return nil
end

-- ---- whose traffic is left alone ----

-- 0 for root; nil for a name or for what is not said.
local function number_of(text)
  if text == "root" then return 0 end
  return tonumber((text or ""):match("^%d+$"))
end

local function is_among(list, number)
  for _, part in ipairs(parts(list)) do
    if number_of(part) == number then return true end
  end
  return false
end

-- true, false, or nil when it cannot be told
local function is_left_alone(capture, user)
  local uid, gid = (user or ""):match("^([^:]*):?(.*)$")
  uid, gid = number_of(uid), number_of(gid)
  if not known(capture, "uid") or not known(capture, "gid") then return nil end
  if uid and capture.uid and is_among(capture.uid, uid) then return true end
  if gid and capture.gid and is_among(capture.gid, gid) then return true end
  local uid_differs = not capture.uid or uid ~= nil
  local gid_differs = not capture.gid or gid ~= nil
  if (capture.uid or capture.gid) and uid_differs and gid_differs then return false end
  return nil
end

local function ask_for_user(ev, capture)
  ev:ask { evidence = "manifest",
    why = "the redirect leaves only the proxy's own user alone: IgnoredUID or IgnoredGID and the user of the proxy's container must agree",
    how = "@definition@" }
end

local function judge_uid(ev, capture)
  local proxy = proxy_container(ev, capture)
  local alone = proxy and is_left_alone(capture, proxy.user)
  if alone == nil then
    if capture.platform == "ecs" then ask_for_user(ev, capture) end
    return
  end
  if alone then return end
  local exempt = capture.uid and ("user " .. capture.uid) or ("group " .. capture.gid)
  ev:report("traffic-capture.uid-mismatch", "container", proxy.name,
    "the redirect leaves %s alone, but the proxy's container %s runs as user %s: its own traffic is sent back into itself",
    exempt, proxy.name, proxy.user)
    :cite(capture):cite(proxy)
    :advise(string.format("let both agree: run container %s as %s, or set %s to its user (root cannot be told from others' traffic)",
      proxy.name, exempt, names_of(capture).uid))
    :reference("https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ProxyConfiguration.html")
end

-- An application that runs as the proxy's user is taken for the proxy: its traffic passes by the mesh. Helpers are
-- often run so on purpose.
local function judge_application(ev, capture)
  if capture.platform == "ecs" or not capture.uid or not known(capture, "uid") then return end
  for record in ev:each("containers") do
    local uid = number_of(record.user)
    if same(record.workload, capture.workload) and record.init ~= "yes" and record.name ~= capture.container and uid and is_among(capture.uid, uid)
      and not match((record.name or "") .. " " .. (record.image or ""), HELPERS) and not match((record.name or "") .. " " .. (record.image or ""), [[(?i)envoy|proxy|dataplane]]) then
      ev:report("traffic-capture.application-left-alone", "container", record.name,
        "container %s runs as user %s, which the redirect leaves alone for the proxy's sake: its traffic passes by the mesh", record.name, record.user)
        :confidence("likely"):cite(capture):cite(record)
        :advise("run the application as another user (securityContext.runAsUser of its container, not of the whole pod)")
        :reference("https://istio.io/latest/docs/ops/deployment/application-requirements/")
    end
  end
end

-- ---- which ports ----

local function count_ports(list)
  local count = 0
  for _, part in ipairs(parts(list)) do count = count + (part:find("[:-]") and 2 or 1) end
  return count
end

local function judge_multiport(ev, capture)
  if capture.by ~= "appmesh" then return end
  for column, name in pairs { ignored_ports = names_of(capture).ignored, app_ports = names_of(capture).app } do
    local count = known(capture, column) and count_ports(capture[column]) or 0
    if count > MULTIPORT_MAX then
      local kind, subject = subject_of(capture)
      ev:report("traffic-capture.too-many-ignored-ports", kind, subject,
        "%s lists %d ports; App Mesh puts them into one iptables multiport match, which takes %d: the redirect cannot be set up",
        name, count, MULTIPORT_MAX)
        :cite(capture)
        :advise(string.format("leave at most %d ports in %s; leave out whole addresses instead where that serves as well (EgressIgnoredIPs)",
          MULTIPORT_MAX, name))
        :reference("https://man7.org/linux/man-pages/man8/iptables-extensions.8.html")
    end
  end
end

-- Ports that a container of a task or pod serves over TCP.
local function tcp_ports(ev, container, member, key)
  local out = {}
  for mapping in ev:items(container, member) do
    local protocol = (mapping.protocol or "tcp"):lower()
    if protocol ~= "udp" and protocol ~= "sctp" and mapping[key] then out[#out + 1] = mapping[key] end
  end
  return out
end

local SPECS = { Pod = "spec", CronJob = "spec.jobTemplate.spec.template.spec" }

local function each_container(ev, capture, visit)
  if capture.platform == "ecs" then
    for record in ev:each("aws.task_definitions") do
      if same(record.id, capture.workload) then
        for container in ev:items(record, "containerDefinitions") do
          visit(container, tcp_ports(ev, container, "portMappings", "containerPort"), record)
        end
      end
    end
    return
  end
  for _, name in ipairs { "k8s.pods", "k8s.workloads" } do
    for record in ev:each(name) do
      if record.id == capture.workload then
        local spec = SPECS[record.kind or "Pod"] or "spec.template.spec"
        for container in ev:items(record, spec .. ".containers") do
          visit(container, tcp_ports(ev, container, "ports", "containerPort"), record)
        end
      end
    end
  end
end

local function is_application(capture, container)
  local name = container.name
  return name and name ~= capture.container and not match(name .. " " .. (container.image or ""), HELPERS)
    and not match(name, [[^(istio-proxy|envoy|envoy-sidecar|consul-dataplane)$]])
end

local function judge_app_ports(ev, capture)
  local list = capture.app_ports
  if not known(capture, "app_ports") or (list == nil and capture.by ~= "appmesh") then return end
  if list == nil and capture.set_up_by == "annotations" then return end -- the VirtualNode's ports are taken
  if list == "" and capture.by ~= "appmesh" then return end             -- none, and said so
  each_container(ev, capture, function(container, ports)
    local captured = false
    for _, port in ipairs(ports) do captured = captured or holds(list, port) end
    if captured or #ports == 0 or not is_application(capture, container) then return end
    ev:report("traffic-capture.app-port-missing", "container", container.name,
      "container %s serves port %s, but %s holds %s: what comes in for it passes the proxy by", container.name,
      table.concat(ports, ", "), names_of(capture).app, (list == nil or list == "") and "no port" or list)
      :cite(capture):cite(container)
      :advise(string.format("add the port to %s (%s), unless it is meant to be reached without the mesh", names_of(capture).app,
        names_of(capture).where))
  end)
end

-- ---- file systems that are mounted before the proxy runs ----

local function only_link_local(ips)
  for _, ip in ipairs(parts(ips)) do
    if not ip:match("^169%.254%.") and not ip:match("^fd00:ec2") and not ip:match("^127%.") then return false end
  end
  return true
end

local function efs_volume(ev, capture)
  for record in ev:each("aws.task_definitions") do
    if same(record.id, capture.workload) then
      for volume in ev:items(record, "volumes") do
        if #ev:keys(volume, "efsVolumeConfiguration") > 0 then return volume end
      end
    end
  end
  return nil
end

local function judge_efs(ev, capture)
  if capture.platform ~= "ecs" or not known(capture, "ignored_ports") or not known(capture, "ignored_ips") then return end
  local volume = efs_volume(ev, capture)
  if not volume or holds(capture.ignored_ports, NFS) or not only_link_local(capture.ignored_ips) then return end
  local kind, subject = subject_of(capture)
  ev:report("traffic-capture.port-not-ignored", kind, subject,
    "the task mounts EFS volume %s, but port 2049 (NFS) is not in EgressIgnoredPorts: the mount is redirected to a proxy that does not run yet",
    volume.name or "(no name)")
    :confidence "likely":cite(capture):cite(volume)
    :advise("add 2049 to EgressIgnoredPorts of the proxy configuration and register the task definition anew")
    :snippet("in proxyConfiguration.properties", "task-definition.json",
      string.format('{ "name": "EgressIgnoredPorts", "value": "%s" }',
        (capture.ignored_ports or "") == "" and NFS or capture.ignored_ports .. "," .. NFS))
    :reference("https://docs.aws.amazon.com/app-mesh/latest/userguide/troubleshooting-connectivity.html")
end

-- ---- a second proxy ----

local function judge_other_redirect(ev, captures)
  local first = {}
  for _, capture in ipairs(captures) do
    local one = first[capture.workload or ""]
    if capture.set_up_by ~= "annotations" and one then
      local kind, subject = subject_of(capture)
      ev:report("traffic-capture.second-proxy", kind, subject,
        "%s and %s both redirect the traffic of %s: whichever comes second wins or loops",
        one.set_up_by or "proxyConfiguration", capture.set_up_by or "proxyConfiguration", subject)
        :cite(one):cite(capture)
        :advise("keep one mesh's sidecar in the pod: switch injection off for the other, or remove what was injected by hand")
    elseif capture.set_up_by ~= "annotations" then
      first[capture.workload or ""] = capture
    end
  end
end

local function judge_http_proxy(ev, capture)
  if capture.by ~= "appmesh" or not known(capture, "ignored_ports") or not known(capture, "ignored_ips") then return end
  for record in ev:each("env") do
    local mine = same(record.workload, capture.workload) and record.container ~= capture.container
    local url = mine and PROXY_VARIABLES[record.name] and match(record.value or "",
      [[^(?:(?<scheme>\w+)://)?(?:[^@/]*@)?(?<host>[\w.-]+)(?::(?<port>\d+))?/?$]])
    if url and not match(url.host, [[^(localhost|127\.)]]) then
      local port = url.port or (url.scheme == "https" and "443" or "80")
      if not holds(capture.ignored_ports, port) and not holds(capture.ignored_ips, url.host)
        and only_link_local(capture.ignored_ips) then
        ev:report("traffic-capture.second-proxy", "container", record.container or "application",
          "%s sends the application's traffic to the proxy %s:%s, and the capture sends it to Envoy, which cannot chain proxies",
          record.name, url.host, port)
          :confidence "likely":cite(record):cite(capture)
          :advise(string.format("leave out one of the two: unset %s, or add port %s to %s", record.name, port,
            names_of(capture).ignored))
          :advise("keep localhost, 169.254.169.254, 169.254.170.2 and the mesh's addresses in NO_PROXY")
          :reference("https://docs.aws.amazon.com/app-mesh/latest/userguide/troubleshooting-connectivity.html")
      end
    end
  end
end

-- ---- where a redirect cannot be, or reaches too far ----

local function judge_network_mode(ev, capture)
  if capture.platform ~= "ecs" then return end
  for record in ev:each("aws.task_definitions") do
    local mode = same(record.id, capture.workload) and record.networkMode
    if mode and mode ~= "awsvpc" then
      local kind, subject = subject_of(capture)
      ev:report("traffic-capture.setup-failed", kind, subject,
        "the task definition has a proxyConfiguration in network mode %s: ECS sets redirects up in awsvpc mode only", mode)
        :cite(record):cite(capture)
        :advise('set "networkMode": "awsvpc", or leave proxyConfiguration out (a gateway needs none)')
    end
  end
end

local function judge_host_network(ev, capture)
  if capture.platform == "ecs" or capture.set_up_by == "annotations" then return end
  local proxy = proxy_container(ev, capture)
  for record in ev:each("containers") do
    if same(record.workload, capture.workload) and record.host_network == "yes" and record.name == capture.set_up_by then
      ev:report("traffic-capture.capture-breaks-network", "pod", capture.workload,
        "init container %s sets up the redirect on the node's own network (hostNetwork): all traffic of the node goes to this pod's proxy",
        record.name)
        :cite(record):cite(capture):cite(proxy)
        :advise("leave pods with hostNetwork: true out of the mesh, or give the pod its own network",
          "kubectl label pod POD sidecar.istio.io/inject=false")
    end
  end
end

-- Init containers that run when traffic is redirected already and the proxy does not run yet.
local function init_in_between(ev, capture)
  local victims, redirected = {}, capture.set_up_by == "istio-validation"
  for record in ev:each("containers") do
    if same(record.workload, capture.workload) then
      if record.name == capture.container then return victims end
      if record.init == "yes" and redirected and record.name ~= capture.set_up_by then victims[#victims + 1] = record end
      redirected = redirected or record.name == capture.set_up_by
    end
  end
  return victims
end

local function failing(ev, capture, container)
  for record in ev:each("container_status") do
    local failed = record.reason == "CrashLoopBackOff" or record.reason == "Error" or record.last_reason == "Error"
    local now = record.state ~= "running" and not (record.state == "terminated" and record.exit_code == "0")
    if record.name == container.name and same(record.workload, capture.workload) and failed and now then return record end
  end
  return nil
end

local function judge_init_containers(ev, capture)
  if capture.platform == "ecs" or capture.set_up_by == "annotations" then return end
  for _, container in ipairs(init_in_between(ev, capture)) do
    local status = failing(ev, capture, container)
    local exempt = is_left_alone(capture, container.user)
    if status and not exempt then
      ev:report("traffic-capture.capture-breaks-network", "container", container.name,
        "init container %s fails: it runs after the redirect is set up and before the proxy runs, so it has no network",
        container.name)
        :confidence "likely":when "now":cite(status):cite(capture)
        :advise("let the proxy start first, as a native sidecar (Istio: ENABLE_NATIVE_SIDECARS, Kubernetes 1.29 or later)")
        :advise(string.format("or run the init container as the proxy's user %s, which is left alone", capture.uid or "1337"))
        :advise("or leave the port or addresses it needs out of the capture (" .. (names_of(capture).ignored) .. ")")
        :reference("https://istio.io/latest/docs/setup/additional-setup/cni/#compatibility-with-application-init-containers")
      ev:ask { evidence = "log", why = "the init container's own log tells whether it was the network that failed it",
        how = "kubectl logs POD -c " .. (container.name:match("^[%w.-]+$") or "NAME") .. " --previous > init.log" }
    end
  end
end

local function run(ev)
  local captures = {}
  for record in ev:each("capture") do captures[#captures + 1] = record end
  if #captures == 0 then ev:not_applicable("no traffic is redirected here") end
  judge_other_redirect(ev, captures)
  for _, capture in ipairs(captures) do
    judge_uid(ev, capture)
    judge_application(ev, capture)
    judge_multiport(ev, capture)
    judge_app_ports(ev, capture)
    judge_efs(ev, capture)
    judge_http_proxy(ev, capture)
    judge_network_mode(ev, capture)
    judge_host_network(ev, capture)
    judge_init_containers(ev, capture)
  end
end

return debrief.check {
  id = "traffic-capture",
  title = "is traffic redirected into the proxy, its own and nobody's too much?",
  applies = "mode != proxyless",
  tags = { "appmesh", "istio", "consul", "ecs", "kubernetes", "preflight" },
  needs = { "capture", "?containers", "?aws.task_definitions", "?k8s.pods", "?k8s.workloads", "?env", "?container_status" },
  findings = {
    ["traffic-capture.uid-mismatch"] = { title = "the proxy's own traffic is captured", severity = "error",
      explains = { "ems-connection.self-captured", "ems-connection.not-connected", "ems-connection.metadata-unreachable",
        "grpc-codes.internal", "probes.pre-initializing" } },
    ["traffic-capture.too-many-ignored-ports"] = { title = "more ports than one redirect rule takes", severity = "error" },
    ["traffic-capture.app-port-missing"] = { title = "a port of the application passes the proxy by", severity = "warning" },
    ["traffic-capture.port-not-ignored"] = { title = "traffic is captured that must not be", severity = "error" },
    ["traffic-capture.application-left-alone"] = { title = "an application that runs as the proxy's user passes the mesh by", severity = "warning" },
    ["traffic-capture.second-proxy"] = { title = "two proxies in one path", severity = "error" },
    ["traffic-capture.setup-failed"] = { title = "the redirect cannot be set up", severity = "error" },
    ["traffic-capture.capture-breaks-network"] = { title = "the capture cuts others off", severity = "error" },
  },
  run = run,
}
