-- What a task definition settles before any pull: whether the App Mesh image is made for the processor that is asked
-- for, and what ECS itself says of a role to pull with. Says nothing of what the definition leaves open: one that was
-- cut for a report often lacks its roles.

local match = debrief.match

local ARM_SINCE = { 1, 20, 0, 1 } -- the first App Mesh image for arm64

local function older(tag)
  local found = match(tag, [[^(?:arm64-|amd64-)?v(?<a>[0-9]+)\.(?<b>[0-9]+)\.(?<c>[0-9]+)\.(?<d>[0-9]+)-prod]])
  if not found then return false end
  for i, part in ipairs{ found.a, found.b, found.c, found.d } do
    if tonumber(part) ~= ARM_SINCE[i] then return tonumber(part) < ARM_SINCE[i] end
  end
  return false
end

local function on_fargate(ev, definition)
  for one in ev:items(definition, "requiresCompatibilities") do
    if one == "FARGATE" then return true end
  end
  return false
end

-- The processor that the image is for, and why; nil: it fits, or nobody knows.
local function misfit(name, processor)
  local tag = match(name, [[/aws-appmesh-(?:envoy|agent):(?<tag>[\w.-]+)$]])
  if not tag then return nil end
  if processor == "ARM64" and tag.tag:find("^amd64%-") then return "its tag says amd64" end
  if processor == "ARM64" and older(tag.tag) then return "App Mesh publishes images for arm64 from v1.20.0.1 on" end
  if processor == "X86_64" and tag.tag:find("^arm64%-") then return "its tag says arm64" end
end

local function judge_platform(ev, definition, name, fargate)
  local processor = definition["runtimePlatform.cpuArchitecture"] or fargate and "X86_64"
  local why = processor and misfit(name, processor)
  if not why then return end
  ev:report("image-pull.wrong-platform", "image", name, "the task definition asks for %s, and image %s is not made for it: %s", processor, name, why):cite(definition)
    :advise("take a tag without the name of a processor, which serves both, or set runtimePlatform.cpuArchitecture to what the image is made for",
      "aws ssm get-parameters-by-path --path /aws/service/appmesh/envoy")
    :reference("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-arm64.html")
end

local function run(ev)
  for definition in ev:each("aws.task_definitions") do
    local fargate = on_fargate(ev, definition)
    for container in ev:items(definition, "containerDefinitions") do
      local name = container.image
      if name and not name:find("$", 1, true) then
        judge_platform(ev, definition, name, fargate)
      end
    end
  end
  for record in ev:each("event.no_role") do
    ev:report("image-pull.role-incomplete", "task", "task definition", "the task definition names no execution role, without which Fargate pulls nothing from Amazon ECR"):cite(record)
      :advise("name the role that pulls in executionRoleArn, and register the definition anew", "aws iam list-roles --query \"Roles[?contains(RoleName, 'ecsTaskExecution')].Arn\"")
  end
end

return debrief.check {
  id = "image-pull/definition",
  title = "does the task definition let its images be pulled and run?",
  applies = "platform = ecs|docker",
  version = "0.1.0",
  tags = { "ecs", "appmesh", "preflight" },
  needs = { "aws.task_definitions | text", "?aws.task_definitions" },
  events = { no_role = [[requires task definition to have execution role ARN to support ECR]] },
  findings = {
    ["image-pull.wrong-platform"] = { title = "the image is not made for this CPU architecture", severity = "error" },
    ["image-pull.role-incomplete"] = { title = "the role's policies do not let it pull", severity = "warning" },
  },
  run = run,
}
