-- Hosts that connections fail to, by their own counters in /clusters: for fragments of that page, which come without the
-- clusters' statistics; and single counters that somebody quoted between sentences. Where those are given they decide (upstreams). Counters run since the proxy's start: only a host
-- that nothing ever reached is certain to be out of reach, and a large share of failures is worth a warning.

local match, reach = debrief.match, debrief.use "reach"

local SOME, SHARE = 10, 0.25

-- The management server's cluster is ems-connection's.
local LINK = [[(?i)^(xds|ads|xds[-_].*|.*xds[-_]?(cluster|grpc|server)|ads_cluster|.*management_server)$]]

local function is_known(ev, cluster)
  return ev:stat("cluster." .. cluster .. ".upstream_cx_connect_fail") ~= nil
end

local function report(ev, record, failed, total)
  local all = total and failed >= total and (ev:number(record, "cx_active") or 0) == 0
  local finding = ev:report("upstreams.connect-fail", "cluster", record.cluster, "%s connections to %s of cluster %s failed (%d%s)", all and "all" or "many",
    record.address or "a host", record.cluster, failed, total and string.format(" of %d", total) or " since the proxy started")
    :cite(record):severity("warning"):confidence("likely")
    :advise("see from the proxy's own host whether the endpoint's address and port are open: is the application listening there, do security groups "
      .. "or network policies let the proxy in", reach.command("nc -vz HOST PORT", record.address))
    :advise("where only some fail: a connect_timeout that is shorter than the way needs fails now and then (upstream_cx_connect_timeout grows with it), and so "
      .. "do packets that are lost", "curl -s 'http://ADMIN/stats?filter=" .. record.cluster:gsub("[^%w_.-]", ".") .. ".upstream_cx_connect_(fail|timeout)'")
  if not total then finding:severity("info") end
  ev:ask { evidence = "admin/stats.txt, twice", why = "the counters run since the proxy's start: growth, and how many of the failures are timeouts, tell what happens now",
    how = "debrief check http://ADMIN --sample 10s, or curl -s 'http://ADMIN/stats?filter=upstream_cx_(connect_fail|connect_timeout|total)'" }
end

-- Counters that somebody quoted in a sentence: cluster -> counter -> record.
local function quoted(ev)
  local list = {}
  for record in ev:each("event.counter") do
    list[record.cluster] = list[record.cluster] or {}
    list[record.cluster][record.counter] = record
  end
  return list
end

local QUOTED = {
  { "upstream_cx_connect_fail", "upstreams.connect-fail", "%d connections to cluster %s failed%s", "nc -vz HOST PORT" },
  { "upstream_rq_pending_overflow", "upstreams.pending-overflow", "%d requests to cluster %s were refused by a circuit breaker%s",
    "curl -s 'http://ADMIN/stats?filter=circuit_breakers|overflow'" },
  { "upstream_cx_none_healthy", "upstreams.no-healthy-host", "%d times cluster %s had no host that may take a request%s", "curl -s http://ADMIN/clusters" },
  { "ssl.fail_verify_error", "upstreams.tls-verify-failed", "%d times the certificate of cluster %s did not pass%s",
    "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null" },
  { "ssl.fail_verify_san", "upstreams.tls-verify-failed", "%d times the certificate of cluster %s had none of the names that are expected%s",
    "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null" },
}

local function judge_quoted(ev)
  for cluster, counters in pairs(quoted(ev)) do
    for _, row in ipairs(not match(cluster, LINK) and QUOTED or {}) do
      local record = counters[row[1]]
      local count = record and ev:number(record, "value") or 0
      local total = row[1] == "upstream_cx_connect_fail" and counters.upstream_cx_total and ev:number(counters.upstream_cx_total, "value")
      if count > 0 then
        local finding = ev:report(row[2], "cluster", cluster, row[3], count, cluster, total and string.format(" (of %d)", total) or " since the proxy started")
          :confidence("likely"):cite(record):cite(counters.upstream_cx_total):advise("see what the cluster's hosts do now", row[4])
        if not (count >= SOME and (not total or count >= total * SHARE) or total and count > 2 and count >= total) then finding:severity("info") end
        ev:ask { evidence = "admin/stats.txt, twice", why = "the counters run since the proxy's start: growth tells what happens now",
          how = "debrief check http://ADMIN --sample 10s" }
      end
    end
  end
end

return debrief.check {
  id = "upstreams/hosts",
  title = "are there hosts that connections fail to?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "gateway", "istio", "consul" },
  needs = { "hosts | text", "?hosts", "?stats{cluster.*.upstream_cx_connect_fail}" },
  events = {
    counter = [[\bcluster\.(?<cluster>[^\s'",]{1,200})\.(?<counter>upstream_cx_(?:connect_fail|total|none_healthy)|upstream_rq_pending_overflow|ssl\.fail_verify_(?:error|san)): (?<value>\d+)]],
  },
  findings = {
    ["upstreams.connect-fail"] = { title = "connections to the upstream fail", severity = "warning", explains = { "upstreams.no-healthy-host" } },
    ["upstreams.pending-overflow"] = { title = "too many requests wait for a connection", severity = "warning" },
    ["upstreams.no-healthy-host"] = { title = "no host of a cluster may take requests", severity = "warning" },
    ["upstreams.tls-verify-failed"] = { title = "the upstream's certificate is refused", severity = "warning", explains = { "upstreams.connect-fail" } },
  },
  run = function(ev)
    for record in ev:each("hosts") do
      local failed, total = ev:number(record, "cx_connect_fail") or 0, ev:number(record, "cx_total")
      local much = failed >= SOME and (not total or failed >= total * SHARE) or total and failed > 2 and failed >= total
      if much and record.cluster and not match(record.cluster, LINK) and not is_known(ev, record.cluster) then report(ev, record, failed, total) end
    end
    if ev:count("stats") == 0 then judge_quoted(ev) end
  end,
}
