-- What around the proxy keeps it from its management server and is written elsewhere than in close lines: the
-- metadata services, the identity token, the resolver of a host-network pod, and what agents say of their own link.

local match, xds = debrief.match, debrief.use "xds_stream"

-- What to do about the link of an agent.
local AGENT_STEPS = {
  ["refused"] = "see whether the management server runs and its Service has endpoints: kubectl get endpoints -A",
  ["timeout"] = "open the way from the proxy to the server: network policy, security group, route",
  ["tls-untrusted"] = "compare the root that the agent was given (Istio: ConfigMap istio-ca-root-cert in the pod's namespace) with "
    .. "the one that signed the server's certificate; a root that was replaced reaches old pods only with a restart",
  ["tls-expired"] = "renew the certificate of the management server, and have the server load it",
  ["clock-skew"] = "compare the clocks of both hosts with a reference: date -u; chronyc tracking",
  ["tls-name-mismatch"] = "connect by a name that the certificate holds (Istio: discoveryAddress and the revision of the injected proxy)",
  ["tls-unverified"] = "look at the certificate with openssl s_client: who signed it, its dates, its names",
  ["client-certificate-refused"] = "look at the dates and issuer of the agent's own certificate; have the server trust it",
  ["protocol-mismatch"] = "make both sides agree on TLS or plain text (Istio: 15012 is TLS, 15010 is plain text)",
  ["dns-failed"] = "correct the name, or create the record",
  ["dns-unreachable"] = "open UDP and TCP port 53 to the resolver, and see that it runs",
}

local CONTROL_PLANE = [[istiod|istio-pilot|discovery|\bxds\b|consul|contour|control-?plane|envoy-gateway|envoy-management|kuma|gloo]]

local function report_metadata(ev, record)
  ev:report("ems-connection.metadata-unreachable", "address", record.address,
    "the metadata service %s does not answer (%s): credentials and region come from there", record.address, record.why)
    :cite(record)
    :advise("EC2: allow containers to reach it: hop limit 2, and no rule that drops 169.254.169.254",
      "aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2 --http-endpoint enabled")
    :advise("ECS: leave 169.254.170.2 and 169.254.169.254 out of the traffic capture (EgressIgnoredIPs)")
    :advise("or give the region by AWS_REGION and the credentials by a task role or service account")
end

-- Something after RECORD shows that the proxy has its configuration: the trouble is over, whatever it was.
local function is_over(ev, stream, record)
  local time = ev:time(record)
  return stream.link.up or time ~= nil and (stream.marks.success > time or stream.link.updated > time)
end

