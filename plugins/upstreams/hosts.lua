-- Hosts that connections fail to, by their own counters in /clusters: for fragments of that page, which come without the
-- clusters' statistics. Where those are given they decide (upstreams). Counters run since the proxy's start: only a host
-- that nothing ever reached is certain to be out of reach, and a large share of failures is worth a warning.

local match = debrief.match

local SOME, SHARE = 10, 0.25

-- The management server's cluster is ems-connection's.
local LINK = [[(?i)^(xds|ads|xds[-_].*|.*xds[-_]?(cluster|grpc|server)|ads_cluster|.*management_server)$]]

local function is_known(ev, cluster)
  return ev:stat("cluster." .. cluster .. ".upstream_cx_connect_fail") ~= nil
end

local function report(ev, record, failed, total)
  local host, port = (record.address or ""):match("^%[?(.-)%]?:(%d+)$")
  local place = host and host .. " " .. port or "HOST PORT"
  local all = total and failed >= total and (ev:number(record, "cx_active") or 0) == 0
  local finding = ev:report("upstreams.connect-fail", "cluster", record.cluster, "%s connections to %s of cluster %s failed (%d%s)", all and "all" or "many",
    record.address or "a host", record.cluster, failed, total and string.format(" of %d", total) or " since the proxy started")
    :cite(record):severity("warning"):confidence("likely")
    :advise("see from the proxy's own host whether the endpoint's address and port are open: is the application listening there, do security groups "
      .. "or network policies let the proxy in", "nc -vz " .. place)
    :advise("where only some fail: a connect_timeout that is shorter than the way needs fails now and then (upstream_cx_connect_timeout grows with it), and so "
      .. "do packets that are lost", "curl -s 'http://ADMIN/stats?filter=" .. record.cluster:gsub("[^%w_.-]", ".") .. ".upstream_cx_connect_(fail|timeout)'")
  if not total then finding:severity("info") end
  ev:ask { evidence = "admin/stats.txt, twice", why = "the counters run since the proxy's start: growth, and how many of the failures are timeouts, tell what happens now",
    how = "debrief check http://ADMIN --sample 10s, or curl -s 'http://ADMIN/stats?filter=upstream_cx_(connect_fail|connect_timeout|total)'" }
end

return debrief.check {
  id = "upstreams/hosts",
  title = "are there hosts that connections fail to?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "gateway", "istio", "consul" },
  needs = { "hosts", "?stats{cluster.*.upstream_cx_connect_fail}" },
  findings = {
    ["upstreams.connect-fail"] = { title = "connections to the upstream fail", severity = "warning", explains = { "upstreams.no-healthy-host" } },
  },
  run = function(ev)
    for record in ev:each("hosts") do
      local failed, total = ev:number(record, "cx_connect_fail") or 0, ev:number(record, "cx_total")
      local much = failed >= SOME and (not total or failed >= total * SHARE) or total and failed > 2 and failed >= total
      if much and record.cluster and not match(record.cluster, LINK) and not is_known(ev, record.cluster) then report(ev, record, failed, total) end
    end
  end,
}
