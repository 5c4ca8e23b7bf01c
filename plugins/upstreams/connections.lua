-- Connections to hosts that fail, and certificates of hosts that the proxy refuses: flag UF in the access log, and the
-- counters of connects and handshakes. Lines of the access log stand whatever the counters hold beside them, which run
-- since the proxy's start and never shrink: only a second sample in which connections are made and none fails takes them
-- back. A counter alone is information, unless it grows, nothing ever succeeded, or a large share failed.

local access = debrief.use "access_log"
local counters = debrief.use "cluster_counters"
local reach = debrief.use "reach"
local way = debrief.use "request_way"

local DOCS = "https://www.envoyproxy.io/docs/envoy/latest/"
local STATS = DOCS .. "configuration/upstream/cluster_manager/cluster_stats"
local TLS = DOCS .. "intro/arch_overview/security/ssl"

local FAIL, VERIFY = "upstreams.connect-fail", "upstreams.tls-verify-failed"
local SOME, SHARE = 10, 0.25 -- so many failures, and so large a share of all connections, are worth a warning

local value, grows, sampled = counters.value, counters.grows, counters.sampled

-- The address of a host of CLUSTER, one that connections fail to if there is one.
local function address_of(ev, cluster)
  local any
  for record in ev:each("hosts", "cluster", cluster) do
    if (ev:number(record, "cx_connect_fail") or 0) > 0 then return record.address end
    any = any or record.address
  end
  return any
end

-- ---- counters of certificates ----

local REFUSED = { ["ssl.fail_verify_san"] = "has none of the names that are expected", ["ssl.fail_verify_error"] = "does not pass (unknown authority, expired or not yet valid)",
  ["ssl.fail_verify_cert_hash"] = "has another hash than expected", ["ssl.fail_verify_no_cert"] = "is missing" }

local function refused_for(of)
  local worst
  for name in pairs(REFUSED) do
    if value(of, name) > 0 then worst = name end
  end
  return worst
end

local function advise_certificate(ev, finding, name, address)
  finding:advise("compare the certificate that the host shows with the authority and the names that the cluster demands",
    reach.command("openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null", address)):reference(TLS)
  if name == "ssl.fail_verify_error" then
    finding:advise("trust the authority that issued it (trusted_ca), or renew it where it is made")
    ev:ask { evidence = "net.tls: openssl s_client output", why = "the counter is the same for an unknown authority, an expired certificate and one that is not yet valid",
      how = reach.command("openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null 2>&1 | tee s_client.txt, then --evidence s_client.txt", address) }
  else
    finding:advise("let the certificate name what the cluster expects (subject alternative name), or expect the name that it has (match_typed_subject_alt_names, App Mesh: subjectAlternativeNames)")
  end
end

-- The verification of a certificate does not fail by chance: if no handshake ever succeeded, it fails still.
local function judge_certificates(ev, facts, cluster, of)
  local name = refused_for(of)
  local never = name and value(of, "ssl.handshake") == 0 and not sampled(of, name)
  if not name or not (grows(of, name) or never) then return end
  local finding = ev:report(VERIFY, "cluster", cluster, "the certificate of the hosts of cluster %s %s: %d handshakes failed and the requests were answered 503",
    cluster, REFUSED[name], value(of, name)):cite(of[name].record):cite(facts.configured[cluster])
  if grows(of, name) or not counters.twice(of, name) then finding:when("now") end
  facts.told[VERIFY .. " " .. cluster] = finding
  advise_certificate(ev, finding, name, address_of(ev, cluster))
end

-- ---- counters of connects ----

local function advise_connect(ev, finding, cluster, handshakes)
  local address = address_of(ev, cluster)
  finding:advise("see from the proxy's own host whether the endpoint's address and port are open: is the application listening there, do security groups "
    .. "or network policies let the proxy in", reach.command("nc -vz HOST PORT", address)):reference(STATS)
  if handshakes then finding:advise("and whether both sides speak TLS, or none", reach.command("openssl s_client -connect HOST:PORT </dev/null", address)) end
end

local function tried(of)
  return of.upstream_cx_total and value(of, "upstream_cx_total") or value(of, "upstream_cx_destroy")
end

local function cite_hosts(ev, finding, cluster)
  for record in ev:each("hosts", "cluster", cluster) do
    if (ev:number(record, "cx_connect_fail") or 0) > 0 then finding:cite(record) end
  end
end

-- What the counters tell of now: connects that fail while they are watched, or that never once succeeded.
local function judge_connects(ev, facts, cluster, of)
  local failed, total = value(of, "upstream_cx_connect_fail"), tried(of)
  if failed == 0 or facts.told[VERIFY .. " " .. cluster] then return end
  local growing, twice = grows(of, "upstream_cx_connect_fail"), counters.twice(of, "upstream_cx_connect_fail")
  local all = total > 0 and failed >= total and value(of, "upstream_cx_active") == 0 and not sampled(of, "upstream_cx_connect_fail")
  if not (growing or all) then return end
  local handshakes = value(of, "ssl.connection_error") > 0
  local finding = ev:report(FAIL, "cluster", cluster, "%s cluster %s fail%s (%d of %d%s): requests are answered 503 with flag UF",
    all and "all connections to" or "connections to", cluster, handshakes and " in the TLS handshake" or "", failed, total,
    twice and not growing and ", none tried while it was watched" or ""):cite(of.upstream_cx_connect_fail.record):cite(facts.running[cluster])
  if growing or not twice then finding:when("now") else counters.ask_sample(ev) end
  cite_hosts(ev, finding, cluster)
  advise_connect(ev, finding, cluster, handshakes)
  facts.told[FAIL .. " " .. cluster] = finding
