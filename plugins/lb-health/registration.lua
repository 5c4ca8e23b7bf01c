-- Whether the proxy is among the targets at all: a target group that nobody registered in, targets that the load balancer
-- does not use, an ECS service without a load balancer or whose registration fails, a Kubernetes service that selects no
-- pod. A target that is new or leaving is no trouble.

local GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html"
local ID = "lb-health.not-registered"

local function group_name(arn)
  return arn and (arn:match("targetgroup/([^/]+)") or arn)
end

-- ---- targets that the load balancer itself does not use ----

local UNUSED = {
  ["Target.NotRegistered"] = { "is not registered with the target group", "register it, or let the service do so (loadBalancers of the ECS service)",
    "aws elbv2 register-targets --target-group-arn ARN --targets Id=%s" },
  ["Target.IpUnusable"] = { "has an address that a load balancer uses itself", "register the address of the proxy's task or instance" },
  ["Target.InvalidState"] = { "is stopped or terminated", "start the instance, or let a running one take its place" },
}

local function not_in_use(target)
  local text = target.description or ""
  if text:find("Availability Zone", 1, true) then
    return "lies in zone " .. (target.zone or "?") .. ", which the load balancer does not serve",
      "enable a subnet of that zone, or turn on cross-zone load balancing and register there", "aws elbv2 set-subnets --load-balancer-arn ARN --subnets SUBNET..."
  end
  return "is in a target group that no listener or rule of the load balancer uses", "point a listener or rule at the target group",
    "aws elbv2 create-rule --listener-arn ARN --priority 10 --conditions Field=path-pattern,Values='/*' --actions Type=forward,TargetGroupArn=ARN"
end

-- Beside targets that are well, one that is not used may be meant so (the idle half of a blue/green deployment).
local function judge_targets(ev)
  local healthy = false
  for target in ev:each("aws.target_health") do healthy = healthy or target.state == "healthy" end
  for target in ev:each("aws.target_health") do
    local row = UNUSED[target.reason or ""]
    local what, advice, command
    if row then
      what, advice, command = row[1], row[2], row[3] and row[3]:format(target.target or "ADDRESS")
    elseif target.reason == "Target.NotInUse" then
      what, advice, command = not_in_use(target)
    end
    if what then
      local finding = ev:report(ID, "target", (target.target or "?") .. (target.port and ":" .. target.port or ""),
        "target %s %s: no request reaches it", target.target or "?", what):when("now"):cite(target):advise(advice, command):reference(GUIDE)
      if healthy then finding:severity("warning") end
    end
  end
end

-- ---- ECS ----

local function judge_failures(ev)
  for record in ev:each("event.refused") do
    local group = group_name(record.arn) or "?"
    ev:report(ID, "target-group", group, "ECS could not register a target in target group %s: %s", group, record.why or "")
      :when("now"):cite(record):reference(GUIDE)
      :advise("mend what the message names; where it names an action, the service's role lacks it (elasticloadbalancing:RegisterTargets)",
        "aws ecs describe-services --cluster CLUSTERNAME --services SERVICE --query 'services[].[roleArn,loadBalancers]'")
  end
end

-- Whether SERVICE is one that should have registered in GROUP; and whether it says so itself.
local function concerns(ev, service, group)
  local arn = service["loadBalancers[0].targetGroupArn"]
  if not group then return arn ~= nil, arn end
  if ev:count("aws.target_groups") > 1 or group.target_type == "lambda" then return false end
  return arn == group.arn or (not arn and ev:count("aws.services") == 1), arn
end

local function report_empty(ev, service, group, arn)
  local name, running = group and group.name or group_name(arn), service.runningCount
  local finding = ev:report(ID, "target-group", name, arn and "target group %s has no target, though service %s runs %s task%s for it"
    or "target group %s has no target: service %s runs %s task%s and names no load balancer", name, service.serviceName or service.id, running,
    running == "1" and "" or "s"):when("now"):cite(service):cite(group):reference(GUIDE)
  if arn then
    finding:advise("see what the service's events say of registering", "aws ecs describe-services --cluster CLUSTERNAME --services "
      .. (service.serviceName or "SERVICE") .. " --query 'services[].events[:20].message'")
  else
    finding:confidence("likely"):advise("give the service its load balancer; ECS then registers each task", string.format("aws ecs update-service --cluster "
      .. "CLUSTERNAME --service %s --load-balancers targetGroupArn=%s,containerName=CONTAINERNAME,containerPort=%s", service.serviceName or "SERVICE",
      group and group.arn or "ARN", group and group.port or "PORT"))
  end
end

-- No target, though their list was given whole: an empty list leaves no record.
local function judge_empty(ev)
  if ev:state("aws.target_health") ~= "complete" or ev:first("aws.target_health") then return end
  local group = ev:first("aws.target_groups")
  for service in ev:each("aws.services") do
    local concerned, arn = concerns(ev, service, group)
    if concerned and (ev:number(service, "runningCount") or 0) > 0 then report_empty(ev, service, group, arn) end
  end
end

-- ---- Kubernetes ----

local function is_balanced(service)
  return service["spec.type"] == "LoadBalancer"
end

local function holds(slice, service)
  local name = service["metadata.name"]
  if slice["metadata.namespace"] ~= service["metadata.namespace"] or not name then return false end
  return slice['metadata.labels."kubernetes.io/service-name"'] == name or slice.kind == "Endpoints" and slice["metadata.name"] == name
end

-- Whether any address, ready or not, stands behind the service.
local function has_address(ev, service)
  for slice in ev:each("k8s.endpoints") do
    if holds(slice, service) and (slice["endpoints[0].addresses[0]"] or slice["subsets[0].addresses[0].ip"]
      or slice["subsets[0].notReadyAddresses[0].ip"]) then return true, slice end
  end
  return false
end

local function has_own(ev, service)
  for slice in ev:each("k8s.endpoints") do
    if holds(slice, service) then return slice end
  end
end

local function selector_of(ev, service)
  local parts = {}
  for _, key in ipairs(ev:keys(service, "spec.selector")) do
    parts[#parts + 1] = key .. "=" .. (service['spec.selector."' .. key .. '"'] or "")
  end
  return table.concat(parts, ",")
end

local function judge_services(ev)
  for service in ev:each("k8s.services") do
    local own = is_balanced(service) and has_own(ev, service)
    if own and not has_address(ev, service) then
      local name, namespace, selector = service["metadata.name"], service["metadata.namespace"] or "default", selector_of(ev, service)
      ev:report(ID, "service", namespace .. "/" .. name, "service %s has no endpoint: no pod %s, so the load balancer has nobody to check", name,
        selector ~= "" and "with labels " .. selector .. " exists in its namespace" or "is selected"):when("now"):cite(service):cite(own)
        :advise("let the service select the labels that the proxy's pods have", string.format("kubectl get pods -n %s --show-labels", namespace))
    end
  end
end

return debrief.check {
  id = "lb-health/registration",
  title = "is the proxy among the load balancer's targets?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "gateway" },
  needs = { "aws.target_health | aws.services | k8s.services | text", "?aws.target_health", "?aws.target_groups", "?aws.services", "?k8s.services",
    "?k8s.endpoints" },
  events = {
    refused = [[failed to register targets in \(target-group (?<arn>[^ )]+)\) with \(error (?<why>[^)]+)]],
  },
  findings = {
    [ID] = { title = "the proxy is not among the load balancer's targets", severity = "error", explains = { "lb-health.check-failing" } },
  },
  run = function(ev)
    judge_targets(ev)
    judge_failures(ev)
    judge_empty(ev)
    judge_services(ev)
  end,
}
