-- Section image-pull: who may not pull. What the registry says of roles, logins and the rights of a pull-through cache, and
-- what the policies given say of them. An answer that only refuses is a right, a login or a wrong name: what decides is
-- asked for.

local match = debrief.match
local ecr, pulls, rights = debrief.use "ecr", debrief.use "pulls", debrief.use "pull_rights"
local ecr_of, safe = ecr.of, ecr.safe
local registry_of, what, list_tags = pulls.registry_of, pulls.what, pulls.list_tags
local judge_role, because, use_role, role_text, fix_access = rights.judge_role, rights.because, rights.use_role, rights.role_text, rights.fix_access

local REPORT = {}

-- ---- the role ----

-- Which kind of policy AWS itself blames, in newer texts.
local function blamed(text)
  local silent = match(text, [[because no (?<kind>[\w -]{1,40}?) allows]])
  if silent then return ", because no " .. silent.kind .. " allows it" end
  local deny = match(text, [[with an explicit deny in an? (?<kind>[\w -]{1,40}?)(?: policy)?(?:[^\w -]|$)]])
  return deny and ", by an explicit deny in a " .. deny.kind .. (deny.kind:find("boundary") and "" or " policy") or ""
end

-- A registry of others hides in the same words that there is no such repository.
local function doubt_repository(ev, pull, f)
  local image, registry = ecr_of(pull.image), registry_of(pull)
  f:candidate("image-pull.repository-not-found", { ["for"] = "a wrong name, account or region gives the same answer" })
  if image then
    ev:ask{ evidence = "aws.repositories", why = "whether the repository exists under exactly this name decides between a missing right and a wrong name",
      how = string.format("aws ecr describe-repositories --registry-id %s --region %s --repository-names %s (whoever owns account %s can tell), or the owner's published name of the image",
        image.account, image.region, image.repository, image.account) }
    return
  end
  f:candidate("image-pull.credentials-expired", { ["for"] = "a stored login is sent even for public images, and one that is no longer valid is refused" })
  ev:ask{ evidence = "text", why = "a pull without the stored login tells whether the image is public, and whether the login is the trouble",
    how = string.format("grep -A2 %s ~/.docker/config.json; docker logout %s && docker pull %s, its whole output with --evidence FILE", registry, registry, safe(pull.image, "IMAGE")) }
  ev:ask{ evidence = "text", why = "whether the repository exists under exactly this name", how = list_tags(pull) .. ", or the registry's own page of the image" }
end

REPORT["access-denied"] = function(ev, pull, report)
  local said = match(pull.text, [[not authorized to perform:? (?<action>[\w-]+:\w+)]])
  local judged = judge_role(ev, pull, said and said.action:find("^ecr:") and said.action or nil)
  local f = report("access-denied", "%s may not pull %s: %s%s%s", role_text(pull.role, pull.role_kind), what(pull),
    said and said.action .. " is denied" or "the registry denies access", blamed(pull.text), because(judged))
  use_role(ev, f, pull, judged)
  fix_access(f, pull)
  -- Amazon ECR names no policy of the resource's where there is no such resource, either.
  if ecr_of(pull.image) and match(pull.text, [[because no resource-based policy allows]]) then
    f:confidence("likely")
    doubt_repository(ev, pull, f)
  end
end

-- Which of the two rights to import the policies given lack.
local function judge_import(ev, pull)
  for _, action in ipairs{ "ecr:CreateRepository", "ecr:BatchImportUpstreamImage" } do
    local judged = judge_role(ev, pull, action)
    if judged and judged.decision == "denied" then return judged end
  end
end