local function judge_metadata(ev, stream)
  for record in ev:each("event.metadata") do
    if not is_over(ev, stream, record) then report_metadata(ev, record) end
  end
  for record in ev:each("log.aws_credentials") do
    local why = match(record.message or "", [[(?i)(?<why>couldn't connect to server|timeout was reached|connection timed out|connection refused)]])
    if why and not is_over(ev, stream, record) then
      ev:report("ems-connection.metadata-unreachable", "address", "169.254.169.254",
        "Envoy cannot reach the AWS metadata service (%s)", why.why):cite(record)
        :advise("leave 169.254.170.2 and 169.254.169.254 out of the traffic capture, and raise the metadata hop limit to 2 for containers")
    end
  end
end

local function judge_token(ev, stream)
  for record in ev:each("event.token") do
    if not is_over(ev, stream, record) then
      ev:report("ems-connection.token-unreadable", "xds-server", "xds server",
        "the identity token %s cannot be read: %s", record.path, (record.why:gsub("^%u", string.lower)))
        :cite(record)
        :advise("see that the volume is mounted and readable by the proxy's user", string.format("kubectl exec POD -c CONTAINER -- ls -lL %s", record.path))
        :advise("set fsGroup to the proxy's group (App Mesh: 1337), so that a non-root user may read the projected token")
    end
  end
end

-- Only where no close line has the word, and only for names that a control plane has.
local function judge_lookup(ev, stream)
  if ev:count("log.xds_closed") > 0 then return end
  for record in ev:each("event.lookup") do
    local ours = match(record.host, CONTROL_PLANE) or record.origin == "istio"
    if ours and not is_over(ev, stream, record) then
      local missing = record.why == "no such host"
      ev:report(missing and "ems-connection.dns-failed" or "ems-connection.dns-unreachable", "xds-server", record.host,
        missing and "the name %s does not resolve: the resolver%s says that it does not exist" or "%s cannot be looked up: the resolver%s gives no answer",
        record.host, record.resolver and " " .. record.resolver or "")
        :cite(record)
        :advise(missing and "correct the name, or create the record" or "open UDP and TCP port 53 to the resolver, and see that it runs",
          missing and "getent hosts " .. record.host or "kubectl -n kube-system get pods -l k8s-app=kube-dns")
    end
  end
end

-- ---- what the server says of clients, in its own log ----

-- A connection of the same client that came about afterwards.
local function joined_later(ev, record, client)
  local time = ev:time(record)
  for other in ev:each("event.joined") do
    local at = ev:time(other)
    if time and at and at >= time and other.client == client then return true end
  end
  return false
end

local function handshake_cause(said)
  if match(said, [[tls: failed to verify (the )?(client('s)? )?certificate|tls: client didn't provide a certificate]]) then
    return "client-certificate-refused"
  end
  local alert = match(said, [[remote error: tls: (?<alert>unknown certificate authority|expired certificate|bad certificate|unknown certificate)]])
  if not alert then return nil end
  return alert.alert == "unknown certificate authority" and "tls-untrusted" or alert.alert == "expired certificate" and "tls-expired" or "tls-unverified"
end

-- Of each client the last word; what a port scan or a probe leaves (EOF, no TLS at all) tells nothing.
local function judge_handshakes(ev)
  local newest, clients = {}, {}
  for record in ev:each("event.handshake") do
    local client = record.client:match("^%[?(.-)%]?:%d+$") or record.client
    if not newest[client] then clients[#clients + 1] = client end
    newest[client] = record
  end
  for _, client in ipairs(clients) do
    local record = newest[client]
    local said = record.rest or ""
    local slug = handshake_cause(said)
    if slug and not joined_later(ev, record, client) then
      local refused = slug == "client-certificate-refused"
      local finding = ev:report("ems-connection." .. slug, "xds-server", "xds server", refused
        and "the management server does not take the certificate of proxy %s: %s" or "proxy %s does not take the certificate of the management server: %s",
        client, (said:gsub("^[%s:]+", ""):sub(1, 200)))
      finding:cite(record)
      if refused then
        finding:advise("compare the authority that signed the proxy's certificate with what the server trusts: after a root was replaced, proxies keep "
          .. "the old certificate until they get a new one, at the latest with a restart", "kubectl delete pod POD")
          :advise("find the pod behind the address", "kubectl get pods -A -o wide | grep " .. client)
      else
        finding:advise(AGENT_STEPS[slug])
      end
    end
  end
end

-- ---- agents that tell of their dialling, not of an RPC (Nomad's hook, consul-dataplane, kuma-dp) ----

local function judge_dials(ev, stream)
  if ev:count("log.xds_closed") > 0 then return end
  for record in ev:each("event.dial") do
    local said = record.rest:lower():gsub("_", " ")
    local slug
    for _, row in ipairs(xds.CAUSES) do
      if match("dial " .. said, row[2]) then
        slug = row[1]
        break
      end
    end
    if AGENT_STEPS[slug] and not slug:match("^dns") and not is_over(ev, stream, record) then
      local place = match(record.rest, [=[^(tcp|unix):? (?<place>\[[^\]]+\]:\d+|[^\s:]+:\d+)]=])
      ev:report("ems-connection." .. slug, "xds-server", place and place.place or "xds server",
        "the proxy's agent (%s) has no link to its management server: dial %s", record.who:match("^runner_hook") and "Nomad" or record.who, (record.rest:gsub('"[%s%S]*$', ""):sub(1, 200)))
        :cite(record):advise(AGENT_STEPS[slug])
    end
  end
end

-- The agent's own link, one hop behind Envoy's: only texts that name a cause, and one finding for each.
local function judge_agents(ev, stream)
  local lookups = ev:count("event.lookup") > 0
  for _, close in ipairs(xds.agents(ev, stream)) do
    local slug
    for _, row in ipairs(xds.of_link(close) and close.who ~= "ADS" and xds.CAUSES or {}) do
      if match(close.plain, row[2]) then
        slug = row[1]
        break
      end
    end
    if AGENT_STEPS[slug] and not (lookups and slug:match("^dns")) then
      local dialled = match(close.rest, [=[dial tcp (?<place>\[[^\]]+\]:\d+|[^\s:]+:\d+)]=])
      ev:report("ems-connection." .. slug, "xds-server", dialled and dialled.place or "xds server",
        "the proxy's agent (%s) has no link to its management server: %s", close.who, close.rest:sub(1, 300))
        :cite(close.record):advise(AGENT_STEPS[slug])
    end
  end
end

local function is_proxy(record)
  return match((record.image or "") .. " " .. (record.name or ""), [[envoy|istio-proxy|proxyv2|consul-dataplane]]) ~= nil
end

-- On the host's network ClusterFirst means the node's resolver, which knows no cluster service.
local function judge_host_network(ev)
  for record in ev:each("containers") do
    local policy = record.dns_policy or "ClusterFirst"
    if record.platform == "kubernetes" and record.host_network == "yes" and policy == "ClusterFirst" and is_proxy(record) then
      ev:report("ems-connection.host-network-dns", "container", record.name or "envoy",
        "%s %s runs its proxy on the host's network with dnsPolicy %s: it asks the node's resolver, which does not know the names of cluster services",
        record.kind or "pod", record.workload or "", record.dns_policy or "not set")
        :severity("warning"):confidence("likely"):cite(record)
        :snippet("set the policy that goes with hostNetwork", "patch.yaml", "spec:\n  template:\n    spec:\n      hostNetwork: true\n      dnsPolicy: ClusterFirstWithHostNet\n")
    end
  end
end

local function run(ev)
  local stream = xds.read(ev)
  judge_metadata(ev, stream)
  judge_token(ev, stream)
  judge_lookup(ev, stream)
  judge_agents(ev, stream)
  judge_dials(ev, stream)
  judge_handshakes(ev)
  judge_host_network(ev)
end

local LINK = { "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "ems-connection.not-connected", "grpc-codes.unavailable", "grpc-codes.internal" }
local IDENTITY = { "grpc-codes.no-credentials", "grpc-codes.identity-rejected", "grpc-codes.permission-denied", "ems-connection.not-connected", "grpc-codes.internal", "probes.pre-initializing" }
local NAMES = { "ems-connection.dns-failed", "ems-connection.dns-unreachable", "ems-connection.not-connected", "grpc-codes.unavailable", "probes.pre-initializing" }

return debrief.check {
  id = "ems-connection/surroundings",
  title = "does something around the proxy keep it from its management server?",
  applies = "any",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "kubernetes" },
  needs = {
    "text | containers", "?log.xds_closed", "?log.aws_credentials", "?containers", "?stats{*control_plane.connected_state}",
    "?stats{cluster_manager.cds.update_*}", "?stats{listener_manager.lds.update_*}", "?stats{grpc.*.streams_total}", "?log", "?log.start",
    "?log.stop", "?log.workers_started", "?log.config_rejected", "?log.xds_answered", "?bootstrap", "?proxy",
  },
  events = {
    google = xds.GOOGLE,
    agent = xds.AGENT,
    handshake = [[(?:security handshake from "?|ServerHandshake\(\\?")(?<client>[^"\s\\]+)\\?"?\)?(?: failed)?:]],
    joined = [[new (?:delta )?connection for node:[a-z]+~(?<client>[^~\s]+)~]],
    dial = [[(?<who>runner_hook: error connecting to grpc|consul-dataplane\.server-connection-manager|kuma-dp[\w.-]*)\b[^\n]{0,200}\bdial]],
    metadata = [[(?<address>169\.254\.169\.254|169\.254\.170\.23?|fd00:ec2::254)\b[^\n]{0,160}(?<why>i/o timeout|connection refused|context deadline exceeded|no route to host|Connection timed out|request canceled while waiting for connection)]],
    token = { pattern = [[(?<path>/var/run/secrets/[^\s'":,]*token)['":, ]*[^\n]{0,60}(?<why>no such file or directory|permission denied)]], caseless = true },
    lookup = [=[lookup (?<host>[A-Za-z0-9_.-]+)( on (?<resolver>[0-9a-f.:\[\]]+:53))?: (read udp [^\n]{0,120}: )?(?<why>no such host|i/o timeout|server misbehaving|read: connection refused)]=],
  },
  findings = {
    ["ems-connection.metadata-unreachable"] = { title = "the metadata service does not answer", severity = "error", explains = IDENTITY },
    ["ems-connection.token-unreadable"] = { title = "the identity token cannot be read", severity = "error", explains = IDENTITY },
    ["ems-connection.dns-failed"] = { title = "the server's name does not resolve", severity = "error", explains = LINK },
    ["ems-connection.dns-unreachable"] = { title = "the resolver does not answer", severity = "error", explains = LINK },
    ["ems-connection.refused"] = { title = "the connection is refused", severity = "error", explains = LINK },
    ["ems-connection.timeout"] = { title = "the server cannot be reached", severity = "error", explains = LINK },
    ["ems-connection.tls-untrusted"] = { title = "the server's certificate is not trusted", severity = "error", explains = LINK },
    ["ems-connection.tls-expired"] = { title = "the server's certificate has expired", severity = "error", explains = LINK },
    ["ems-connection.clock-skew"] = { title = "the server's certificate is not yet valid", severity = "error", explains = LINK },
    ["ems-connection.tls-name-mismatch"] = { title = "the server's certificate is for another name", severity = "error", explains = LINK },
    ["ems-connection.tls-unverified"] = { title = "the server's certificate is refused, the reason is not told", severity = "error", explains = LINK },
    ["ems-connection.client-certificate-refused"] = { title = "the proxy's certificate is refused", severity = "error", explains = LINK },
    ["ems-connection.protocol-mismatch"] = { title = "proxy and server speak different protocols", severity = "error", explains = LINK },
    ["ems-connection.host-network-dns"] = { title = "a host-network pod without cluster DNS", severity = "error", explains = NAMES },
  },
  run = run,
}