end

-- A large share that failed at some time.
local function judge_share(ev, facts, cluster, of)
  local failed, total = value(of, "upstream_cx_connect_fail"), tried(of)
  if failed < SOME or failed < total * SHARE or sampled(of, "upstream_cx_connect_fail") then return end
  local finding = ev:report(FAIL, "cluster", cluster, "%d of %d connections to cluster %s failed since the proxy started; whether they still do is not known",
    failed, total, cluster):severity("warning"):confidence("likely"):cite(of.upstream_cx_connect_fail.record):cite(facts.running[cluster])
  cite_hosts(ev, finding, cluster)
  advise_connect(ev, finding, cluster, value(of, "ssl.connection_error") > 0)
  counters.ask_sample(ev)
  facts.told[FAIL .. " " .. cluster] = finding
end

-- ---- the access log ----

-- The cluster of a line: told, followed through the configuration, or that of the host which it names.
local function cluster_of(ev, record)
  local cluster = access.cluster(record) or way.cluster(way.through(ev, access.request(record), false))
  if cluster then return cluster end
  for host in ev:each("hosts", "address", access.host(record) or "-") do return host.cluster end
end

-- A second sample tells that it is over: connections were made, and none failed.
local function is_over(facts, id, cluster)
  local of = facts.stats[cluster or ""]
  local name = of and (id == VERIFY and refused_for(of) or "upstream_cx_connect_fail")
  return of ~= nil and sampled(of, name) and not grows(of, name)
end

-- Beside the words of the log the counters tell how often.
local function since_start(of, name)
  return value(of, name) > 0 and string.format(" (%d since the proxy started)", value(of, name)) or ""
end

local function judge_lines(ev, facts, group)
  local record = group.record
  local cluster, host = cluster_of(ev, record), access.host(record)
  local id, text, fix, command = access.failure(record)
  local told = facts.told[id .. " " .. (cluster or "")] or (cluster and facts.told[VERIFY .. " " .. cluster])
  if told then -- the counters told it: the lines tell when
    access.cite(ev, told, group)
    return
  end
  local of = facts.stats[cluster or ""] or {}
  local finding = ev:report(id, cluster and "cluster" or "address", cluster or host or record.authority or "upstream",
    text .. ": requests with Host '%s' are answered %s UF%s", host or cluster or "the upstream", record.authority or "", record.code or "503",
    is_over(facts, id, cluster) and "; none while the counters were watched" or id == FAIL and since_start(of, "upstream_cx_connect_fail") or "")
  access.cite(ev, finding, group)
  if cluster then facts.told[id .. " " .. cluster] = finding end
  if id == FAIL and of.upstream_cx_connect_fail then finding:cite(of.upstream_cx_connect_fail.record) end
  if access.at_start(ev, group.last) or is_over(facts, id, cluster) then finding:severity("info"):when("before") return end
  if group.count < 3 and id == FAIL then finding:severity("warning"):confidence("likely") end
  finding:advise(fix, reach.command(command, host or cluster and address_of(ev, cluster)))
end

-- What nothing but a counter of some time since the start tells.
local function note_old(ev, facts, cluster, of)
  if facts.told[VERIFY .. " " .. cluster] then return end
  local name = refused_for(of)
  if name then counters.old(ev, VERIFY, cluster, of, name, "the certificate of the upstream was refused %d times") end
  if not facts.told[FAIL .. " " .. cluster] then judge_share(ev, facts, cluster, of) end
  if not facts.told[FAIL .. " " .. cluster] then
    counters.old(ev, FAIL, cluster, of, "upstream_cx_connect_fail", "%d connections to the upstream failed")
  end
end

-- ---- the check ----

local function gather(ev)
  local facts = { stats = counters.read(ev), is_house = counters.house(ev), running = {}, configured = {}, told = {} }
  for record in ev:each("clusters") do facts.running[record.name or ""] = record end
  for record in ev:each("xds.clusters") do facts.configured[record.name or ""] = record end
  return facts
end

local function each_cluster(ev, facts, judge)
  for cluster, of in pairs(facts.stats) do
    if not facts.is_house(cluster) then judge(ev, facts, cluster, of) end
  end
end

return debrief.check {
  id = "upstreams/connections",
  title = "do connections to hosts fail?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "gateway", "istio", "consul" },
  needs = { "access.error | clusters | stats{cluster.*} | xds.listeners", "?access.error", "?clusters", "?hosts", "?stats{cluster.*}", "?xds.listeners", "?xds.filter_chains",
    "?xds.virtual_hosts", "?xds.routes", "?xds.clusters", "?bootstrap", "?proxy", "?log.start" },
  findings = {
    ["upstreams.connect-fail"] = { title = "connections to the upstream fail", severity = "error", explains = { "upstreams.no-healthy-host" } },
    ["upstreams.tls-verify-failed"] = { title = "the upstream's certificate is refused", severity = "error",
      explains = { "upstreams.connect-fail", "upstreams.no-healthy-host" } },
  },
  run = function(ev)
    if ev:state("access.error") == "absent" and ev:state("stats") == "absent" then
      ev:ask { evidence = "admin/stats.txt, log/access.log", why = "only they tell whether connections to hosts failed", how = "curl -s http://ADMIN/stats > stats.txt" }
      return
    end
    local facts = gather(ev)
    each_cluster(ev, facts, judge_certificates)
    each_cluster(ev, facts, judge_connects)
    for _, group in ipairs(access.groups(ev, { "UF" })) do judge_lines(ev, facts, group) end
    each_cluster(ev, facts, note_old)
  end,
}
