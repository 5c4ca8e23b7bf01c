-- A policy document that came alone, without an image that it is for: does it let anybody finish a pull? Whoever may
-- read manifests (ecr:BatchGetImage) and not fetch layers (ecr:GetDownloadUrlForLayer), or the reverse, pulls nothing.
-- Other policies of the role may grant the rest, so this is likely, never certain; with images in evidence image-pull/role
-- judges them one by one, and this check stays silent.

local ecr = debrief.use "ecr"

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

local function has_images(ev)
  for _, name in ipairs{ "containers", "container_status" } do
    for record in ev:each(name) do
      if ecr.of(record.image) then return true end
    end
  end
  return false
end

-- The policies' grants together: they add up.
local function run(ev)
  if has_images(ev) then return ev:not_applicable("the images are known, and image-pull/role judges each of them") end
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

return debrief.check {
  id = "image-pull/policy",
  title = "does a policy given alone let anybody finish a pull?",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  applies = "any",
  needs = { "aws.policies", "?containers", "?container_status" },
  findings = { ["image-pull.role-incomplete"] = { title = "the role's policies do not let it pull", severity = "warning" } },
  run = run,
}
