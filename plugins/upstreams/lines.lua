-- What Envoy's own lines (debug and trace, as people cut them out) tell of requests and connections that failed: connects
-- that were refused or timed out, pools without a host, answers by the proxy itself, TLS that one side breaks off, bytes in
-- another protocol, hosts that went away with their DNS name. One line of a long log proves no state: warnings at most.
-- The link to the management server is ems-connection's, and what the access log says of the same is told there.

local match = debrief.match
local access = debrief.use "access_log"
local reach = debrief.use "reach"

local DOCS = "https://www.envoyproxy.io/docs/envoy/latest/"
local DETAILS = DOCS .. "configuration/http/http_conn_man/response_code_details"

local PASTE = 60 -- lines; in so short a text each line was chosen by whoever pasted it

local function proxy_name(ev)
  return (ev:first("proxy") or {}).node_id or "envoy"
end

local function source_of(record)
  return record.workload or record.container or "-"
end

local function is_paste(ev)
  local lines = 0
  for record in ev:each("log") do lines = lines + (ev:number(record, "lines") or 0) end
  return lines <= PASTE
end

-- The stream to the management server fails, which is told elsewhere: lines without an address may be about it.
local function link_is_down(ev)
  for record in ev:each("log.xds_closed") do
    if record.code == "14" then return true end
  end
  return false
end

local function is_management(ev, address)
  for record in ev:each("bootstrap") do
    if record.address == address then return true end
  end
  return false
end

-- ---- connects ----

-- "[2600::1]:443" -> "2600::1", "443"
local function parts(address)
  local host, port = (address or ""):match("^%[?(.-)%]?:(%d+)$")
  return host, port
end

