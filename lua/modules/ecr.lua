-- Amazon ECR: what an image's name says, which accounts publish, which rights a pull takes, and whether a role has
-- them. A check that calls rights() declares, each as an optional need, aws.roles, aws.policies, aws.policy_names,
-- aws.attached_policies, aws.repository_policies and aws.vpc_endpoints; one that calls puller() also aws.instances,
-- aws.tasks, aws.task_definitions and containers; listed(), images() and cache_rule() read aws.repositories, aws.images and
-- aws.pull_through_cache_rules.

local match = debrief.match

local ecr = {}

-- Names come from evidence and go into commands that people paste: nothing but names may pass.
function ecr.safe(text, fallback)
  return text and match(text, [[^[\w.:/@-]+$]]) and text or fallback
end

-- Account, region, host and repository of an image in Amazon ECR; nil for other registries.
function ecr.of(image)
  local parts = image and match(image, [[^(?<account>[^./]+)\.dkr[.-]ecr(?:-fips)?\.(?<region>[^./]+)\.(?<domain>[^/]+)/(?<repository>[^:@]+)]])
  if not parts then return nil end
  local safe = ecr.safe
  local found = { account = safe(parts.account, "ACCOUNT"), region = safe(parts.region, "REGION"), repository = safe(parts.repository, "REPOSITORY") }
  found.partition = parts.domain:find("%.cn$") and "aws-cn" or parts.region:find("^us%-gov") and "aws-us-gov" or "aws"
  found.host = safe(image:match("^[^/]+"), found.account .. ".dkr.ecr." .. found.region .. ".amazonaws.com")
  found.arn = string.format("arn:%s:ecr:%s:%s:repository/%s", found.partition, found.region, found.account, found.repository)
  return found
end

-- The account that publishes an App Mesh image in its region; nil for images of others.
function ecr.publisher(image)
  if not match(image.repository, [[^aws-appmesh-(?:envoy|proxy-route-manager)$]]) then return nil end
  return debrief.registry(image.region).account
end

-- Whether the account publishes images for the mesh, in whichever region.
function ecr.publishes(account)
  return match(account, [[^\d+$]]) and debrief.registry(account) ~= nil or false
end

ecr.ACTIONS = { "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage" }

function ecr.policy(image)
  return string.format([[
{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
    {
      "Effect": "Allow",
      "Action": ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
      "Resource": "%s"
    }
  ]
}
]], image.arn)
end

-- ---- whether a role may pull ----

local function ask(ev, role, action, image, endpoint)
  local resource = action == "ecr:GetAuthorizationToken" and "*" or image.arn
  local decision, why, record, reason = ev:iam{ role = role, action = action, resource = resource, endpoint = endpoint }
  -- What these accounts publish, every account may pull: no policy of theirs is needed to know.
  if reason == "repository-policy" and decision == "undecidable" and ecr.publishes(image.account) then
    decision, reason = "granted", nil
  end
  return { action = action, decision = decision, why = why, record = record, reason = reason, endpoint = endpoint }
end

-- The rights that a pull takes, as the role's policies decide them; by the endpoints' policies as well, where all others
-- grant them: list of { action, decision, why, record, reason, endpoint }.
function ecr.rights(ev, role, image, only)
  local rights, granted = {}, true
  for _, action in ipairs(only and { only } or ecr.ACTIONS) do
    local right = ask(ev, role, action, image)
    rights[#rights + 1] = right
    granted = granted and right.decision == "granted"
  end
  if not granted then return rights end
  for endpoint in ev:each("aws.vpc_endpoints") do
    if endpoint.id and match(endpoint.ServiceName or "", [[\.ecr\.(?:api|dkr)$]]) then
      for _, action in ipairs(only and { only } or ecr.ACTIONS) do
        local api = endpoint.ServiceName:find("%.api$")
        if (action == "ecr:GetAuthorizationToken") == (api ~= nil) or only then
          rights[#rights + 1] = ask(ev, role, action, image, endpoint.id)
        end
      end
    end
  end
  return rights
end

-- The first right that is denied, else the first that cannot be decided, else nil.
function ecr.lacking(rights)
  for _, wanted in ipairs{ "denied", "undecidable" } do
    for _, right in ipairs(rights) do
      if right.decision == wanted then return right end
    end
  end
end

-- ---- what the registry has ----

-- A repository of the listing, and the record of one that has the same last name.
function ecr.listed(ev, image)
  local similar
  for one in ev:each("aws.repositories") do
    if one.repositoryArn == image.arn then return one end
    local last = image.repository:match("[^/]+$")
    if one.repositoryName and one.repositoryName:match("[^/]+$") == last then similar = one end
  end
  return nil, similar
end

-- The images of this repository, as the registry lists them: records, and whether that is all of them.
function ecr.images(ev, image)
  local found, record = {}, nil
  for one in ev:each("aws.images") do
    if one.repositoryName == image.repository and (not one.registryId or one.registryId == image.account) then
      found[#found + 1], record = one, one
    end
  end
  return found, record
end

-- The pull-through cache rule that would have made the repository; nil also without an image of Amazon ECR.
function ecr.cache_rule(ev, image)
  for rule in ev:each("aws.pull_through_cache_rules") do
    local prefix = rule.ecrRepositoryPrefix
    if image and prefix and (prefix == "ROOT" or image.repository:sub(1, #prefix + 1) == prefix .. "/") then return rule end
  end
end

-- ---- whose rights count ----

-- A role that EC2 instances take: the only one given, as container instances and nodes have one.
local function instance_role(ev)
  local found
  for role in ev:each("aws.roles") do
    for statement in ev:items(role, "AssumeRolePolicyDocument.Statement") do
      local service = statement["Principal.Service"] or ""
      for one in ev:items(statement, "Principal.Service") do service = service .. " " .. tostring(one) end
      if match(service, [[ec2\.amazonaws\.com]]) then
        if found and found ~= role.RoleName then return nil end
        found = role.RoleName
      end
    end
  end
  if found then return found end
  local profile
  for instance in ev:each("aws.instances") do
    local arn = instance["IamInstanceProfile.Arn"]
    local name = arn and arn:match("[^/]+$")
    if profile and name ~= profile then return nil end
    profile = name
  end
  for role in ev:each("aws.roles") do
    if role.RoleName == profile then return profile end
  end
end

local function task_of(ev, workload)
  for task in ev:each("aws.tasks") do
    if task.id == workload then return task end
  end
end

-- The execution role that the task's own definition names, else the only one given.
local function execution_role(ev, task)
  local override = task and task["overrides.executionRoleArn"]
  if override then return override end
  local wanted = task and task.taskDefinitionArn and task.taskDefinitionArn:match("[^/]+$")
  local only, several
  for definition in ev:each("aws.task_definitions") do
    local role = definition.executionRoleArn
    if role and wanted and definition.id == wanted then return role end
    if role and only and only ~= role then several = true end
    only = only or role
  end
  return not several and only or nil
end

-- Name or ARN (nil: not known) and kind of the role whose rights count when WORKLOAD pulls.
function ecr.puller(ev, platform, workload, launch_type)
  if platform == "kubernetes" then
    return instance_role(ev), "the node's role (on EKS Fargate the pod execution role)"
  end
  if platform ~= "ecs" then return nil, "the role or user that pulls" end
  local task = task_of(ev, workload)
  launch_type = task and task.launchType or launch_type
  if launch_type == "EC2" then return instance_role(ev), "the container instance's role" end
  if launch_type then return execution_role(ev, task), "the task execution role" end
  return nil, "the pulling role (task execution role on Fargate, container instance role on EC2)"
end

return ecr
