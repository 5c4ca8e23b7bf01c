-- Before a pull fails: do the policies given let the role pull the images that manifests and tasks name? Once the
-- registry has refused, image-pull names the policy itself, and this check stays silent.

local ecr = debrief.use "ecr"

-- A definition that names a role which nobody can tell yet: a template's.
local function names_open_role(ev)
  for definition in ev:each("aws.task_definitions") do
    for _, name in ipairs(ev:keys(definition, "")) do
      if name == "executionRoleArn" and not definition.executionRoleArn then return true end
    end
  end
  return false
end

-- The role of policies that came without anything else: the only one they name.
local function lone_role(ev)
  local found
  if names_open_role(ev) then return nil end
  for policy in ev:each("aws.policies") do
    if policy.RoleName and found and found ~= policy.RoleName then return nil end
    found = found or policy.RoleName
  end
  if found then return found end
  for role in ev:each("aws.roles") do
    if found and found ~= role.RoleName then return nil end
    found = role.RoleName
  end
  return found or ev:count("aws.policies") > 0 and "the pulling role" or nil
end

-- Images in Amazon ECR, each once: { image, name, record, platform, workload, launch_type, role }. What runs was pulled.
local function images_of(ev)
  local list, seen, runs = {}, {}, {}
  for status in ev:each("container_status") do
    if status.image and (status.state == "running" or status.state == "RUNNING") then runs[status.image] = true end
  end
  for _, name in ipairs{ "containers", "container_status" } do
    for record in ev:each(name) do
      local image = ecr.of(record.image)
      if image and not runs[record.image] and not seen[record.image] then
        seen[record.image] = true
        list[#list + 1] = { image = image, name = record.image, record = record, platform = record.platform, workload = record.workload,
          launch_type = record.launch_type, role = name == "containers" and record.execution_role or nil }
      end
    end
  end
  return list
end

local SILENT = { ["no-policies"] = true }

-- Whether some rights are granted and others not, by policies that need not be all.
local function judge(rights)
  local granted, lacking
  for _, right in ipairs(rights) do
    if right.decision == "granted" then granted = right end
    local short = right.decision == "denied" or right.reason == "more-policies"
    if short and (not lacking or right.reason == "other-resource" or right.record and not lacking.record) then lacking = right end
  end
  return granted, lacking
end

local function advise(f, role, image)
  f:snippet("let the role pull this image", "ecr-pull.json", ecr.policy(image))
    :advise("attach it", string.format("aws iam put-role-policy --role-name %s --policy-name ecr-pull --policy-document file://ecr-pull.json", ecr.safe(role, "ROLE")))
    :reference("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html")
end

local function report(ev, pull, id, kind, rights)
  local name = id:match("[^/]+$")
  local granted, lacking = judge(rights)
  if not lacking or SILENT[lacking.reason] then return end
  local elsewhere = lacking.reason == "other-resource" or lacking.why:find("allows the action, but not on", 1, true)
  local partly = elsewhere or granted and lacking.reason ~= "more-policies"
  if not partly and lacking.decision ~= "denied" then
    ev:ask{ evidence = "aws.policies", why = lacking.why,
      how = string.format("aws iam list-role-policies --role-name %s, get-role-policy for each, list-attached-role-policies --role-name %s, all with --output json", ecr.safe(name, "ROLE"), ecr.safe(name, "ROLE")) }
    return
  end
  local slug = partly and "policy-wrong-resource" or "role-incomplete"
  local f = ev:report("image-pull." .. slug, "image", pull.name, "%s '%s' cannot pull %s by the policies given: %s", kind, name, pull.name, lacking.why)
    :cite(lacking.record):cite(pull.record)
  if lacking.decision ~= "denied" then f:confidence("likely") end
  advise(f, name, pull.image)
end

-- ---- policies that came without any image ----

-- Whoever may read manifests and not fetch layers, or the reverse, pulls nothing. Other policies of the role may grant
-- the rest, so this is likely, never certain.
local MANIFEST, LAYERS = "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"