local function read_connects(ev)
  local ids, places = {}, {}
  for record in ev:each("event.connecting") do
    ids[source_of(record) .. " " .. record.conn] = record
  end
  local function place_of(record)
    local attempt = record.conn and ids[source_of(record) .. " " .. record.conn]
    local address = attempt and attempt.address or "?"
    if not places[address] then
      places[address] = { address = address, count = 0, list = {}, attempt = attempt, failed = -1, connected = -1 }
      places[#places + 1] = places[address]
    end
    return places[address]
  end
  for record in ev:each("event.connect_failed") do
    local place = place_of(record)
    place.count, place.failed = place.count + 1, math.max(place.failed, tonumber(record.conn or "0"))
    place.error, place.last = place.error or record.error or "110", record
    if #place.list < 3 then place.list[#place.list + 1] = record end
  end
  for record in ev:each("event.connected") do
    if ids[source_of(record) .. " " .. record.conn] then
      local place = place_of(record)
      place.connected = math.max(place.connected, tonumber(record.conn))
    end
  end
  return places, ids
end

local function advise_address(finding, host, errno)
  if match(host, [[^(127\.|::1$)]]) then
    finding:advise("this address is the proxy's own host: in a container of its own it is that container, and the application must be named as the network "
      .. "knows it (compose: the service; docker: host.docker.internal); only within a pod or an awsvpc task do containers share it", "docker compose ps; ss -ltnp")
  elseif host:find(":", 1, true) and errno ~= "refused" then
    finding:advise("the name resolved to an IPv6 address, where there may be no way for IPv6: let the cluster ask for IPv4 (dns_lookup_family: V4_ONLY or V4_PREFERRED)",
      "ip -6 route")
  end
end

local function report_connect(ev, place)
  local host = parts(place.address)
  local text, fix, command, kind = access.errno(place.error)
  if not text then
    text, fix, command = "connections to %s fail (" .. place.error .. ")", "see from the proxy's own host whether that address and port are open", "nc -vz HOST PORT"
  end
  local known = place.address ~= "?"
  local finding = ev:report("upstreams.connect-fail", "address", known and place.address or "upstream", "%s",
    text:format(known and place.address or "an upstream") .. (place.count > 1 and string.format(" (%d times)", place.count) or ""))
    :severity("warning"):confidence("likely"):cite(place.attempt):span { count = place.count, last = ev:time(place.last) }
  for _, record in ipairs(place.list) do finding:cite(record) end
  if place.connected > place.failed then
    finding:severity("info"):when("before")
    return
  end
  finding:advise(fix, reach.command(command, place.address))
  if host then advise_address(finding, host, kind) end
  if not known then
    ev:ask { evidence = "log/envoy.log, admin/clusters.txt", why = "which address it is stands in the line 'connecting to' of the same connection, and beside cx_connect_fail",
      how = "curl -s http://ADMIN/clusters | grep -E 'cx_connect_fail|health_flags'" }
  end
end

-- The text ends before it is told what became of an attempt.
local function ask_outcome(ev, ids)
  for _, record in pairs(ids) do
    ev:ask { evidence = "log/envoy.log, admin/clusters.txt", why = "the lines end before what became of the connection to " .. (record.address or "the upstream")
        .. "; where the service behind that address runs (same container, another one, the host) decides whether it can answer",
      how = "curl -s http://ADMIN/clusters | grep -E 'cx_connect_fail|health_flags', and the log's next lines; docker compose ps, ss -ltnp" }
    return
  end
end

local function judge_connects(ev, down)
  local places, ids = read_connects(ev)
  local failing = 0
  for _, place in ipairs(places) do
    if place.count > 0 then failing = failing + 1 end
  end
  for _, place in ipairs(places) do
    local theirs = is_management(ev, place.address) or down and (failing == 1 or place.address == "?")
    if place.count > 0 and not theirs then report_connect(ev, place) end
  end
  if #places == 0 and is_paste(ev) then ask_outcome(ev, ids) end
end

-- ---- answers of the proxy itself ----

local function report_details(ev, id, record, format, ...)
  return ev:report(id, "proxy", proxy_name(ev), format, ...):severity("warning"):confidence("likely"):cite(record):reference(DETAILS)
end

local function report_empty_pool(ev, record)
  report_details(ev, "upstreams.no-healthy-host", record, "a request was answered 503: its cluster has no host, or none that may take requests")
    :candidate("upstreams.endpoints-missing", { ["for"] = "a cluster without endpoints is answered in the same way" })
    :advise("see whether its cluster has hosts, and what their health flags say", "curl -s http://ADMIN/clusters")
  ev:ask { evidence = "admin/clusters.json", why = "it tells whether the cluster has no hosts or only unhealthy ones, and why",
    how = "curl -s 'http://ADMIN/clusters?format=json' > clusters.json, then --evidence" }
end

local function report_no_route(ev, record, what)
  report_details(ev, "upstreams.no-route", record, "a request was answered by the proxy itself: %s", what)
    :advise("name this host in a virtual host and this path in a route of it, where the routes are made", "curl -s 'http://ADMIN/config_dump?resource=dynamic_route_configs'")
  ev:ask { evidence = "admin/config_dump.json", why = "the virtual hosts and routes tell what the request should have met",
    how = "curl -s http://ADMIN/config_dump > config_dump.json, then --evidence" }
end

local function ask_policies(ev, why)
  ev:ask { evidence = "the request's headers as the client sent them, and the rules of the workload", why = why,
    how = "curl -v (Authorization header and all) from the client; kubectl get authorizationpolicy,requestauthentication,peerauthentication -A -o yaml "
      .. "(AuthorizationPolicy, RequestAuthentication); consul intention list; else the http_filters of curl -s http://ADMIN/config_dump" }
end

local function report_denied(ev, record, what)
  report_details(ev, "upstreams.request-denied", record, "the proxy refuses a request by its rules: %s", what):severity("info"):confidence("certain")
    :advise("where this caller should be let in, send what the rule wants, or change the rule: Istio AuthorizationPolicy and RequestAuthentication, Consul "
      .. "intentions, the jwt_authn, ext_authz and rbac filters", "istioctl x authz check POD; consul intention check SOURCE DESTINATION")
  ask_policies(ev, "whether the refusal is meant depends on what the request carried and on the rules")
end

local REPLIES = {
  { [[^no healthy upstream]], function(ev, record) report_empty_pool(ev, record) end },
  { [[^(route|cluster) not found]], function(ev, record, details)
    report_no_route(ev, record, details:find("cluster", 1, true) and "its route leads to a cluster that the proxy does not have" or "no virtual host or route matches it")
  end },
  { [[^(rbac access denied|jwt authn access denied|ext authz denied|ext authz error)]], function(ev, record, details) report_denied(ev, record, details) end },
  { [[^(upstream |)(response|per try) timeout|^upstream response timeout]], function(ev, record)
    report_details(ev, "upstreams.response-timeout", record, "a request was answered 504: the upstream did not answer in the time that the route allows")
      :advise("find what makes the upstream slow (its own log), or allow more time (route timeout, 15 s by default)")
  end },
  { [[^upstream reset before response started\{(remote |local |)connection (failure|timeout)]], function(ev, record, details)
    local id, text, fix, command = access.failure { message = details }
    report_details(ev, id, record, "%s", (text:format("the upstream"))):advise(fix, command)
  end },
}

local function judge_replies(ev, down)
  for record in ev:each("event.reply") do
    local details = (record.details or ""):gsub("_", " ")
    for _, row in ipairs(REPLIES) do
      if match(details, row[1]) then
        row[2](ev, record, details)
        break
      end
    end
  end
  local pool = ev:last("event.pool")
  if pool and not down then report_empty_pool(ev, pool) end
  for record in ev:each("event.route") do
    report_no_route(ev, record, record.cluster and "its route leads to cluster " .. record.cluster .. ", which the proxy does not have"
      or "no route matches " .. (record.path or "it"))
  end
  local empty = ev:last("event.no_vhosts")
  if empty then
    ev:report("upstreams.no-route", "route-config", empty.route, "the routes %s (port %s) have no virtual host: every request there is answered 404", empty.route, empty.port)
      :severity("warning"):confidence("likely"):cite(empty)
      :advise("bind a VirtualService to that Gateway (its gateways list names the Gateway with its namespace, and its hosts are among the server's hosts), or drop the "
        .. "server from the Gateway", "kubectl get gateways.networking.istio.io,virtualservices -A -o yaml; istioctl analyze -A")
  end
end

-- The router's word for a request that was reset, where the connection's own line was not cut out with it.
local RESETS = {
  { "overflow", "upstreams.pending-overflow", "a circuit breaker of the cluster refused the request (overflow)", "see which limit is reached",
    "curl -s 'http://ADMIN/stats?filter=circuit_breakers|overflow'" },
  { "protocol error", "upstreams.protocol-error", "the upstream answers in another protocol than it is asked in",
    "let the cluster speak what the application speaks: HTTP/2 (gRPC) or HTTP/1" },
  { "connection termination", "upstreams.connection-cut", "the upstream closed the connection before it answered",
    "let the proxy close idle connections before the application does (idle timeout of the cluster), and retry; every time it happens: compare the protocols" },
  { "remote reset", "upstreams.connection-cut", "the upstream reset the request's stream before it answered", "see the application's own log at that time" },
}

local function judge_resets(ev)
  if ev:count("event.connect_failed") > 0 then return end
  for record in ev:each("event.reset") do
    local reason = record.reason or ""
    if record.errno or record.errno2 or match(reason, [[connection (failure|timeout)]]) then
      local text = (record.message or "") .. " " .. (record.rest or "")
      local id, words, fix, command = access.failure { message = text }
      report_details(ev, id, record, "%s", (words:format("the upstream"))):advise(fix, command)
    end
    for _, row in ipairs(RESETS) do
      if reason:find(row[1], 1, true) then report_details(ev, row[2], record, "%s", row[3]):advise(row[4], row[5]) end
    end
  end
end

-- ---- filters that refuse ----

local function judge_filters(ev)
  local record = ev:last("event.denied")
  if not record then return end
  local why = record.jwt or record.policy and "matched policy " .. record.policy or record.code and "the authorisation service answered " .. record.code
    or "ext_authz"
  report_denied(ev, record, why)
  if record.code or (record.message or ""):find("ext_authz", 1, true) then
    ev:ask { evidence = "the log of the authorization service", why = "it decided, and its log says why", how = "kubectl logs deploy/AUTHORIZER, docker logs AUTHORIZER" }
  end
end

-- ---- listeners ----

local function judge_chains(ev)
  local record = ev:last("event.no_chain")
  if not record then return end
  local sni = ev:last("event.server_name")
  local finding = ev:report("upstreams.no-filter-chain", "listener", "listener", "a connection%s was closed because no filter chain of its listener takes it%s",
    record.from and " from " .. record.from or "", sni and string.format(": the client begins TLS for server name %s", sni.name) or ""):cite(sni):cite(record)
  if ev:count("event.no_chain") < 3 and not is_paste(ev) then finding:severity("warning") end
  finding:advise("let the client send the server name, port and protocol that a filter chain of the listener is for, or add a chain (or a default one)",
    "curl -s 'http://ADMIN/config_dump?resource=dynamic_listeners'")
  if sni then
    finding:confidence("likely"):advise("an application behind a sidecar speaks plain text to it: TLS that the application begins itself meets a listener for plain HTTP")
  end
end

-- ---- protocols ----

local function judge_protocols(ev)
  local answer = ev:last("event.bad_answer")
  if answer then
    ev:report("upstreams.protocol-error", "proxy", proxy_name(ev), "an upstream answers in another protocol than it is asked in: %s", answer.error)
      :confidence("likely"):cite(answer):advise("let the cluster speak what the application speaks: HTTP/2 (gRPC) or HTTP/1, TLS or plain text")
  end
  local bytes = ev:last("event.bad_bytes")
  if bytes then
    local finding = ev:report("upstreams.protocol-error", "listener", "listener", "bytes that are no request in HTTP come to a listener: %s", bytes.error or bytes.error2)
      :confidence("likely"):cite(bytes)
      :advise("see who connects: a client that speaks TLS, the PROXY protocol or HTTP/2 to a listener for plain HTTP/1, or a proxy that is its own upstream")
    if ev:count("event.bad_bytes") < 3 and not is_paste(ev) then finding:severity("info") end
  end
end

-- ---- TLS ----

-- Upstream ports are those of services; a client's is an ephemeral one.
local function remote_of(record)
  local address = match(record.message or "", [[remote address:(?<address>\S+?:(?<port>\d+)),]])
  return address and address.address, address and tonumber(address.port) < 32768
end

local function as_upstream(ev, record)
  local address, served = remote_of(record)
  if (record.message or ""):find("client disconnected, failure reason", 1, true) then return address or "upstream" end
  if address then return served and address or nil end
  local conn = match(record.message or "", [[(\[C|"ConnectionId":")(?<conn>\d+)]])
  for attempt in ev:each("event.connecting") do
    if conn and attempt.conn == conn.conn then return attempt.address end
  end
end

local function ask_handshake(ev)
  ev:ask { evidence = "admin/clusters.txt, net.tls: openssl s_client output", why = "a TLS line names neither the cluster nor the property that does not fit",
    how = "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null > s_client.txt 2>&1, then --evidence; curl -s http://ADMIN/clusters | grep cx_connect_fail" }
end

local function refuses_peer(ev, record)
  if ev:last("event.reasoned") then return end -- the line before says why: certificates/trust tells it
  local upstream = as_upstream(ev, record)
  ev:report("upstreams.tls-verify-failed", upstream and "address" or "proxy", upstream or proxy_name(ev), "the proxy refuses the certificate of %s: it does not pass "
    .. "the verification (unknown authority, name, or dates)", upstream or "a peer"):severity("warning"):confidence("likely"):cite(record)
    :advise("compare the certificate that the peer shows with the authority and the names that are demanded; in a mesh see that both sides have the same root and fresh certificates",
      "istioctl proxy-config secret POD.NAMESPACE; openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null")
  ask_handshake(ev)
end

-- Who demands a certificate of clients, and gets none.
local function misses_certificate(ev, record)
  ev:report("upstreams.connect-fail", "proxy", proxy_name(ev), "a client shows no certificate, and the listener demands one: the handshake fails, and the caller's proxy "
    .. "answers 503"):severity("warning"):confidence("likely"):cite(record)
    :advise("let the caller show one (App Mesh: clientPolicy.tls.certificate of the caller; Istio: a sidecar, or DestinationRule tls.mode ISTIO_MUTUAL or MUTUAL), or do "
      .. "not demand it (App Mesh: no validation in the listener's tls; Istio: PeerAuthentication PERMISSIVE)")
end

local function speaks_plain(ev, record)
  ev:report("upstreams.protocol-error", "listener", "listener", "a client speaks plain HTTP to a listener that expects TLS"):confidence("likely"):cite(record)
    :advise("find the client, and let it speak TLS or pass its sidecar (Istio: PeerAuthentication PERMISSIVE while workloads without a sidecar still call)")
  ev:ask { evidence = "log/envoy.log, manifest: PeerAuthentication of the workload", why = "who the client is (its remote address) and whether it passes its sidecar is not in the line",
    how = "kubectl get peerauthentication -A -o yaml; the lines of the same connection with its remote address (istioctl proxy-config log POD --level connection:debug)" }
end

local function speaks_other(ev, record)
  local upstream = as_upstream(ev, record)
  if upstream then
    local _, text, fix, command = access.failure { message = "WRONG VERSION NUMBER" }
    ev:report("upstreams.connect-fail", "address", upstream, "%s", (text:format(upstream))):severity("warning"):confidence("likely"):cite(record):advise(fix, command)
  else
    ev:report("upstreams.protocol-error", "proxy", proxy_name(ev), "one side speaks TLS and the other does not (WRONG_VERSION_NUMBER)"):confidence("likely"):cite(record)
      :candidate("upstreams.connect-fail", { ["for"] = "the proxy speaks TLS to a host that speaks plain text" })
      :candidate("upstreams.protocol-error", { ["for"] = "a client speaks another protocol to a listener that expects TLS" })
    ask_handshake(ev)
  end
end

-- The peer's alert names no reason; browsers send it too, for certificates that they do not know.
local function is_refused(ev, record)
  ev:report("upstreams.tls-verify-failed", "proxy", proxy_name(ev), "a peer refuses the certificate that this proxy shows, and does not say why (%s)", record.error)
    :severity("info"):confidence("likely"):cite(record)
  ask_handshake(ev)
end

local TLS = {
  CERTIFICATE_VERIFY_FAILED = refuses_peer, PEER_DID_NOT_RETURN_A_CERTIFICATE = misses_certificate, HTTP_REQUEST = speaks_plain,
  WRONG_VERSION_NUMBER = speaks_other, SSLV3_ALERT_CERTIFICATE_UNKNOWN = is_refused, SSLV3_ALERT_BAD_CERTIFICATE = is_refused,
}

local function judge_tls(ev, down)
  if down then return end
  for record in ev:each("log.tls_error") do
    local judge = TLS[record.error or ""]
    local answered = match(record.message or "", [[upstream connect error|latest reset reason|upstream_reset_before|^"?[A-Z]+ /\S* HTTP|config stream|verify cert failed]])
    if judge and not answered then judge(ev, record) end
  end
end

-- ---- hosts that went with their name ----

local function judge_names(ev)
  local failed = ev:last("event.dns_failed")
  if not failed then return end
  local gone, back = {}, {}
  for record in ev:each("event.membership") do
    local added, removed = tonumber(record.added), tonumber(record.removed)
    if added > 0 then back[record.cluster] = record end
    if added == 0 and removed > 0 then
      local near = not ev:time(record) or not ev:time(failed) or math.abs(ev:time(record) - ev:time(failed)) <= 2
      if near then gone[record.cluster] = record end
    end
  end
  for cluster, record in pairs(gone) do
    local came = back[cluster] and ev:time(back[cluster]) and ev:time(record) and ev:time(back[cluster]) > ev:time(record)
    local finding = ev:report("upstreams.endpoints-missing", "cluster", cluster, "cluster %s lost %s hosts when its name could not be resolved (%s)", cluster, record.removed,
      failed.name or failed.name2 or "DNS"):severity("warning"):confidence("likely"):cite(failed):cite(record)
      :advise("see why the resolver did not answer, from the proxy's own network", "getent hosts " .. (failed.name or failed.name2 or "NAME") .. "; cat /etc/resolv.conf")
      :advise("a resolver that needs long: more time and tries for it (typed_dns_resolver_config: query_timeout_seconds, query_tries), or a cache on the host")
    if came then finding:severity("info"):when("before") end
  end
end

return debrief.check {
  id = "upstreams/lines",
  title = "do the proxy's own lines tell of requests and connections that failed?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "gateway", "istio", "consul" },
  needs = { "text", "?log", "?log.tls_error", "?log.xds_closed", "?bootstrap", "?proxy" },
  events = {
    connecting = [[(?:\[C|"ConnectionId":")(?<conn>\d+)"?\] connecting to (?<address>[^\s,]+:\d+)]],
    connect_failed = [[(?:\[C|"ConnectionId":")(?<conn>\d+)"?\] (?:(?:delayed|immediate) connect(?:ion)? error: (?<error>\d+|[A-Z][A-Za-z ]+)|connect timeout)]],
    reset = [[(?:\] upstream reset: reset reason:? (?<reason>[a-z ]+)(?:, transport failure reason: (?:(?:delayed|immediate) connect error: )?(?<errno>[^,\n]{1,40}))?|client disconnected, failure reason: (?:delayed|immediate) connect(?:ion)? error: (?<errno2>[A-Za-z0-9 ]{1,40}))]],
    connected = [[(?:\[C|"ConnectionId":")(?<conn>\d+)"?\] connected\b]],
    reply = [[(?:[sS]ending|[pP]reparing) local reply with details (?<details>[a-z][^\n]{2,200})]],
    pool = [[no healthy host for (?:HTTP|TCP) connection pool]],
    route = [[(?:no (?:cluster|route) match for URL '(?<path>[^'\n]*)'|\] unknown cluster '(?<cluster>[^'\n]+)')]],
    no_vhosts = [[constructed http route config for route (?<route>\S+) on port (?<port>\d+) with no vhosts]],
    denied = [[(?:JWT token verification completed with: (?<jwt>(?:Jwt|Jwks|Audiences) [^\r\n]+)|enforced denied, matched policy (?<policy>\S+)|ext_authz filter rejected the request(?:\. Response status code: '(?<code>\d+))?)]],
    no_chain = [[closing connection(?: from (?<from>\S+?))?: no matching filter chain found]],
    server_name = [[requestedServerName: (?<name>\S+)]],
    bad_answer = [[Error dispatching received data: (?<error>[^\r\n]{1,80})]],
    bad_bytes = [[(?:dispatch error: http/1\.1 protocol error: |codec error: )(?<error>HPE_[A-Z_]+)|(?<error2>Received bad client magic byte string)]],
    reasoned = { pattern = [[verify[ _]cert[ _]failed[^\n]{0,120}(has[ _]expired|not[ _]yet[ _]valid|issuer[ _]certificate|self[-_ ]signed)]], caseless = true },
    membership = [[membership update for TLS cluster (?<cluster>\S+) added (?<added>\d+) removed (?<removed>\d+)]],
    dns_failed = [[(?:DNS resolution complete for (?<name>\S+) details \S*(?:failure|[tT]imeout)|dns resolution for (?<name2>\S+) (?:completed with status [1-9]|failed with c-ares status [1-9])|DNS request timed out)]],
  },
  findings = {
    ["upstreams.no-healthy-host"] = { title = "no host of a cluster may take requests", severity = "warning" },
    ["upstreams.endpoints-missing"] = { title = "a cluster has no endpoint", severity = "error", explains = { "upstreams.no-healthy-host" } },
    ["upstreams.no-route"] = { title = "no route, or one to a cluster that does not exist", severity = "error" },
    ["upstreams.no-filter-chain"] = { title = "no filter chain takes the connection", severity = "error" },
    ["upstreams.connect-fail"] = { title = "connections to the upstream fail", severity = "warning", explains = { "upstreams.no-healthy-host" } },
    ["upstreams.tls-verify-failed"] = { title = "a certificate is refused", severity = "warning", explains = { "upstreams.connect-fail", "upstreams.no-healthy-host" } },
    ["upstreams.connection-cut"] = { title = "the upstream closes connections that requests are on", severity = "warning" },
    ["upstreams.pending-overflow"] = { title = "too many requests wait for a connection", severity = "warning" },
    ["upstreams.protocol-error"] = { title = "one side speaks another protocol", severity = "warning" },
    ["upstreams.request-denied"] = { title = "the proxy's own rules refuse requests", severity = "info" },
    ["upstreams.response-timeout"] = { title = "the upstream is slower than the route allows", severity = "warning" },
  },
  run = function(ev)
    local down = link_is_down(ev)
    judge_names(ev)
    judge_connects(ev, down)
    judge_replies(ev, down)
    if not down then judge_resets(ev) end
    judge_filters(ev)
    judge_chains(ev)
    judge_protocols(ev)
    judge_tls(ev, down)
  end,
}
