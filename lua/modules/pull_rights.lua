-- Who pulls an image, and whether it may: the role of a task or node, what the policies given say of it, and what mends a
-- right that it lacks. A pull is { record, text, image, platform, role, role_kind, role_id }. A check that uses it declares
-- what ecr.puller() and ecr.rights() read, and each as an optional need proxy, container_status and containers.

local match = debrief.match
local ecr = debrief.use "ecr"
local ecr_of, safe = ecr.of, ecr.safe

local pull_rights = {}

-- ---- whose pull it is ----

-- "ecs", "kubernetes" or another platform; nil when nothing tells.
function pull_rights.platform_of(ev, pull)
  local record, text = pull.record, pull.text
  if record.origin == "ecs" or record.origin == "kubernetes" then return record.origin end
  if match(text, [[CannotPull|ResourceInitialization|The task c|execution resource]]) then return "ecs" end
  if match(text, [[kubelet|Failed to pull image|ErrImagePull|ImagePullBackOff|Back-off pulling]]) then return "kubernetes" end
  local proxy = ev:first("proxy")
  return proxy and proxy.platform
end

local function launch_type_of(ev, pull)
  for status in ev:each("container_status") do
    if status.launch_type and (not pull.record.workload or status.workload == pull.record.workload) then
      return status.launch_type
    end
  end
  for container in ev:each("containers") do
    if container.launch_type then return container.launch_type, container.execution_role end
  end
  if match(pull.text, [[execution resource|registry auth|ResourceInitialization]]) then return "FARGATE" end
end

-- Name and kind of the role that pulls, and what the policies know it by; where the evidence gives them.
function pull_rights.role_of(ev, pull)
  local said = match(pull.text, [[(?<arn>arn:[\w-]+:sts::[0-9]{12}:assumed-role/(?<name>[^/\s"]+)(?:/[^\s"]*)?)]])
  local launch_type, declared = launch_type_of(ev, pull)
  local id, kind = ecr.puller(ev, pull.platform, pull.record.workload, launch_type)
  if pull.image and not ecr_of(pull.image) and not said then return nil, "whoever pulls" end
  if said then return said.name, kind, said.arn end
  if not id and pull.platform == "ecs" and launch_type ~= "EC2" then id = declared end
  return id and id:match("[^/]+$"), kind, id
end

-- The role as a sentence calls it.
function pull_rights.role_text(name, kind)
  return name and kind .. " '" .. name .. "'" or kind
end

-- ---- what the policies say ----

-- What the policies given say of this pull: { decision, why, record, reason }; nil when they cannot be asked.
function pull_rights.judge_role(ev, pull, only)
  local image = ecr_of(pull.image)
  if not image and only == "ecr:GetAuthorizationToken" then image = { arn = "*", account = "" } end
  if not image or not pull.role_id then return nil end
  local rights = ecr.rights(ev, pull.role_id, image, only)
  return ecr.lacking(rights) or rights[1]
end

-- The reason behind a colon, where the decision is WANTED (default: denied).
function pull_rights.because(judged, wanted)
  return judged and judged.decision == (wanted or "denied") and ": " .. judged.why or ""
end

local MENDS = {
  ["explicit-deny"] = "take the action out of that statement, or narrow what it denies: an explicit deny wins over every allow",
  ["other-resource"] = "correct the Resource of that statement: account, region and repository must be those of the image",
  ["endpoint-policy"] = "let the endpoint's policy allow it, for the resources that are pulled",
  ["boundary"] = "let the permissions boundary allow it as well",
}

-- Cites what decides and says what to do about it, or asks for what would decide.
function pull_rights.use_role(ev, f, pull, judged)
  if not judged then return end
  if judged.decision == "denied" then
    f:cite(judged.record):confidence("certain")
    if MENDS[judged.reason] then f:advise(MENDS[judged.reason]) end
  elseif judged.decision == "granted" then
    f:cite(judged.record)
      :advise("the policies given grant it (" .. judged.why .. "): look at what else may deny, the repository's policy, the policy of a VPC endpoint, a service control policy, and whether they were changed since")
  elseif ev:state("aws.policies") ~= "absent" or ev:state("aws.attached_policies") ~= "absent" or ev:state("aws.roles") ~= "absent" then
    local role = safe(pull.role, "ROLE")
    f:cite(judged.record)
    ev:ask{ evidence = "aws.policies", why = judged.why,
      how = string.format("aws iam list-role-policies --role-name %s, get-role-policy for each, list-attached-role-policies --role-name %s, get-policy-version for each, all with --output json", role, role) }
  end
end

-- The policy that whoever pulls needs.
function pull_rights.fix_access(f, pull)
  local image = ecr_of(pull.image)
  if not image then
    f:advise("give whoever pulls the right to read that repository, and check the image's name: a registry answers the same for both")
    return
  end
  f:snippet("attach this policy to " .. pull_rights.role_text(pull.role, pull.role_kind), "ecr-pull.json", ecr.policy(image))
    :advise("attach it", string.format("aws iam put-role-policy --role-name %s --policy-name ecr-pull --policy-document file://ecr-pull.json", safe(pull.role, "ROLE")))
    :advise("an image of another account needs that account's leave as well: its repository policy must allow yours", string.format("aws ecr get-repository-policy --registry-id %s --region %s --repository-name %s", image.account, image.region, image.repository))
end

return pull_rights
