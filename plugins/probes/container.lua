-- Whether the health checks of containers ask the right thing: what the kubelet says of failed probes, and what
-- manifests declare, against what is known of the proxy. The proxy's own state is probes.c's; a probe that fails
-- because the proxy waits or drains says nothing here, and one that ended is history.

local match = debrief.match

local PROXY = [[(?i)(envoy|istio-proxy|proxyv2|consul-dataplane|^gateway$)]]
local HELPER = [[(?i)shutdown]]
local ADMIN_PATH = [[/(server_info|ready|stats|clusters|config_dump|listeners|certs)\b]]
local NOISE_MOST = 10 -- failures of one probe that a start explains
local APP_KINDS = { readyz = "readiness", livez = "liveness", startupz = "startup" }
local START_S = 30    -- what a proxy may take until it is configured

-- What the text behind "probe failed" says, first match decides.
local TEXTS = {
  { "missing", [[exec: \\?"(?<tool>[^"\\\s]+)\\?":? [^\n]*(executable file not found|no such file or directory|permission denied)]] },
  { "missing", [[(^|\s)(/bin/)?(ba|da|a)?sh: (\d+: |line \d+: )?(?<tool>[^\s:]+): (command )?not found]] },
  { "scheme", [[malformed HTTP response|server gave HTTP response to HTTPS client|HTTP request (was sent )?to an HTTPS server|first record does not look like a TLS handshake]] },
  { "path", [[statuscode: 404\b]] },
  { "slow", [[context deadline exceeded|Client\.Timeout exceeded|command [^\n]*timed out|timed out after|timeout: failed to connect service]] },
  { "refused", [[connect: connection refused|connection refused]] },
  { "reset", [[connection reset by peer|: EOF\b]] },
  { "unavailable", [[statuscode: 503\b]] },
}

-- ---- what is known of containers ----

local COLUMN = { containers = "name", container_status = "name" } -- which one holds the container's name

local function find_by(ev, field, value, name, container, more)
  local column = COLUMN[name] or "container"
  for record in ev:each(name, field, value) do
    if (not container or record[column] == container) and (not more or more(record)) then return record end
  end
  return nil
end

-- Of this workload, else where nobody knows whose it is; of any when the question does not say.
local function find(ev, name, workload, container, more)
  if not workload then return find_by(ev, container and (COLUMN[name] or "container"), container, name, container, more) end
  return find_by(ev, "workload", workload, name, container, more) or find_by(ev, "workload", nil, name, container, more)
end

local function status_of(ev, workload, container)
  if not container then return nil end
  return find(ev, "container_status", workload, container)
end

local function is_fine(status)
  return status ~= nil and (status.health == "ready" or status.health == "HEALTHY")
end

local function is_proxy(ev, workload, container)
  local declared = container and find(ev, "containers", workload, container)
  local names = (container or "") .. " " .. (declared and declared.image or "")
  return match(names, PROXY) ~= nil and not match(container or "", HELPER), declared
end

local function state_of(ev)
  local ready, proxy = ev:first("ready"), ev:first("proxy")
  return ready and ready.state or proxy and proxy.state, ready and ready.state and ready or proxy
end

local function shown(group) return group.container and "container " .. group.container or "a container" end

local function subject_of(group)
  if group.container then return "container", group.container end
  return "pod", group.workload or "pod"
end

local function report(ev, slug, group, format, ...)
  local kind, name = subject_of(group)
  local finding = ev:report("probes." .. slug, kind, name, format, ...)
  return finding:cite(group.last):cite(group.probe)
end

-- ---- failed probes, by container and kind ----

local function groups_of(ev)
  local groups, by_key = {}, {}
  for record in ev:each("event.failed") do
    local key = (record.workload or "") .. "\n" .. (record.container or "") .. "\n" .. record.kind
    local group = by_key[key]
    if not group then
      group = { workload = record.workload, container = record.container, kind = record.kind:lower(), count = 0 }
      by_key[key], groups[#groups + 1] = group, group
    end
    group.count = group.count + (ev:number(record, "repeats") or 1)
    group.last, group.text = record, record.rest or ""
  end
  for _, group in ipairs(groups) do
    group.status = status_of(ev, group.workload, group.container)
    group.proxy, group.declared = is_proxy(ev, group.workload, group.container)
    group.probe = group.container and find(ev, "probes", group.workload, group.container,
      function(record) return record.kind == group.kind end)
  end
  return groups
end

local function sort_of(group)
  for _, row in ipairs(TEXTS) do
    local found = match(group.text, row[2])
    if found then return row[1], found end
  end
  return nil
end

local function asked_port(ev, group)
  local told = match(group.text, [=[https?://[^/\s"]*?:(?<port>\d+)|dial tcp [^\s]*?:(?<port2>\d+)|tcp [\d.:\[\]a-f]*->[^\s]*?:(?<port3>\d+)]=]) or {}
  return tonumber(told.port or told.port2 or told.port3) or group.probe and ev:number(group.probe, "port")
end

-- ---- where the admin page listens ----

local function admin_of(ev, workload, container)
  local record = ev:first("bootstrap")
  local address = record and record.admin_address
  if address then
    local host, port = address:match("^(.+):(%d+)$")
    return { socket = address:match("^unix:") and address, host = host, port = tonumber(port), record = record }
  end
  local logged = ev:last("event.admin")
  if logged then
    local host, port = logged.address:match("^(.+):(%d+)$")
    return { socket = not port and logged.address, host = host, port = tonumber(port), record = logged }
  end
  local variable = find(ev, "env", workload, container, function(each) return each.name == "ENVOY_ADMIN_ACCESS_PORT" end)
  local mode = find(ev, "env", workload, container, function(each) return each.name == "ENVOY_ADMIN_MODE" end)
  if mode and mode.value == "UDS" then return { socket = "a Unix socket", record = mode } end
  if variable and tonumber(variable.value) then return { port = tonumber(variable.value), record = variable } end
  return nil
end

local function is_loopback(host) return host == "127.0.0.1" or host == "[::1]" or host == "localhost" end

-- ---- judging what failed ----

local judge = {}

-- Istio's agent asks the application for the kubelet: what fails there is no word on the proxy. Where nobody tells which
-- container was probed, a pod that declares one such probe of this kind tells it.
local function application_of(ev, group)
  if group.proxy or not match(group.text, [[statuscode: [45]\d\d]]) then return nil end
  local path = group.probe and group.probe.path
  if group.probe then return path and path:match("^/app%-health/([^/]+)/"), path end
  local only
  for record in ev:each("event.app_health") do
    local same = APP_KINDS[record.kind] == group.kind
    if same and only and only ~= record.name then return nil end
    if same then only, path = record.name, record.path end
  end
  return only, path
end

-- Where the agent asks: { host, path, port } of the probe as it was before it was rewritten.
local function asked_application(ev, path)
  for record in ev:each("event.app_probers") do
    local at = record.message:find(path or "?", 1, true)
    local told = at and match(record.message:sub(at), [["httpGet":\s*\{[^{}]*"path":\s*\\?"(?<path>[^"\\]+)\\?",\s*\\?"port\\?":\s*(?<port>\d+)]])
    if told then return told end
  end
  return nil
end

local function report_application(ev, group, name, path)
  local told, failed = asked_application(ev, path), ev:last("event.app_unreachable")
  local code = match(group.text, [[statuscode: (?<code>\d+)]]).code
  local finding = ev:report("probes.application-unready", "container", name, "the %s probe of %s is answered %s by the application: Istio's agent merely passes it on%s%s",
    group.kind, name, code, told and string.format(" (to port %s, path %s)", told.port, told.path) or "",
    failed and ", and could not reach the application: " .. (failed.rest:match("^(.-), original URL") or failed.rest):sub(1, 160)
      or code == "500" and "; 500 is also what the agent says when nothing answers it" or "")
  finding:cite(group.last):cite(group.probe):cite(failed)
    :advise("read the application's log at that moment: its own health check, or what that depends on, is what fails", "kubectl logs POD -c " .. name .. " --since=10m")
    :advise("ask it past the agent", string.format("kubectl exec POD -c istio-proxy -- curl -si localhost:%s%s", told and told.port or "PORT", told and told.path or "/PATH"))
end

judge.missing = function(ev, group, found)
  report(ev, "command-broken", group, "the %s command of %s cannot run: %s is not in the image", group.kind, shown(group), found.tool)
    :advise("use what the image has: an httpGet or grpc probe needs no tool at all (Envoy: path /ready of a port that the kubelet reaches)")
    :advise("or put the tool into the image; distroless images have neither a shell nor curl")
end

judge.scheme = function(ev, group)
  report(ev, "wrong-address", group, "the %s probe of %s speaks the wrong protocol for its port: one side speaks TLS, the other plain HTTP", group.kind, shown(group))
    :advise("set httpGet.scheme to what the port speaks (HTTP or HTTPS)"):advise("or probe the port that serves health without TLS")
end

judge.path = function(ev, group)
  local path = match(group.text, [[https?://[^/\s"]+(?<path>/[^\s"]*)]])
  local asked = path and path.path or group.probe and group.probe.path
  local finding = report(ev, "wrong-address", group, "the %s probe of %s is answered 404: what listens there does not serve %s", group.kind, shown(group),
    asked or "the path that is asked for")
  finding:confidence(asked and "certain" or "likely")
    :advise("probe a path that is served: Envoy's admin page has /ready, Istio's agent /healthz/ready on 15021, an application its own")
  if not group.proxy and find(ev, "capture", group.workload) then
    finding:confidence "likely":candidate("probes.captured", { ["for"] = "the probe passes the mesh's proxy, which answers 404 for a Host that it does not serve" })
  end
end

-- Too short a time-out only where it is short, and where the proxy is known to serve.
judge.slow = function(ev, group)
  local timeout = group.probe and (ev:number(group.probe, "timeout_s") or 1)
  local state, proof = state_of(ev)
  if group.proxy and state and state ~= "LIVE" then return end
  if not timeout then
    ev:ask { evidence = "manifest/pod.yaml", why = "a probe timed out: its timeoutSeconds (1 when not said) tells whether it is too strict",
      how = "@definition@" }
  elseif timeout <= 2 then
    local finding = report(ev, "too-strict", group, "the %s probe of %s gives %g s for an answer and got none in time, %d times", group.kind, shown(group), timeout, group.count)
    finding:confidence "likely":cite(group.proxy and state == "LIVE" and proof or nil)
      :candidate("probes.too-strict", { ["for"] = "a second is short for a busy node, a throttled container or a command that starts a shell" })
      :snippet("give it more time", "patch.yaml", group.kind .. "Probe:\n  timeoutSeconds: 5\n  failureThreshold: 3\n")
    if group.proxy then
      finding:advise("see whether somebody reads large admin pages (/config_dump, /stats): they hold up /ready, which the same thread answers")
    else
      finding:advise("see whether the container is throttled or hangs", "kubectl top pod POD --containers")
    end
  end
end

judge.refused = function(ev, group)
  local port, admin = asked_port(ev, group), group.proxy and admin_of(ev, group.workload, group.container)
  if not admin or not port then return end
  if admin.socket then
    report(ev, "wrong-address", group, "the %s probe of %s asks port %d, and its admin page is on %s", group.kind, shown(group), port, admin.socket):cite(admin.record)
      :advise("ask the socket from inside (curl --unix-socket), or the agent's own health port")
  elseif port == admin.port and is_loopback(admin.host) then
    report(ev, "wrong-address", group, "the %s probe of %s asks the admin port %d from outside, and the admin page listens on loopback alone (%s)",
      group.kind, shown(group), port, admin.host):cite(admin.record)
      :advise("probe with a command inside the container, or offer /ready on a listener of its own (as Istio does on 15021) rather than open the admin page to the network")
  end
end

local function holds(list, port)
  for part in (list or ""):gmatch("[^,%s]+") do
    local from, to = part:match("^(%d+)[:-](%d+)$")
    from, to = tonumber(from or part), tonumber(to or part)
    if part == "*" or port and from and to and port >= from and port <= to then return true end
  end
  return false
end

-- The kubelet comes without the mesh's certificate: a proxy that wants one hangs up on it.
judge.reset = function(ev, group)
  local port = asked_port(ev, group)
  local capture = find(ev, "capture", group.workload)
  if group.proxy or not port then return end
  if not capture then
    ev:ask { evidence = "k8s/pods.json", why = "whether a mesh's redirect rules catch the probe of port " .. math.floor(port) .. ", whose connection is cut",
      how = "@definition@" }
  elseif holds(capture.app_ports, port) and not holds(capture.inbound_ignored_ports, port) then
    report(ev, "captured", group, "the %s probe of %s on port %d is redirected into the mesh's proxy, which cuts it off: the kubelet has no certificate of the mesh",
      group.kind, shown(group), port):cite(capture):confidence "likely"
      :candidate("probes.captured", { ["for"] = "the port is captured, and the connection is reset instead of answered", against = "the application may hang up by itself" })
      :advise("let the mesh's agent answer for the kubelet (Istio: sidecar.istio.io/rewriteAppHTTPProbers: \"true\", which is the default)")
      :advise("or leave the health port out of the capture (Istio: traffic.sidecar.istio.io/excludeInboundPorts; Consul: consul.hashicorp.com/transparent-proxy-exclude-inbound-ports; App Mesh: APPMESH_APP_PORTS without it)")
  end
end

-- ---- stuck draining ----

-- The helper was restarted oftener than the proxy beside it.
local function restarted_helper(ev)
  for helper in ev:each("container_status") do
    local restarts = ev:number(helper, "restarts") or 0
    local named = helper.name and match(helper.name, HELPER) and restarts > 0
    local proxy = named and find(ev, "container_status", helper.workload, nil, function(record)
      return record.workload == helper.workload and record.name ~= helper.name and match((record.name or "") .. " " .. (record.image or ""), PROXY)
        and (ev:number(record, "restarts") or 0) < restarts
    end)
    if proxy then return helper, proxy end
  end
  return nil
end

local function judge_drain(ev, groups)
  local helper, proxy = restarted_helper(ev)
  local state, proof = state_of(ev)
  if not helper or (state and state ~= "DRAINING") then return end
  local failed
  for _, group in ipairs(groups) do
    if group.proxy and sort_of(group) == "unavailable" then failed = group.last end
  end
  if not state and (not failed or is_fine(proxy)) then return end
  local finding = ev:report("probes.drain-stuck", "container", proxy.name,
    "%s drains for ever: its helper %s was restarted on its own (%d restarts against %d), ran its preStop hook and left the proxy draining",
    proxy.name, helper.name, ev:number(helper, "restarts"), ev:number(proxy, "restarts") or 0)
  finding:cite(state and proof or failed):cite(helper):cite(proxy):confidence "likely"
    :advise("have the proxy serve again, then find why the helper was restarted (memory, liveness probe)", "curl -s -X POST http://ADMIN/healthcheck/ok")
    :advise("or delete the pod", "kubectl delete pod POD")
  if state then finding:when "now" end
  if not state then
    ev:ask { evidence = "admin/server_info.json", why = "state DRAINING would prove that the proxy was left draining", how = "curl -s http://ADMIN/server_info" }
  end
end

-- ---- killed before it was ready ----

local function judge_killed(ev)
  for record in ev:each("event.killed") do
    local proxy = is_proxy(ev, record.workload, record.name)
    local probe = proxy and find(ev, "probes", record.workload, record.name, function(each) return each.kind == record.kind end)
    local startup = find(ev, "probes", record.workload, record.name, function(each) return each.kind == "startup" end)
    if probe and (record.kind == "startup" or not startup) and not is_fine(status_of(ev, record.workload, record.name)) then
      local span = (ev:number(probe, "delay_s") or 0) + (ev:number(probe, "failures") or 3) * (ev:number(probe, "period_s") or 10)
      if span < START_S then
        ev:report("probes.too-strict", "container", record.name,
          "the %s probe ends %s after %d s, before a proxy that waits for its configuration can be ready", record.kind, record.name, span)
          :cite(record):cite(probe):confidence "likely"
          :snippet("let a startup probe wait for the first configuration, and keep liveness for later", "patch.yaml",
            "startupProbe:\n  httpGet: { path: /healthz/ready, port: 15021 }\n  periodSeconds: 2\n  failureThreshold: 60\n")
          :advise("find what keeps the proxy from being ready: a restart does not help there")
      end
    end
  end
end

-- ---- what is declared ----

local function version_of(ev, declared)
  local proxy = ev:first("proxy")
  local told = match(proxy and proxy.version or "", [[^(?<major>\d+)\.(?<minor>\d+)]])
    or match(declared and declared.image or "", [[envoy:v?(?<major>\d+)\.(?<minor>\d+)]])
  return told and tonumber(told.major), told and tonumber(told.minor)
end

local function subject_group(probe)
  return { workload = probe.workload, container = probe.container, kind = probe.kind, last = nil, probe = probe }
end

-- /server_info was a line of text up to 1.8 and is JSON from 1.9 on.
local function judge_format(ev, probe, declared)
  local major, minor = version_of(ev, declared)
  if major ~= 1 or not match(probe.command, [[/server_info]]) then return end
  local old = match(probe.command, [[cut -d ?['"]? |grep (-\w+ )*['"]?live\b|awk]]) and not match(probe.command, [[LIVE|grep (-\w*i)]])
  local new = match(probe.command, [[state|jq]])
  if minor >= 9 and old or minor < 9 and new then
    report(ev, "command-broken", subject_group(probe), "the health command of container %s reads /server_info as %s, and Envoy 1.%d prints %s",
      probe.container or "?", old and "a line of text" or "JSON", minor, old and "JSON with \"state\": \"LIVE\"" or "a line of text")
      :advise("from Envoy 1.9 on", "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"):advise("or ask /ready, which tells by its status (200 or 503)",
        "curl -sf http://localhost:9901/ready")
  end
end

local function judge_tools(ev, probe, declared)
  local tool = match(probe.command, [[^(CMD-SHELL|CMD)?\s*(?<tool>(/\S*/)?(sh|bash|curl|wget|grep)\b)?]])
  local shell = probe.command:match("^CMD%-SHELL") and "a shell" or tool and tool.tool
  if shell and match(declared and declared.image or "", [[distroless]]) then
    report(ev, "command-broken", subject_group(probe), "the health command of container %s needs %s, and its image %s is distroless: it has none",
      probe.container or "?", shell, declared.image):cite(declared):confidence "likely"
      :advise("use an httpGet or grpc probe, or an image with a shell and curl (without -distroless)")
  end
end

local function judge_port(ev, probe)
  local admin = admin_of(ev, probe.workload, probe.container)
  local asked = match(probe.command or "", [=[(?:localhost|127\.0\.0\.1|\[::1\]):(?<port>\d+)]=])
  if not admin or not asked or not match(probe.command, ADMIN_PATH) or match(probe.command, [[--unix-socket|/healthz]]) then return end
  if admin.socket or admin.port and admin.port ~= tonumber(asked.port) then
    report(ev, "wrong-address", subject_group(probe), "the health command of container %s asks port %s, and the admin page is on %s", probe.container or "?", asked.port,
      admin.socket or "port " .. math.floor(admin.port)):cite(admin.record)
      :advise(admin.socket and "ask the socket (curl --unix-socket PATH), or the agent's health port" or "ask the port that the admin page listens on")
  end
end

local function judge_declared(ev)
  for probe in ev:each("probes") do
    local proxy, declared = is_proxy(ev, probe.workload, probe.container)
    local fine = is_fine(status_of(ev, probe.workload, probe.container))
    if proxy and not fine and probe.command then
      judge_format(ev, probe, declared)
      judge_tools(ev, probe, declared)
      judge_port(ev, probe)
    end
  end
end

-- ECS: a container that waits for a proxy to be HEALTHY waits for ever when nothing tells its health.
local function judge_missing_check(ev)
  for record in ev:each("aws.task_definitions") do
    local checked, waiting, proxies = {}, {}, {}
    for container in ev:items(record, "containerDefinitions") do
      local name = container.name or ""
      checked[name] = container["healthCheck.command[0]"] ~= nil
      if match(name .. " " .. (container.image or ""), PROXY) then proxies[name] = container end
      for need in ev:items(container, "dependsOn") do
        if need.condition == "HEALTHY" and need.containerName then waiting[need.containerName] = name end
      end
    end
    for name, container in pairs(proxies) do
      local waits = waiting[name]
      if not checked[name] and (waits or record["proxyConfiguration.type"] == "APPMESH") then
        local finding = ev:report("probes.no-health-check", "container", name, waits
          and "container %s waits until %s is HEALTHY, and no healthCheck of it is declared: its health stays UNKNOWN"
          or "container %s%s has no healthCheck: nothing holds the others back until the proxy that takes their traffic is ready", waits or name, waits and name or "")
        finding:severity(waits and "warning" or "info"):cite(container)
          :snippet("ask the admin page", "task-definition.json",
            '"healthCheck": { "command": ["CMD-SHELL", "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"],\n  "startPeriod": 10, "interval": 5, "timeout": 2, "retries": 3 }\n')
          :advise("let the other containers depend on it with condition HEALTHY")
      end
    end
  end
end

-- The proxy serves, and its health command says no: the command, not the proxy.
local function ask_unhealthy(ev)
  if state_of(ev) ~= "LIVE" then return end
  for status in ev:each("container_status") do
    if status.health == "UNHEALTHY" and status.name ~= "" and is_proxy(ev, nil, status.name) then
      ev:ask { evidence = "host/docker-inspect.json", why = "container " .. status.name .. " is UNHEALTHY though its proxy is LIVE: what its health command printed tells why",
        how = "@status@, or run the command of the health check by hand: @inside COMMAND@" }
    end
  end
end

-- A table of pods says that something is not ready, and not what.
local function ask_unready(ev)
  local asked = 0
  for record in ev:each("event.pod_row") do
    local unready = tonumber(record.ready) < tonumber(record.all)
    if unready and asked < 3 and ev:count("container_status") == 0 then
      asked = asked + 1
      ev:ask { evidence = "k8s/pods.json", why = string.format("%s of %s containers of pod %s are ready: the state of each tells which one is not, and how it ended "
        .. "(a Job's sidecar that runs on, a container that crashed, a probe that fails)", record.ready, record.all, record.pod),
        how = "kubectl get pod " .. record.pod .. " -o json > pod.json; kubectl describe pod " .. record.pod }
    end
  end
end

local function judge_failed(ev, groups)
  for _, group in ipairs(groups) do
    if is_fine(group.status) then
      if group.count <= NOISE_MOST then
        report(ev, "startup-noise", group, "the %s probe of %s failed %d time%s and the container is ready now", group.kind, shown(group), group.count,
          group.count == 1 and "" or "s"):when "before"
      end
    elseif application_of(ev, group) then
      report_application(ev, group, application_of(ev, group))
    else
      local sort, found = sort_of(group)
      if judge[sort] then judge[sort](ev, group, found) end
    end
  end
end

local function run(ev)
  local groups = groups_of(ev)
  judge_failed(ev, groups)
  judge_drain(ev, groups)
  judge_killed(ev)
  judge_declared(ev)
  judge_missing_check(ev)
  ask_unhealthy(ev)
  ask_unready(ev)
end

local EXPLAINS = { "lb-health.backend-unready", "lb-health.no-listener" }

local function kind(title, severity, explains)
  return { title = title, severity = severity or "error", explains = severity ~= "info" and (explains or EXPLAINS) or nil }
end

return debrief.check {
  id = "probes/container",
  title = "do the containers' health checks ask the right thing?",
  applies = "any",
  version = "0.1.0",
  tags = { "appmesh", "istio", "consul", "gateway", "ecs", "kubernetes" },
  needs = {
    "text | probes | container_status", "?probes", "?containers", "?container_status", "?capture", "?bootstrap", "?proxy", "?ready",
    "?env{ENVOY_ADMIN_*}", "?aws.task_definitions",
  },
  events = {
    failed = [[(?<kind>Readiness|Liveness|Startup) probe (?:failed|errored(?: and resulted in unknown state)?):]],
    pod_row = [=[(?:^|\n)(?<pod>[a-z0-9][a-z0-9.-]*[a-z0-9])[ \t]+(?<ready>\d+)/(?<all>\d+)[ \t]+Running[ \t]]=],
    admin = [[\badmin address: (?<address>\S+)]],
    app_health = [[\bpath: (?<path>/app-health/(?<name>[^/\s]+)/(?<kind>readyz|livez|startupz))\b]],
    app_probers = [[/app-health/[^/\s]+/(?:readyz|livez|startupz)\\?"\s*:]],
    app_unreachable = [[Request to probe app failed: ]],
    killed = [[Container (?<name>\S+) failed (?<kind>liveness|startup) probe, will be restarted]],
  },
  findings = {
    ["probes.command-broken"] = kind("the health command cannot work"),
    ["probes.wrong-address"] = kind("the health check asks the wrong place"),
    ["probes.too-strict"] = kind("the health check gives too little time", "warning"),
    ["probes.application-unready"] = kind("the application fails its own health check", "warning"),
    ["probes.captured"] = kind("redirect rules catch the probe"),
    ["probes.startup-noise"] = kind("a probe failed while the container started", "info"),
    ["probes.drain-stuck"] = kind("left draining by a helper that restarted", "error", { "probes.draining", "lb-health.backend-unready" }),
    ["probes.no-health-check"] = kind("the proxy's health is not checked", "warning"),
  },
  run = run,
}