REPORT["pull-through-denied"] = function(ev, pull, report)
  local rule, judged = ecr.cache_rule(ev, ecr_of(pull.image)), judge_import(ev, pull)
  local said = match(pull.text, [[ecr:(?:CreateRepository|BatchImportUpstreamImage)]])
  local from = rule and string.format(" ('%s' from %s)", rule.ecrRepositoryPrefix, rule.upstreamRegistryUrl or "upstream") or ""
  local image = ecr_of(pull.image)
  local show = image and string.format("aws ecr describe-pull-through-cache-rules --registry-id %s --region %s", image.account, image.region)
    or "aws ecr describe-pull-through-cache-rules"
  if match(pull.text, [[(?i)the upstream registry]]) then
    report("pull-through-denied", "%s comes through a pull-through cache rule%s, and the registry behind it does not accept the rule's credentials", what(pull), from)
      :cite(rule):advise("see which secret the rule names (credentialArn), and put a valid user name and access token into it", show)
    return
  end
  local f = report("pull-through-denied", "%s comes through a pull-through cache rule%s, and %s%s", what(pull), from,
    (said or judged or not rule) and role_text(pull.role, pull.role_kind) .. " may not import it" or "it was not imported: the rights to import are missing, or the upstream answers no",
    because(judged)):cite(rule)
  if rule and not said and not judged then f:confidence("likely") end
  use_role(ev, f, pull, judged)
  f:advise("allow ecr:CreateRepository and ecr:BatchImportUpstreamImage besides the pull actions, and check the rule's upstream credentials", show)
end

-- A bare 403 of a public registry is a stored login that is refused, or its rate limit.
local function report_bare_403(pull, report)
  local f = report("unexplained", "registry %s answers 403 to the pull of %s and does not say why", registry_of(pull), what(pull)):confidence("possible")
  f:candidate("image-pull.rate-limited", { ["for"] = "some registries answer 403 when the limit is reached" })
    :candidate("image-pull.access-denied", { ["for"] = "the image may be private" })
    :advise("pull once without the stored login", "docker logout " .. registry_of(pull) .. " && docker pull " .. safe(pull.image, "IMAGE"))
  return f
end

-- The registry tells "denied" and "no such repository" apart for nobody.
REPORT["refused"] = function(ev, pull, report)
  if not ecr_of(pull.image) and not match(pull.text, "(?i)denied|no pull access|insufficient_scope") then
    doubt_repository(ev, pull, report_bare_403(pull, report))
    return
  end
  local judged = judge_role(ev, pull)
  if judged and judged.decision == "denied" then
    local f = report("access-denied", "%s may not pull %s%s", role_text(pull.role, pull.role_kind), what(pull), because(judged))
    use_role(ev, f, pull, judged)
    fix_access(f, pull)
    return
  end
  if ecr.cache_rule(ev, ecr_of(pull.image)) and not ecr.listed(ev, ecr_of(pull.image)) then
    REPORT["pull-through-denied"](ev, pull, report)
    return
  end
  local f = report("access-denied", "the registry does not let %s pull %s, or has no such repository", pull.role_kind, what(pull)):confidence("likely")
  use_role(ev, f, pull, judged)
  doubt_repository(ev, pull, f)
  fix_access(f, pull)
  local image = ecr_of(pull.image)
  if image then
    f:candidate("image-pull.credentials-expired", { ["for"] = "an expired token gives the same answer", against = "no earlier pull of this image is in the evidence" })
    f:advise("make sure that the repository exists under this name", string.format("aws ecr describe-repositories --registry-id %s --region %s --repository-names %s", image.account, image.region, image.repository))
  end
end

-- ---- the login ----

-- What stands beside a pull without credentials and says why there are none.
local function fix_missing(ev, f)
  for record in ev:each("event.no_secret") do
    f:cite(record):advise("the pull secrets " .. record.secrets .. " are not in the pod's namespace: create them there, or correct imagePullSecrets",
      "kubectl -n NAMESPACE get secrets --field-selector type=kubernetes.io/dockerconfigjson")
  end
  for record in ev:each("event.provider") do
    f:cite(record):advise("the kubelet's credential provider " .. record.plugin .. " fails on the node: see that its program is there, and that the node's role and metadata answer it",
      "journalctl -u kubelet | grep -i 'credential provider'")
  end
end

local function fix_login(f, pull)
  local image = ecr_of(pull.image)
  if image then
    f:advise("log in to this very registry; a login for another account or region does not cover it", string.format("aws ecr get-login-password --region %s | docker login --username AWS --password-stdin %s", image.region, image.host))
  else
    f:advise("log in to the registry, or remove a stale login if the image is public", "docker logout " .. registry_of(pull) .. " && docker login " .. registry_of(pull))
  end
  if pull.platform == "kubernetes" then
    f:advise("on Kubernetes a pull secret does that for private registries; for ECR the node's role and the kubelet's credential provider do", "kubectl create secret generic NAME --type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=$HOME/.docker/config.json")
  end
