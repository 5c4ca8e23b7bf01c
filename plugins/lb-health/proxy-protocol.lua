-- The PROXY protocol of a network load balancer: what the target group sends (proxy_protocol_v2.enabled) against what the
-- listener on the target's port waits for. Bytes of it before a request are no HTTP: the proxy answers 400 with flag DPE.

local GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#proxy-protocol"
local ID = "lb-health.proxy-protocol"

-- Whether the target group sends it; nil when that is not known, or when several groups are described.
local function is_sent(ev)
  local sent, record
  for attribute in ev:each("aws.target_group_attributes") do
    if attribute.Key == "proxy_protocol_v2.enabled" then
      if record then return nil end
      sent, record = attribute.Value == "true", attribute
    end
  end
  return sent, record
end

-- Filter chains of accepted listeners on PORT: how many there are, how many wait for the protocol, one of them.
local function chains_on(ev, port)
  local all, waiting, first = 0, 0, nil
  for listener in ev:each("xds.listeners") do
    if listener.port == port and (listener.state == "active" or listener.state == "static") then
      for chain in ev:each("xds.filter_chains") do
        if chain.listener == listener.name then
          all, first = all + 1, first or chain
          if chain.proxy_protocol == "yes" then waiting = waiting + 1 end
        end
      end
    end
  end
  return all, waiting, first
end

-- Requests that were none: Envoy could not read a first line.
local function unreadable(ev)
  local count, first = 0, nil
  for record in ev:each("access.error") do
    if (record.flags or ""):find("DPE", 1, true) and record.code == "400" and (record.method or "-") == "-" then
      count, first = count + 1, first or record
    end
  end
  return count, first
end

-- A target whose HTTP check was answered 400. The load balancer sends the header before its checks as well, also to a
-- port of their own, where another program listens than on the port of the traffic.
local function refused_check(ev, group)
  if not group or not (group.check_protocol or ""):find("^HTTP") or (group.protocol or ""):find("^HTTP") then return nil end
  for target in ev:each("aws.target_health") do
    if (target.description or ""):find("[400]", 1, true) then return target end
  end
end

local function report_check(ev, group, attribute, target)
  local own = group.check_port and group.check_port ~= "traffic-port" and group.check_port ~= group.port
  ev:report(ID, "target-group", group.name or "target group", "target group %s sends the PROXY protocol before its health checks as well, and what answers %s takes it for a "
    .. "bad request (400)", group.name or "?", own and "on the check's own port " .. group.check_port or "the check"):confidence("likely"):when("now")
    :cite(attribute):cite(group):cite(target)
    :advise("check by TCP, or on a port whose listener reads the PROXY protocol",
      string.format("aws elbv2 modify-target-group --target-group-arn %s --health-check-protocol TCP", group.arn or "ARN"))
    :advise("or stop sending it, where nobody needs the client's address", string.format(
      "aws elbv2 modify-target-group-attributes --target-group-arn %s --attributes Key=proxy_protocol_v2.enabled,Value=false", group.arn or "ARN"))
    :candidate("lb-health.protocol-mismatch", { ["for"] = "plain HTTP sent to a TLS port is answered with 400, too" }):reference(GUIDE)
end

local LISTEN = "listener_filters:\n- name: envoy.filters.listener.proxy_protocol\n  typed_config:\n"
  .. "    \"@type\": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol\n"

local function report_sent(finding)
  return finding:snippet("let the listener read it (Istio: proxy.istio.io/config gatewayTopology.proxyProtocol; Envoy Gateway: ClientTrafficPolicy proxyProtocol)",
    "listener.yaml", LISTEN)
    :advise("or stop sending it", "aws elbv2 modify-target-group-attributes --target-group-arn ARN --attributes Key=proxy_protocol_v2.enabled,Value=false"):reference(GUIDE)
end

return debrief.check {
  id = "lb-health/proxy-protocol",
  title = "do load balancer and listener agree on the PROXY protocol?",
  applies = "mode != client-only|proxyless",
  version = "0.1.0",
  tags = { "gateway", "ecs", "kubernetes" },
  needs = { "aws.target_group_attributes", "?aws.target_groups", "?aws.target_health", "?access.error", "?xds.listeners", "?xds.filter_chains" },
  findings = {
    [ID] = { title = "load balancer and listener disagree on the PROXY protocol", severity = "error", explains = { "lb-health.check-failing", "upstreams.protocol-error" } },
  },
  run = function(ev)
    local sent, attribute = is_sent(ev)
    local group = ev:count("aws.target_groups") == 1 and ev:first("aws.target_groups") or nil
    if sent == nil then return ev:not_applicable("no target group's attributes tell of the PROXY protocol") end
    local all, waiting, chain = chains_on(ev, group and group.port or "")
    local refused, line = unreadable(ev)
    local name = group and group.name or "target group"
    if sent and all > 0 and waiting == 0 then
      report_sent(ev:report(ID, "target-group", name, "target group %s sends the PROXY protocol, and the listener on port %s does not read it: its bytes are no request, "
        .. "the proxy answers 400", name, group.port):when("now"):cite(attribute):cite(chain):cite(line))
    elseif sent and all == 0 and refused > 0 then
      report_sent(ev:report(ID, "target-group", name, "target group %s sends the PROXY protocol, and the proxy answers 400 DPE to what it cannot read (%d times): most "
        .. "likely its listener does not expect it", name, refused):confidence("likely"):cite(attribute):cite(line)
        :candidate("lb-health.protocol-mismatch", { ["for"] = "TLS to a plain port is answered in the same way" }))
      ev:ask { evidence = "admin/config_dump.json", why = "the listener's filters tell whether it reads the PROXY protocol",
        how = "curl -s 'http://ADMIN/config_dump?resource=dynamic_listeners' > listeners.json, then --evidence" }
    elseif sent and refused_check(ev, group) and (waiting < all or all == 0) then
      report_check(ev, group, attribute, refused_check(ev, group))
    elseif not sent and all > 0 and waiting == all then
      ev:report(ID, "target-group", name, "the listener on port %s waits for the PROXY protocol, which target group %s does not send: connections are closed", group.port, name)
        :when("now"):cite(attribute):cite(chain):reference(GUIDE)
        :advise("have the target group send it", "aws elbv2 modify-target-group-attributes --target-group-arn ARN --attributes Key=proxy_protocol_v2.enabled,Value=true")
        :advise("or take envoy.filters.listener.proxy_protocol off that listener, or let it pass connections without the header "
          .. "(allow_requests_without_proxy_protocol: true)")
    end
  end,
}
