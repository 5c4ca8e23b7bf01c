-- Whether the network lets the load balancer's check in: from its security groups (or, where it has none, its subnets) to
-- the target's address and the checked port, by the rules that the evidence holds. Asked only for targets whose check met
-- silence or a closed door: an answer with a wrong code has passed the network. Draws no conclusion from rules that are
-- not given, and judges no load balancer that it cannot tell.

local GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/"

local function last_part(arn)
  return arn and arn:match("([^/]+)$")
end

-- The load balancer that checks: the only one that is described, or the one that the only target group names.
local function balancer_of(ev)
  local named, only, several = nil, nil, false
  local group = ev:first("aws.target_groups")
  if group and ev:count("aws.target_groups") == 1 then named = group.load_balancers end
  for balancer in ev:each("aws.load_balancers") do
    if named and balancer.LoadBalancerArn and (named .. ","):find(balancer.LoadBalancerArn .. ",", 1, true) then return balancer end
    several = only ~= nil
    only = balancer
  end
  return not several and not named and only or nil
end

-- Where its checks come from: ids that ev:path takes.
local function sources_of(ev, balancer)
  local groups, subnets = {}, {}
  for group in ev:items(balancer, "SecurityGroups") do groups[#groups + 1] = group end
  for zone in ev:items(balancer, "AvailabilityZones") do subnets[#subnets + 1] = zone.SubnetId end
  return #groups > 0 and groups or subnets
end

local function is_silent(target)
  local reason = target.reason or ""
  return (target.state or ""):find("^unhealthy") and (reason == "Target.Timeout" or reason == "Target.FailedHealthChecks")
    and not (target.description or ""):find("codes", 1, true)
end

-- Closed only if the rules close the way from each of the places that checks come from. Several groups of a load balancer
-- add up: where one may not get out and another not in, both together may. The record of a rule is the last one.
local function judge_way(ev, from, target, port)
  local why, record, reason
  local ways = {}
  for _, source in ipairs(from) do
    local decision
    decision, why, record, reason = ev:path { from = source, to = target, port = port }
    if decision ~= "closed" then return decision, why, record, reason end
    ways[(why or ""):find(" out to ", 1, true) and "out" or "in"] = true
  end
  if #from == 0 or ways.out and ways["in"] then return "undecidable", why, record, reason end
  return "closed", why, record, reason
end

local function advise(finding, why, reason, port, source)
  local group = (why or ""):match("sg%-%w+")
  if reason == "security-group" and group and not (why or ""):find(" out to ", 1, true) then
    local from = source and source:find("^sg%-") and "--source-group " .. source or "--cidr CIDR_OF_" .. (source or "THE_SUBNET")
    finding:advise("let the load balancer in on the checked port", string.format(
      "aws ec2 authorize-security-group-ingress --group-id %s --protocol tcp --port %d %s", group, port, from))
  elseif reason == "security-group" then
    finding:advise("let the load balancer's own security group out to the checked port", string.format(
      "aws ec2 authorize-security-group-egress --group-id %s --protocol tcp --port %d --cidr VPC_CIDR", group or "SG", port))
  else
    finding:advise("let the checked port in, and the answers (ports 1024 to 65535) out, in the network ACL of the target's subnet",
      "aws ec2 describe-network-acls --filters Name=association.subnet-id,Values=SUBNET --output json")
  end
  finding:reference(GUIDE .. "application/load-balancer-update-security-groups.html")
end

local function ask(ev, target, port, balancer, why, reason)
  if not balancer then
    ev:ask { evidence = "aws/describe-load-balancers.json", why = "where the checks come from decides which rule lets them in",
      how = "aws elbv2 describe-load-balancers --output json; aws elbv2 describe-target-groups --output json" }
    return
  end
  ev:ask { evidence = reason and reason:find("^aws%.") and reason or "aws.security_groups",
    why = string.format("whether the load balancer may reach %s:%d: %s", target, port, why or "the rules are not in the evidence"),
    how = "aws ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values=" .. target
      .. " --output json; aws ec2 describe-security-groups --output json" }
end

local function report(ev, target, port, why, record, reason, source, balancer)
  local acl = reason ~= "security-group"
  local finding = ev:report("lb-health.security-group-closed", "target", target.target .. ":" .. (target.port or port),
    "the load balancer %s cannot reach %s on port %d, which it checks: %s", balancer.LoadBalancerName or last_part(balancer.id) or "",
    target.target, port, why or "the rules close it")
  finding:when("now"):cite(record):cite(target)
  if acl then finding:cite(balancer) end
  advise(finding, why, reason, port, source)
end

return debrief.check {
  id = "lb-health/network",
  title = "does the network let the load balancer's check in?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "gateway" },
  needs = { "aws.target_health", "aws.security_groups | aws.security_group_rules | aws.network_acls", "?aws.target_groups", "?aws.load_balancers",
    "?aws.tasks", "?aws.services", "?aws.container_instances", "?aws.instances", "?aws.network_interfaces", "?aws.subnets", "?aws.security_groups",
    "?aws.security_group_rules", "?aws.network_acls", "?aws.route_tables", "?aws.vpc_endpoints", "?aws.prefix_lists" },
  findings = {
    ["lb-health.security-group-closed"] = { title = "the network keeps the load balancer's check out", severity = "error",
      explains = { "lb-health.check-failing" } },
  },
  run = function(ev)
    local balancer, silent, asked = balancer_of(ev), 0, false
    local from = balancer and sources_of(ev, balancer) or {}
    for target in ev:each("aws.target_health") do
      local port = tonumber(target.check_port or target.port or "")
      port = port and math.tointeger(port)
      if target.target and port and is_silent(target) and silent < 20 then
        silent = silent + 1
        local decision, why, record, reason = judge_way(ev, from, target.target, port)
        if decision == "closed" then
          report(ev, target, port, why, record, reason, from[1], balancer)
        elseif decision == "undecidable" and not asked then
          ask(ev, target.target, port, balancer, why, reason)
          asked = true
        end
      end
    end
    if silent == 0 then ev:not_applicable("no target's check ends without an answer") end
  end,
}