local function covers(pattern, action)
  return debrief.glob(pattern:lower(), action:lower())
end

-- The actions of a statement: a name, or a list of them.
local function actions_of(ev, statement)
  local list = {}
  for one in ev:items(statement, "Action") do list[#list + 1] = tostring(one) end
  if #list == 0 and statement.Action then list[1] = tostring(statement.Action) end
  return list
end

-- What the identity policy grants of the two rights; nil: it is another kind of document.
local function grants_of(ev, policy, path)
  local found
  for statement in ev:items(policy, path) do
    if #ev:keys(statement, "Principal") > 0 or statement.Principal then return nil end
    found = found or {}
    if statement.Effect == "Allow" then
      for _, action in ipairs(actions_of(ev, statement)) do
        for _, right in ipairs{ MANIFEST, LAYERS } do found[right] = found[right] or covers(action, right) end
      end
    end
  end
  return found
end

-- The policies' grants together: they add up.
local function judge_alone(ev)
  local granted, last = {}, nil
  for policy in ev:each("aws.policies") do
    for _, path in ipairs{ "Statement", "PolicyDocument.Statement", "PolicyVersion.Document.Statement" } do
      local grants = grants_of(ev, policy, path)
      for right, given in pairs(grants or {}) do
        if given then granted[right], last = true, policy end
      end
    end
  end
  if not last or granted[MANIFEST] and granted[LAYERS] then return end
  local has, lacks = granted[MANIFEST] and MANIFEST or LAYERS, granted[MANIFEST] and LAYERS or MANIFEST
  ev:report("image-pull.role-incomplete", "role", last.RoleName or last.PolicyName or "policy",
    "the policies given allow %s and not %s: %s", has, lacks, lacks == LAYERS and "manifests can be read, and no layer fetched" or "no manifest can be read")
    :cite(last):confidence("likely")
    :advise("add " .. lacks .. " to the statement that holds " .. has, string.format("aws iam put-role-policy --role-name %s --policy-name ecr-pull --policy-document file://ecr-pull.json", ecr.safe(last.RoleName, "ROLE")))
    :reference("https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-pull.html")
  ev:ask{ evidence = "aws.attached_policies", why = "another policy of the same role may grant what this one lacks",
    how = string.format("aws iam list-attached-role-policies --role-name %s --output json; aws iam list-role-policies --role-name %s --output json", ecr.safe(last.RoleName, "ROLE"), ecr.safe(last.RoleName, "ROLE")) }
end

local function run(ev)
  if ev:count("event.refused") > 0 then return end
  local images = images_of(ev)
  if #images == 0 and not ev:first("containers") and not ev:first("container_status") then return judge_alone(ev) end
  for _, pull in ipairs(images) do
    local id, kind = ecr.puller(ev, pull.platform, pull.workload, pull.launch_type)
    id = id or pull.platform == "ecs" and pull.launch_type ~= "EC2" and pull.role or lone_role(ev)
    if id then report(ev, pull, id, kind, ecr.rights(ev, id, pull.image)) end
  end
end

return debrief.check {
  id = "image-pull/role",
  title = "do the policies given let the role pull the images?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = {
    "containers | container_status | aws.policies", "aws.policies | aws.roles | aws.attached_policies", "?containers", "?container_status",
    "?aws.roles", "?aws.policies", "?aws.policy_names", "?aws.attached_policies", "?aws.repository_policies", "?aws.vpc_endpoints",
    "?aws.instances", "?aws.tasks", "?aws.task_definitions", "?text",
  },
  events = {
    refused = [[not authorized to perform:? ecr:|(?i:pull access denied|no basic auth credentials|requested access to the resource is denied)|(?:/v2/|Pull)[^\n]{0,300}(?:403|401)]],
  },
  findings = {
    ["image-pull.role-incomplete"] = { title = "the role's policies do not let it pull", severity = "warning" },
    ["image-pull.policy-wrong-resource"] = { title = "a policy for the registry covers other images", severity = "warning" },
  },
  run = run,
}
