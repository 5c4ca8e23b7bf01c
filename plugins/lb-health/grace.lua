-- Whether ECS gives a task the time it needs before the load balancer's verdict kills it: what the service grants
-- (healthCheckGracePeriodSeconds) against how long the tasks lived that were stopped for it, and against the start that the
-- task's own health checks allow for. A check that is answered with a code of the 300s or 400s fails for ever, however long
-- it waits: such tasks are another finding's.

local seconds = debrief.use("dates").seconds

local ID = "lb-health.grace-too-short"
local GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-healthcheck.html"
local MARGIN = 60 -- seconds: registering, and until the scheduler sees it

local function only(ev, name)
  return ev:count(name) == 1 and ev:first(name) or nil
end

-- How long a check must fail until a target counts as unhealthy.
local function window(ev)
  local group = only(ev, "aws.target_groups")
  return (group and ev:number(group, "check_interval") or 30) * (group and ev:number(group, "unhealthy_count") or 2)
end

-- Answers that no waiting mends.
local function is_answered_wrong(ev)
  for target in ev:each("aws.target_health") do
    if (target.description or ""):find("%[[34]%d%d%]") then return true end
  end
  for record in ev:each("event.unhealthy") do
    if (record.why or ""):find("%[?[34]%d%d%]?") then return true end
  end
  for record in ev:each("access.health_check") do
    if (record.code or ""):find("^[34]") then return true end
  end
  return false
end

local function service_of(ev, task)
  local name = (task.group or ""):match("^service:(.+)$")
  for service in ev:each("aws.services") do
    if service.serviceName == name then return service end
  end
end

local function advise(finding, service, needed)
  return finding:advise("grant the time that the start takes, and the checks after it", string.format(
    "aws ecs update-service --cluster CLUSTERNAME --service %s --health-check-grace-period-seconds %d", service.serviceName or "SERVICE", needed))
    :reference(GUIDE)
end

-- ---- tasks that were stopped for it ----

-- service name -> tasks that lived no longer than what was granted and the checks needed to fail
local function read_stopped(ev, allowed)
  local stopped, order = {}, {}
  for task in ev:each("aws.tasks") do
    local service = (task.stoppedReason or ""):find("failed ELB health checks", 1, true) and service_of(ev, task)
    local started, ended = seconds(task.startedAt), seconds(task.stoppingAt or task.stoppedAt)
    if service and started and ended and ended > started then
      local name = service.serviceName
      if not stopped[name] then
        stopped[name] = { service = service, tasks = {}, longest = 0, late = false }
        order[#order + 1] = stopped[name]
      end
      local entry, lived = stopped[name], ended - started
      entry.tasks[#entry.tasks + 1] = task
      entry.longest = math.max(entry.longest, lived)
      entry.late = entry.late or lived > (ev:number(service, "healthCheckGracePeriodSeconds") or 0) + allowed
    end
  end
  return order
end

-- The longest start that a container's own health check allows for.
local function start_of(ev, service)
  local longest, at = 0, nil
  for definition in ev:each("aws.task_definitions") do
    local arn, id = service.taskDefinition or "", definition.family or definition.id or ""
    local mine = arn == definition.taskDefinitionArn or arn:find("/" .. id .. ":", 1, true) or arn == id or ev:count("aws.task_definitions") == 1
    for container in ev:items(definition, "containerDefinitions") do
      local period = mine and tonumber(container["healthCheck.startPeriod"] or "")
      if period and period > longest then longest, at = period, { container.name, definition } end
    end
  end
  return longest, at
end

local function judge_stopped(ev, entry, allowed)
  local service, grace = entry.service, ev:number(entry.service, "healthCheckGracePeriodSeconds") or 0
  local start, at = start_of(ev, service)
  local proved = start > grace
  local finding = ev:report(ID, "service", service.serviceName, "%d task%s of service %s %s stopped for failed checks of the load balancer within %d s of "
    .. "starting; the service grants %d s%s", #entry.tasks, #entry.tasks == 1 and "" or "s", service.serviceName, #entry.tasks == 1 and "was" or "were",
    math.ceil(entry.longest), grace, proved and string.format(", and container '%s' may take %d s to start by its own health check", at[1] or "?", start) or "")
    :cite(entry.tasks[1]):cite(service):cite(at and at[2])
  advise(finding, service, math.max(math.ceil(entry.longest) * 2, start + math.ceil(allowed)))
  if proved then return finding:confidence("likely") end
  finding:confidence("possible"):candidate(ID, { ["for"] = "every one of them died as soon as it could", against = "a check that can never pass ends in the same way" })
  ev:ask { evidence = "the container's log, from start to ready", why = "a start that takes longer than the grace period is ended in vain; one that is quick fails for another reason",
    how = "aws logs tail GROUP --since 1h, and aws elbv2 describe-target-health --target-group-arn ARN --output json while a task is young" }
end

-- ---- before anything was stopped ----

local function judge_settings(ev, service, allowed)
  local grace = ev:number(service, "healthCheckGracePeriodSeconds") or 0
  local start, at = start_of(ev, service)
  if not service["loadBalancers[0].targetGroupArn"] or start <= grace + allowed then return end
  advise(ev:report(ID, "service", service.serviceName or service.id, "service %s grants %d s before the load balancer's checks count, and container '%s' may take %d s "
    .. "to start by its own health check: a slow start is killed by the load balancer", service.serviceName or service.id, grace, at[1] or "?", start)
    :confidence("likely"):cite(service):cite(at[2]), service, start + math.ceil(allowed))
end

return debrief.check {
  id = "lb-health/grace",
  title = "does a task get the time to start before the load balancer's verdict counts?",
  applies = "platform = ecs|docker",
  version = "0.1.0",
  tags = { "ecs" },
  needs = { "aws.services", "?aws.tasks", "?aws.task_definitions", "?aws.target_groups", "?aws.target_health", "?access.health_check" },
  events = {
    unhealthy = [[is unhealthy in \(?target-group [^ )]+\)? due to \(reason (?<why>[^)]+)]],
  },
  findings = {
    [ID] = { title = "the load balancer's verdict counts before the task can be ready", severity = "warning", explains = { "lb-health.check-failing" } },
  },
  run = function(ev)
    local allowed, told = window(ev) + MARGIN, {}
    if not is_answered_wrong(ev) then
      for _, entry in ipairs(read_stopped(ev, allowed)) do
        if not entry.late then
          judge_stopped(ev, entry, allowed)
          told[entry.service.serviceName] = true
        end
      end
    end
    for service in ev:each("aws.services") do
      if not told[service.serviceName or ""] then judge_settings(ev, service, allowed) end
    end
  end,
}
