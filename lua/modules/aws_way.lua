-- The network between a workload on AWS and what it wants to reach: where it starts, and what to do about the part that
-- is closed. A check that uses it declares, each as an optional need, what ev:path reads (docs/lua-checks.md).

local match = debrief.match

local way = {}

-- The id of the task or service WORKLOAD, or of the only instance given; nil when the evidence has no such thing.
function way.start(ev, workload)
  for _, name in ipairs{ "aws.tasks", "aws.services" } do
    for object in ev:each(name) do
      if workload and object.id == workload then return object.id end
    end
  end
  local only
  for instance in ev:each("aws.instances") do
    if only and only ~= instance.id then return nil end
    only = instance.id
  end
  return only
end

-- Whether the evidence tells anything of the network.
function way.told(ev)
  for _, name in ipairs{ "aws.security_groups", "aws.security_group_rules", "aws.route_tables", "aws.network_acls", "aws.vpc_endpoints" } do
    if ev:state(name) ~= "absent" then return true end
  end
  return false
end

local function group_in(why)
  return (match(why, [[(?<id>sg-[\w-]+)]]) or { id = "SG" }).id
end

local FIXES = {
  ["security-group"] = function(f, why)
    local inbound = why:find(" in from ", 1, true)
    f:advise(inbound and "let port 443 in there" or "let port 443 out there",
      string.format("aws ec2 authorize-security-group-%s --group-id %s --protocol tcp --port 443 --cidr %s",
        inbound and "ingress" or "egress", group_in(why), inbound and "VPC_CIDR" or "0.0.0.0/0"))
  end,
  ["network-acl"] = function(f)
    f:advise("let port 443 out and the answers (ports 1024 to 65535) in, by rules with lower numbers than the one that denies",
      "aws ec2 create-network-acl-entry --network-acl-id ACL --rule-number 50 --protocol tcp --rule-action allow --egress --cidr-block 0.0.0.0/0 --port-range From=443,To=443")
  end,
  ["route"] = function(f, why)
    local table_id = (match(why, [[(?<id>rtb-[\w-]+)]]) or { id = "RTB" }).id
    local unnamed = match(why, [[endpoint (?<id>vpce-[\w-]+) is not used: its private DNS is off]])
    local gateway = match(why, [[gateway endpoint (?<id>vpce-[\w-]+)]])
    if unnamed then
      f:advise("turn private DNS on, so that the service's name leads to the endpoint (the VPC needs enableDnsSupport and enableDnsHostnames)",
        string.format("aws ec2 modify-vpc-endpoint --vpc-endpoint-id %s --private-dns-enabled", unnamed.id))
    end
    f:advise((unnamed and "or " or "") .. "give that route table a way: a NAT gateway for a private subnet",
      string.format("aws ec2 %s-route --route-table-id %s --destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT", why:find("blackhole", 1, true) and "replace" or "create", table_id))
      :advise("or endpoints of the VPC: a gateway endpoint must name the route table",
        string.format("aws ec2 modify-vpc-endpoint --vpc-endpoint-id %s --add-route-table-ids %s", gateway and gateway.id or "VPCE", table_id))
  end,
  ["public-address"] = function(f)
    f:advise("give it a public address (assignPublicIp ENABLED), or put it into a subnet that leads to a NAT gateway",
      "aws ecs update-service --cluster CLUSTERNAME --service SERVICE --network-configuration 'awsvpcConfiguration={subnets=[SUBNET],securityGroups=[SG],assignPublicIp=ENABLED}'")
  end,
}

-- What mends the part that WHY names.
function way.fix(f, why, reason)
  if FIXES[reason] then FIXES[reason](f, why) end
end

local HOW = {
  ["aws.security_groups"] = "aws ec2 describe-security-groups --output json",
  ["aws.network_acls"] = "aws ec2 describe-network-acls --output json",
  ["aws.route_tables"] = "aws ec2 describe-route-tables --output json",
  ["aws.vpc_endpoints"] = "aws ec2 describe-vpc-endpoints --output json",
  ["aws.network_interfaces"] = "aws ec2 describe-network-interfaces --output json, and aws ecs describe-services for a task that is gone",
  ["aws.prefix_lists"] = "aws ec2 describe-prefix-lists --output json",
}

-- Asks for what would decide, when that is something that can be given.
function way.ask(ev, why, reason)
  if HOW[reason] then ev:ask{ evidence = reason, why = why, how = HOW[reason] } end
end

-- Asks for all that decides a way, where the evidence has nothing of the network: in the words of ECS for a task.
function way.ask_all(ev, task, why)
  if way.told(ev) then return end
  ev:ask{ evidence = "aws.security_groups", why = why, how = "aws ec2 describe-security-groups --group-ids SG --output json (those of the "
    .. (task and "task's network interface: aws ecs describe-tasks --cluster CLUSTER --tasks " .. task or "task or instance") .. ")" }
  ev:ask{ evidence = "aws.route_tables", why = why,
    how = "aws ec2 describe-route-tables --filters Name=association.subnet-id,Values=SUBNET --output json; aws ec2 describe-vpc-endpoints --output json" }
end

return way