end

REPORT["credentials-expired"] = function(ev, pull, report)
  local f = report("credentials-expired", "the registry credentials used for %s are expired or no longer valid", what(pull))
  f:advise("renew what pulls: a token of Amazon ECR lives 12 hours, so a stored login or pull secret made from one must be renewed before that")
  fix_login(f, pull)
end

-- The sandbox image is pulled by the runtime itself, which has no credentials of the kubelet.
REPORT["no-credentials"] = function(ev, pull, report)
  local sandbox = match(pull.text, [[(?i)sandbox|/pause[:@"]|eks/pause]])
  local f = report("no-credentials", sandbox and "the container runtime pulls the sandbox image (%s) itself and without credentials for its registry" or "nobody is logged in to the registry of %s: it answers that credentials are missing",
    sandbox and (pull.image or "pause") or what(pull))
  if sandbox then
    f:advise("keep the sandbox image on the node (pinned, so that image clean-up spares it), or have the runtime's configuration name one that needs no login; rights of the node's role do not help here", "crictl images | grep pause")
    return
  end
  fix_missing(ev, f)
  fix_login(f, pull)
end

-- No login was sent, and 403 came back: a registry of one's own wants one; a public one may mean its rate limit.
local PUBLIC = [[^(?:docker\.io|registry-1\.docker\.io|ghcr\.io|quay\.io|gcr\.io|registry\.k8s\.io|public\.ecr\.aws|mcr\.microsoft\.com)$]]
REPORT["anonymous-refused"] = function(ev, pull, report)
  if match(registry_of(pull), PUBLIC) then
    REPORT["refused"](ev, pull, report)
    return
  end
  local f = report("no-credentials", "%s is pulled without a login, and registry %s answers 403", what(pull), registry_of(pull)):confidence("likely")
  f:candidate("image-pull.repository-not-found", { ["for"] = "some registries hide in this way that there is no such repository" })
  fix_missing(ev, f)
  fix_login(f, pull)
end

-- A login was sent, and the registry takes it for nobody's.
REPORT["login-refused"] = function(_, pull, report)
  local f = report("no-credentials", "registry %s does not take the login that is sent for %s: wrong, withdrawn or expired", registry_of(pull), what(pull))
  f:candidate("image-pull.credentials-expired", { ["for"] = "a login that worked before and ran out is refused in the same words" })
  fix_login(f, pull)
end

-- ---- the check ----

local ECS_GUIDE, ECR_GUIDE = pulls.ECS_GUIDE, pulls.ECR_GUIDE
local REFERENCES = {
  ["access-denied"] = { ECR_GUIDE .. "repository-policies.html", ECS_GUIDE .. "task_execution_IAM_role.html" },
  ["no-credentials"] = { ECR_GUIDE .. "registry_auth.html", "https://kubernetes.io/docs/concepts/containers/images/" },
  ["credentials-expired"] = { ECR_GUIDE .. "registry_auth.html" },
  ["pull-through-denied"] = { ECR_GUIDE .. "pull-through-cache.html" },
  ["unexplained"] = { ECS_GUIDE .. "task_cannot_pull_image.html", "https://kubernetes.io/docs/concepts/containers/images/" },
}

return debrief.check {
  id = "image-pull/rights",
  title = "may whoever pulls the images do so?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = pulls.needs(),
  events = pulls.events({
    no_secret = [[Unable to retrieve some image pull secrets \((?<secrets>[\w.-]+(?:, [\w.-]+)*)\)]],
    provider = [[credential provider plugin (?<plugin>[\w.-]+) (?:for image|failed)]],
  }),
  findings = {
    ["image-pull.access-denied"] = { title = "the pulling role may not read the registry", severity = "error" },
    ["image-pull.no-credentials"] = { title = "nobody is logged in to the registry", severity = "error" },
    ["image-pull.credentials-expired"] = { title = "the registry credentials have expired", severity = "error" },
    ["image-pull.pull-through-denied"] = { title = "a pull-through cache may not import the image", severity = "error" },
    ["image-pull.unexplained"] = { title = "an image cannot be pulled, the cause is not in evidence", severity = "warning" },
  },
  run = function(ev) pulls.report(ev, REPORT, REFERENCES) end,
}
