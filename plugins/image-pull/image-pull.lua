-- Section image-pull: why an image cannot be pulled. Reads what registries, runtimes, the ECS agent and
-- the kubelet say, wherever they say it; writes one finding per image and cause. Words decide before
-- status codes: the same code comes from a missing right, an expired token and a deleted image.

local match = debrief.match
local ecr, way, words = debrief.use "ecr", debrief.use "aws_way", debrief.use "pull_text"
local ecr_of, safe = ecr.of, ecr.safe

-- The registry of an image's name; without a name, the one that the text asks.
local function host_of(image, text)
  local host = image and match(image, [[^(?<host>[^/]*[.:][^/]*|localhost)/]])
    or not image and text and match(text, [[https?://(?<host>[^/\s"]+)/v2/]])
  return safe(host and host.host, host and "REGISTRY" or image and "docker.io" or "REGISTRY")
end

local function registry_of(pull)
  return host_of(pull.image, pull.text)
end

-- ---- whose pull it was ----

local function platform_of(ev, pull)
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
local function role_of(ev, pull)
  local said = match(pull.text, [[(?<arn>arn:[\w-]+:sts::[0-9]{12}:assumed-role/(?<name>[^/\s"]+)(?:/[^\s"]*)?)]])
  local launch_type, declared = launch_type_of(ev, pull)
  local id, kind = ecr.puller(ev, pull.platform, pull.record.workload, launch_type)
  if pull.image and not ecr_of(pull.image) and not said then return nil, "whoever pulls" end
  if said then return said.name, kind, said.arn end
  if not id and pull.platform == "ecs" and launch_type ~= "EC2" then id = declared end
  return id and id:match("[^/]+$"), kind, id
end

local function role_text(name, kind)
  return name and kind .. " '" .. name .. "'" or kind
end

-- ---- remedies ----

local function list_tags(pull)
  local image = ecr_of(pull.image)
  if image then
    return string.format("aws ecr describe-images --registry-id %s --region %s --repository-name %s", image.account, image.region, image.repository)
  end
  return "skopeo list-tags docker://" .. safe(pull.image and pull.image:gsub("[:@][^/]*$", ""), "REGISTRY/REPOSITORY")
end

local function fix_access(f, pull)
  local image = ecr_of(pull.image)
  if not image then
    f:advise("give whoever pulls the right to read that repository, and check the image's name: a registry answers the same for both")
    return
  end
  f:snippet("attach this policy to " .. role_text(pull.role, pull.role_kind), "ecr-pull.json", ecr.policy(image))
    :advise("attach it", string.format("aws iam put-role-policy --role-name %s --policy-name ecr-pull --policy-document file://ecr-pull.json", safe(pull.role, "ROLE")))
    :advise("an image of another account needs that account's leave as well: its repository policy must allow yours", string.format("aws ecr get-repository-policy --registry-id %s --region %s --repository-name %s", image.account, image.region, image.repository))
end

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

local function region_of(pull)
  local image = ecr_of(pull.image)
  return image and image.region or (match(pull.text, [[(?:ecr|s3)\.(?<region>[\w-]+)\.amazonaws]]) or {}).region
end

local function fix_network(f, pull)
  local region = region_of(pull) or "REGION"
  if registry_of(pull) == "public.ecr.aws" then
    f:advise("public.ecr.aws has no VPC endpoint: a private subnet reaches it through a NAT gateway only")
    return
  end
  f:advise("a task or node in a public subnet needs a public address (assignPublicIp ENABLED) and a route to an internet gateway; in a private subnet, a route to a NAT gateway or the endpoints below", "aws ec2 describe-route-tables --filters Name=association.subnet-id,Values=SUBNET")
    :advise(string.format("without a way to the internet: interface endpoints com.amazonaws.%s.ecr.api and com.amazonaws.%s.ecr.dkr with private DNS, a gateway endpoint com.amazonaws.%s.s3 in the route table, and com.amazonaws.%s.logs for awslogs", region, region, region, region), "aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values=VPC")
    :advise("security groups: port 443 outbound on the task's or node's, port 443 inbound on the endpoints'", "aws ec2 describe-security-groups --group-ids SG")
end

-- A private address answers for an interface endpoint, a public one for the way to the internet.
local function where_it_ends(text)
  local dial = match(text, [[dial tcp (?<ip>[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+):]])
  if not dial then return "" end
  if match(dial.ip, [[^(?:10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.)]]) then
    return string.format("; %s is a private address, so an interface endpoint exists and its security group is the first suspect", dial.ip)
  end
  return string.format("; %s is a public address, so the way to the internet is missing (NAT, public address or outbound rule)", dial.ip)
end

-- ---- one finding per cause ----

local REPORT = {}

local function what(pull)
  return pull.image and "image " .. pull.image or "the image"
end

-- A repository of the listing, and the record of one that has the same last name.
local function repository_listed(ev, image)
  local similar
  for one in ev:each("aws.repositories") do
    if one.repositoryArn == image.arn then return one end
    local last = image.repository:match("[^/]+$")
    if one.repositoryName and one.repositoryName:match("[^/]+$") == last then similar = one end
  end
  return nil, similar
end

-- The pull-through cache rule that would have made the repository.
local function cache_rule(ev, pull)
  local image = ecr_of(pull.image)
  for rule in ev:each("aws.pull_through_cache_rules") do
    local prefix = rule.ecrRepositoryPrefix
    if image and prefix and (prefix == "ROOT" or image.repository:sub(1, #prefix + 1) == prefix .. "/") then return rule end
  end
end

-- Which kind of policy AWS itself blames, in newer texts.
local function blamed(text)
  local silent = match(text, [[because no (?<kind>[\w -]{1,40}?) allows]])
  if silent then return ", because no " .. silent.kind .. " allows it" end
  local deny = match(text, [[with an explicit deny in an? (?<kind>[\w -]{1,40}?)(?: policy)?(?:[^\w -]|$)]])
  return deny and ", by an explicit deny in a " .. deny.kind .. (deny.kind:find("boundary") and "" or " policy") or ""
end

-- What the policies given say of this pull: { decision, why, record, reason }; nil when they cannot be asked.
local function judge_role(ev, pull, only)
  local image = ecr_of(pull.image)
  if not image and only == "ecr:GetAuthorizationToken" then image = { arn = "*", account = "" } end
  if not image or not pull.role_id then return nil end
  local rights = ecr.rights(ev, pull.role_id, image, only)
  return ecr.lacking(rights) or rights[1]
end

local function because(judged, wanted)
  return judged and judged.decision == (wanted or "denied") and ": " .. judged.why or ""
end

local MENDS = {
  ["explicit-deny"] = "take the action out of that statement, or narrow what it denies: an explicit deny wins over every allow",
  ["other-resource"] = "correct the Resource of that statement: account, region and repository must be those of the image",
  ["endpoint-policy"] = "let the endpoint's policy allow it, for the resources that are pulled",
  ["boundary"] = "let the permissions boundary allow it as well",
}

-- Cites what decides and says what to do about it, or asks for what would decide.
local function use_role(ev, f, pull, judged)
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
  if cache_rule(ev, pull) and not repository_listed(ev, ecr_of(pull.image)) then
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

-- The images of this repository, as the registry lists them: records, and whether that is all of them.
local function images_of(ev, image)
  local found, record = {}, nil
  for one in ev:each("aws.images") do
    if one.repositoryName == image.repository and (not one.registryId or one.registryId == image.account) then
      found[#found + 1], record = one, one
    end
  end
  return found, record
end

-- Some tags of the repository, newest last as the registry lists them, for a sentence.
local function tags_there(ev, pull)
  local image, tags = ecr_of(pull.image), {}
  local images, record = {}, nil
  if image then images, record = images_of(ev, image) end
  for _, one in ipairs(images) do
    for tag in ev:items(one, "imageTags") do
      if #tags < 5 then tags[#tags + 1] = tag end
    end
  end
  return #tags > 0 and "; it has " .. table.concat(tags, ", ") or "", record
end

REPORT["tag-not-found"] = function(ev, pull, report)
  local tags, record = tags_there(ev, pull)
  local f = report("tag-not-found", "the registry knows the repository, but no such tag: %s%s", what(pull), tags):cite(record)
  -- Amazon ECR keeps what an index refers to; elsewhere a clean-up of untagged manifests takes the platforms' out of it.
  if not ecr_of(pull.image) and match(pull.text, [[(?i)manifest unknown]]) then
    f:confidence("likely"):candidate("image-pull.digest-gone", { ["for"] = "a tag whose index is there, and whose platform's manifest was cleaned away, is answered in the same way" })
    ev:ask{ evidence = "text", why = "whether the tag resolves, and the manifests of its platforms exist",
      how = "docker manifest inspect " .. safe(pull.image, "IMAGE") .. ", then the same for each digest that it lists; and when the tag was pushed or cleaned up last" }
  end
  f:advise("see which tags exist, and correct the tag or push it", list_tags(pull))
  if pull.image and pull.image:find("aws-appmesh-envoy", 1, true) then
    f:advise("tags of the App Mesh image look like v1.34.13.3-prod")
  end
end

-- containerd prints a bare "not found" for a missing tag and for a missing repository.
REPORT["tag-resolved-nowhere"] = function(ev, pull, report)
  local image = ecr_of(pull.image)
  local listed = image and repository_listed(ev, image)
  if listed then
    REPORT["tag-not-found"](ev, pull, report)
    return
  elseif image and ev:state("aws.repositories") == "complete" and ev:count("aws.repositories") > 0 then
    REPORT["repository-not-found"](ev, pull, report)
    return
  end
  local f = report("tag-not-found", "the registry answers that there is no %s", what(pull)):confidence("likely")
  f:candidate("image-pull.repository-not-found", { ["for"] = "a missing repository gives the same answer" })
    :advise("see which tags exist, and correct the name or push the image", list_tags(pull))
end

REPORT["repository-not-found"] = function(ev, pull, report)
  local image = ecr_of(pull.image)
  if cache_rule(ev, pull) then
    REPORT["pull-through-denied"](ev, pull, report)
    return
  end
  local _, similar
  if image then _, similar = repository_listed(ev, image) end
  local f = report("repository-not-found", "the registry has no repository for %s%s", what(pull), similar and "; there is " .. (similar.repositoryUri or similar.repositoryName) or ""):cite(similar)
  local publisher = image and ecr.publisher(image)
  if publisher and publisher ~= image.account then
    f:advise(string.format("App Mesh publishes this image in account %s: write %s", publisher, (pull.image:gsub("^[^.]+", publisher))))
  end
  f:advise("compare account, region and repository in the image's name with where it was pushed", list_tags(pull))
end

REPORT["digest-gone"] = function(ev, pull, report)
  if pull.platform ~= "ecs" and pull.image and not pull.image:find("@sha256:", 1, true) and not match(pull.image, [[sha256:]]) then
    report("digest-gone", "%s resolves, and the manifest or layer that it leads to is no longer in the registry", what(pull))
      :advise("push it anew, all platforms of it", "docker buildx build --platform linux/amd64,linux/arm64 --push -t " .. safe(pull.image, "IMAGE") .. " .")
      :advise("let clean-up jobs spare untagged manifests that an index refers to: they are the platforms of a tagged image", "docker manifest inspect " .. safe(pull.image, "IMAGE"))
    return
  end
  report("digest-gone", "the digest that the deployment pinned is no longer in the registry: %s", what(pull))
    :advise("deploy anew, so that the tag is resolved to the digest that exists now", pull.platform == "ecs" and "aws ecs update-service --cluster CLUSTERNAME --service SERVICE --force-new-deployment" or nil)
    :advise("stop overwriting tags (immutable tags), and let lifecycle rules keep what is deployed", list_tags(pull))
end

-- Whether the image lies in the account that its task runs in; nil when one of the two is not known.
local function own_account(ev, pull)
  local ecr = ecr_of(pull.image)
  for status in ev:each("container_status") do
    if ecr and status.account and status.workload == pull.record.workload then return status.account == ecr.account end
  end
end

-- 403 for a pinned digest: deleted, or a foreign repository's policy withdrawn. Only the registry knows.
REPORT["digest-refused"] = function(ev, pull, report)
  -- ECS pins the digest behind a tag that it goes on naming; elsewhere the tag was resolved just now.
  if pull.platform ~= "ecs" and match(pull.text, [[/blobs/sha256:]]) and pull.image and not pull.image:find("@sha256:", 1, true) then
    REPORT["layers-refused"](ev, pull, report)
    return
  end
  local digest, own = match(pull.text, [[(?<digest>sha256:[0-9a-f]+)]]), own_account(ev, pull)
  local image, judged = ecr_of(pull.image), judge_role(ev, pull)
  for _, one in ipairs(image and digest and images_of(ev, image) or {}) do
    if one.imageDigest == digest.digest then
      local f = report("access-denied", "%s may not pull %s: the registry answers 403, and still has the digest%s", role_text(pull.role, pull.role_kind), what(pull), because(judged)):cite(one)
      use_role(ev, f, pull, judged)
      fix_access(f, pull)
      return
    end
  end
  if judged and judged.decision == "denied" then
    REPORT["refused"](ev, pull, report)
    return
  end
  local f = report(own and "digest-gone" or "unexplained", "the registry answers 403 for a pinned digest of %s, which means %s", what(pull),
    own and "that it was deleted: the image lies in the task's own account, where no other account's policy can forbid it" or "deleted or forbidden"):confidence(own and "likely" or "possible")
  if own then
    f:advise("deploy anew, so that the tag is resolved to the digest that exists now", "aws ecs update-service --cluster CLUSTERNAME --service SERVICE --force-new-deployment")
  else
    f:candidate("image-pull.digest-gone", { ["for"] = "a digest that was overwritten or expired is answered with 403" })
  end
  f:candidate("image-pull.access-denied", { ["for"] = "a role without ecr:GetDownloadUrlForLayer, and a repository policy that does not allow the account, get 403 too" })
  ev:ask{ evidence = "describe-images", why = "whether the digest is still in the registry decides between a deleted image and a missing right",
    how = list_tags(pull) .. (ecr_of(pull.image) and " --image-ids imageDigest=" .. (digest and digest.digest or "sha256:DIGEST") or "") }
end

-- Of an image named by its tag the manifest was read, and then a layer refused.
REPORT["layers-refused"] = function(ev, pull, report)
  local judged = judge_role(ev, pull, "ecr:GetDownloadUrlForLayer")
  if judged and judged.decision == "denied" then
    REPORT["refused"](ev, pull, report)
    return
  end
  REPORT["layer-download-blocked"](ev, pull, function(slug, ...)
    return report(slug, ...):confidence("likely"):candidate("image-pull.access-denied",
      { ["for"] = "whoever may read manifests and not layers (ecr:GetDownloadUrlForLayer) gets 403 too" })
  end)
end

-- The kubelet holds back pulls of its own accord, and tries again.
REPORT["own-limit"] = function(_, pull, report)
  report("rate-limited", "the kubelet itself puts off the pull of %s: more pulls at once than its registryPullQPS and registryBurst allow", what(pull))
    :advise("wait: it tries again by itself; if many pods start at once, raise registryPullQPS and registryBurst in the kubelet's configuration, or let pods reuse images (imagePullPolicy IfNotPresent)", "kubectl get --raw /api/v1/nodes/NODE/proxy/configz")
end

REPORT["rate-limited"] = function(ev, pull, report)
  report("rate-limited", "registry %s limits the rate of pulls, and the limit is reached", registry_of(pull))
    :advise("log in: limits for anonymous pulls count per address, which all nodes behind one NAT gateway share", "docker login " .. registry_of(pull))
    :advise("or mirror the image into a registry of your own (an ECR pull-through cache does that)")
end

-- What the network's rules given say of the way to HOST: { decision, why, record, reason }; nil: nothing.
local function judge_way(ev, pull, host)
  local from = way.start(ev, pull.record.workload)
  if not from or not host or not way.told(ev) then return nil end
  local decision, why, record, reason = ev:path{ from = from, to = host, port = 443 }
  return { decision = decision, why = why, record = record, reason = reason }
end

local function use_way(ev, f, judged)
  if not judged then return end
  f:cite(judged.decision ~= "undecidable" and judged.record or nil)
  if judged.decision == "closed" then way.fix(f, judged.why, judged.reason) end
  if judged.decision == "undecidable" then way.ask(ev, judged.why, judged.reason) end
end

-- Where the connection went that got no answer.
local function host_asked(pull, auth)
  local region = region_of(pull)
  if auth then return region and "api.ecr." .. region .. ".amazonaws.com" end
  return ecr_of(pull.image) and ecr_of(pull.image).host or registry_of(pull)
end

-- The runtime pulls through an HTTP proxy, and gets no further.
REPORT["proxy-fails"] = function(_, pull, report)
  local dial = match(pull.text, [[proxyconnect tcp: (?<why>[^"\n]{1,160})]])
  report("network-unreachable", "the HTTP proxy of the container runtime does not let the pull of %s through: %s", what(pull),
    dial and dial.why or "it wants a login")
    :advise("see which proxy the runtime itself uses; its settings are not those of the pods", "systemctl show --property=Environment docker containerd kubelet")
    :advise("correct it, or take the registry off it (NO_PROXY), and restart the runtime; private registries and the VPC's own endpoints belong into NO_PROXY")
end

REPORT["network-unreachable"] = function(ev, pull, report)
  local auth = match(pull.text, [[(?i)registry auth|GetAuthorizationToken|api\.ecr\.]])
  local judged = judge_way(ev, pull, host_asked(pull, auth))
  local closed, open = because(judged, "closed"), judged and judged.decision == "open"
  local f = report("network-unreachable", "%s cannot be reached to pull %s: no answer to the connection%s",
    auth and "the registry's API (credentials)" or "registry " .. registry_of(pull), what(pull), closed ~= "" and closed or where_it_ends(pull.text))
  if match(pull.text, [[(?i)context canceled]]) and not match(pull.text, [[(?i)timeout|dial tcp|Client\.Timeout|connection]]) then
    f:confidence("likely"):advise("a task or pod that is stopped while it pulls prints the same: see whether a deployment or a scale-in ended it")
  end
  use_way(ev, f, judged)
  if open then f:advise("the rules given leave the way open (" .. judged.why .. "): look at what they do not show, a firewall, the NAT gateway itself, or rules changed since") end
  fix_network(f, pull)
  if ecr_of(pull.image) or pull.platform == "ecs" then
    way.ask_all(ev, pull.platform == "ecs" and pull.record.workload, "the text does not say which part of the way is closed: security group, route or endpoint")
  end
end

-- The policy of a gateway endpoint for S3 that keeps layers back: { why, record }; nil: none does.
local function layers_forbidden(ev, pull)
  local bucket = string.format("arn:aws:s3:::prod-%s-starport-layer-bucket/layer", region_of(pull) or "REGION")
  for endpoint in ev:each("aws.vpc_endpoints") do
    if endpoint.id and match(endpoint.ServiceName or "", [[\.s3$]]) then
      local decision, why, record = ev:iam{ endpoint = endpoint.id, action = "s3:GetObject", resource = bucket }
      if decision == "denied" then return { decision = decision, why = why, record = record } end
    end
  end
end

REPORT["layer-download-blocked"] = function(ev, pull, report)
  local bucket = match(pull.text, [[(?<host>[\w.-]*(?:s3[.-]|starport|cloudfront|cloudflare)[\w.-]*)]])
  local region = region_of(pull)
  local layers = ecr_of(pull.image) and region and "prod-" .. region .. "-starport-layer-bucket.s3." .. region .. ".amazonaws.com"
  local forbidden = layers_forbidden(ev, pull)
  local judged = not forbidden and judge_way(ev, pull, layers or bucket and bucket.host) or nil
  local f = report("layer-download-blocked", "the manifest of %s was read, but its layers cannot be downloaded%s%s", what(pull), bucket and " from " .. bucket.host or "",
    because(forbidden) .. because(judged, "closed"))
  if forbidden then f:cite(forbidden.record) end
  use_way(ev, f, judged)
  f:advise("layers of Amazon ECR come from S3: private subnets need the gateway endpoint for S3 in their route table, and outbound rules must allow its prefix list", "aws ec2 describe-vpc-endpoints --filters Name=service-name,Values=com.amazonaws." .. (region or "REGION") .. ".s3")
    :advise("an endpoint policy must allow s3:GetObject on arn:aws:s3:::prod-" .. (region or "REGION") .. "-starport-layer-bucket/*")
end

-- What the storage behind the registry says in its own words (S3, a CDN), when it hands out no layer.
REPORT["storage-refuses"] = function(ev, pull, report)
  local code = match(pull.text, [[<Code>(?<code>\w+)</Code>]]) or match(pull.text, [[<(?i:title)>(?<code>[^<\n]{1,80})<]])
  if match(pull.text, [[(?i)Request has expired]]) then
    report("layer-download-blocked", "the manifest of %s was read, and the storage of its layers says that the link to them has expired: too slow a line, or a clock that is wrong", what(pull)):confidence("likely")
      :advise("compare the clock with another one, and pull again", "date -u; timedatectl")
    return
  end
  local f = report("layer-download-blocked", "the manifest of %s was read, but the storage of its layers refuses them%s", what(pull), code and " (" .. code.code .. ")" or "")
  if match(pull.text, [[<Error>\s*<Code>AccessDenied|\\n<Error><Code>AccessDenied]]) then
    local forbidden = layers_forbidden(ev, pull)
    f:cite(forbidden and forbidden.record):advise("that is S3's own answer: on AWS the policy of a gateway endpoint for S3 must allow s3:GetObject on the registry's bucket (Docker Hub: docker-images-prod; Amazon ECR: prod-REGION-starport-layer-bucket)",
      "aws ec2 describe-vpc-endpoints --query 'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]'")
    if not forbidden then
      ev:ask{ evidence = "aws.vpc_endpoints", why = "the policy of the endpoint for S3 tells which buckets it lets through", how = "aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values=VPC --output json" }
    end
  else
    f:confidence("likely"):advise("see who answers: a filter or proxy on the way, a CDN that blocks the country, or the registry's own storage; the same pull from another network tells", "docker pull " .. safe(pull.image, "IMAGE"))
  end
end

-- An address without scheme or host never leaves the machine.
REPORT["address-malformed"] = function(ev, pull, report)
  local url = match(pull.text, [[(?:Get|Head|Post) \\?"?(?<url>[^"\s]{1,160})]])
  report("unexplained", "the pull of %s fails before anything is sent: the address%s has no scheme or host", what(pull), url and " '" .. url.url .. "'" or ""):confidence("possible")
    :advise("look at what sets the endpoint: a variable or setting without https://, or a release of the agent or runtime that builds it wrongly; try another release")
  ev:ask{ evidence = "host/ecs.config", why = "the version of the agent or runtime, before and after, and its endpoint or FIPS settings",
    how = "cat /etc/ecs/ecs.config; curl -s http://localhost:51678/v1/metadata; docker version (in --evidence FILE)" }
end

-- An interface endpoint whose names do not resolve to it.
local function without_private_dns(ev)
  for endpoint in ev:each("aws.vpc_endpoints") do
    if match(endpoint.ServiceName or "", [[\.ecr\.(?:api|dkr)$]]) and endpoint.PrivateDnsEnabled == "false" then return endpoint end
  end
end

REPORT["dns-failed"] = function(ev, pull, report)
  local name = match(pull.text, [[lookup (?<name>[^\s:]+)]])
  local endpoint = without_private_dns(ev)
  local f = report("dns-failed", "the registry's name %s does not resolve where %s is pulled%s", name and name.name or registry_of(pull), what(pull),
    endpoint and string.format("; VPC endpoint %s for %s has no private DNS, so the name is left to the resolver", endpoint.id, endpoint.ServiceName) or ""):cite(endpoint)
  if endpoint then
    f:advise("turn private DNS on for the endpoint", "aws ec2 modify-vpc-endpoint --vpc-endpoint-id " .. safe(endpoint.id, "VPCE") .. " --private-dns-enabled")
  end
  f:advise("look the name up on the node or in the task's subnet", "getent hosts " .. safe(name and name.name, registry_of(pull)))
    :advise("with interface endpoints: private DNS must be on, and the VPC's enableDnsSupport and enableDnsHostnames too", "aws ec2 describe-vpc-endpoints --query 'VpcEndpoints[].[ServiceName,PrivateDnsEnabled]'")
    :advise("and the region in the image's name must exist")
end

REPORT["tls-untrusted"] = function(ev, pull, report)
  local why = match(pull.text, [[x509: (?<why>[^"\n]{1,160})]])
  report("tls-untrusted", "the certificate that answers for registry %s is not trusted%s", registry_of(pull), why and ": " .. why.why or "")
    :advise("see who answers there: a proxy that inspects TLS shows its own authority", "openssl s_client -connect " .. registry_of(pull) .. ":443 -showcerts </dev/null")
    :advise("add that authority to the node's trust store and restart the runtime, or take the registry off inspection")
end

-- Docker and containerd ask with TLS unless told otherwise.
REPORT["plain-http"] = function(_, pull, report)
  report("plain-http", "registry %s does not speak TLS on that port, and the runtime asks with TLS", registry_of(pull))
    :advise("give the registry a certificate, or name its TLS port in the image", "curl -v https://" .. registry_of(pull) .. "/v2/")
    :advise("or declare it as insecure on every node: Docker's insecure-registries, containerd's hosts.toml", "mkdir -p /etc/containerd/certs.d/" .. registry_of(pull) .. " && printf '[host.\"http://" .. registry_of(pull) .. "\"]\n' > /etc/containerd/certs.d/" .. registry_of(pull) .. "/hosts.toml")
end

-- An answer that the registry owes to its own trouble, or to what stands before it.
REPORT["registry-fails"] = function(ev, pull, report)
  local code = match(pull.text, [[\b(?<code>5\d\d)\b]])
  report("unexplained", "registry %s answers %s to the pull of %s: trouble of its own, or of a proxy or mirror before it", registry_of(pull), code and code.code or "with an error", what(pull))
    :confidence("possible"):advise("see whether it is down for others as well, and whether a mirror or proxy stands between", "curl -sv https://" .. registry_of(pull) .. "/v2/ -o /dev/null")
  ev:ask{ evidence = "text", why = "who answers with that error, the registry or something before it", how = "curl -sv https://" .. registry_of(pull) .. "/v2/ from the node, its whole output with --evidence FILE" }
end

REPORT["wrong-platform"] = function(ev, pull, report)
  local started = match(pull.text, [[exec format error]])
  local f = report("wrong-platform", started and "%s holds a program for another CPU architecture: exec format error" or "%s does not exist for this node's CPU architecture", what(pull))
  if started then f:confidence("likely") end
  f:advise("see for which platforms it was built", "docker manifest inspect " .. safe(pull.image, "IMAGE"))
    :advise("build it for this platform as well, or run it where it fits (ECS: runtimePlatform.cpuArchitecture; Kubernetes: nodeSelector kubernetes.io/arch)", "docker buildx build --platform linux/amd64,linux/arm64 ...")
end

REPORT["disk-full"] = function(ev, pull, report)
  report("disk-full", "there is no space left on the node to pull %s", what(pull))
    :advise("see what fills the disk, and remove images that nobody uses", "df -h && docker system df && docker image prune -a")
    :advise("make the volume larger, or let old images go by themselves (ECS_IMAGE_CLEANUP_INTERVAL, the kubelet's imageGCHighThresholdPercent)")
end

-- What the node has of the image is not whole: the registry's copy is another matter.
REPORT["store-damaged"] = function(_, pull, report)
  report("corrupt-layers", "the node's own store lacks content of %s that it believes to have: the image in the registry need not be at fault", what(pull)):confidence("likely")
    :advise("remove the image and its leftovers from the node, then pull anew", "crictl rmi " .. safe(pull.image, "IMAGE") .. "; ctr -n k8s.io content prune references")
    :advise("a node that lost power, or whose disk was full, is better replaced")
end

-- An id names an image on the machine that has it; a registry knows names only.
REPORT["image-id"] = function(ev, pull, report)
  report("invalid-name", "an image id (%s) stands where the image's name belongs: the registry is asked for a repository called 'sha256'", pull.image)
    :advise("write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST; the digest is the registry's, not the id that docker images prints", "docker images --digests")
  ev:ask{ evidence = "aws.task_definitions", why = "the image field as it was registered tells which step wrote the id into it",
    how = pull.platform == "kubernetes" and "kubectl get pod POD -o jsonpath='{..image}'" or "aws ecs describe-task-definition --task-definition FAMILY --query 'taskDefinition.containerDefinitions[].{name:name,image:image}' --output json" }
end

REPORT["corrupt-layers"] = function(ev, pull, report)
  report("corrupt-layers", "the layers of %s do not fit its configuration", what(pull))
    :advise("build and push it anew with one compression for all layers (gzip and zstd mixed do this), and pull without the node's cached layers", "docker buildx build --output type=image,compression=gzip,force-compression=true,push=true ...")
end

-- Which of the two rights to import the policies given lack.
local function judge_import(ev, pull)
  for _, action in ipairs{ "ecr:CreateRepository", "ecr:BatchImportUpstreamImage" } do
    local judged = judge_role(ev, pull, action)
    if judged and judged.decision == "denied" then return judged end
  end
end

REPORT["pull-through-denied"] = function(ev, pull, report)
  local rule, judged = cache_rule(ev, pull), judge_import(ev, pull)
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

-- An answer of which none of the causes is known: it is quoted, and its end asked for where it was cut off.
REPORT["answer-unknown"] = function(ev, pull, report)
  local cut = match(pull.text, [[\.\.\.\s*$|unexpected status code [^\s]+$]])
  local slow = match(pull.text, [[(?i)transition to pulled; timed out]])
  local f = report("unexplained", "%s cannot be pulled, and the answer is none of the known ones: %s", what(pull), (pull.text:gsub("%s+", " "):sub(1, 300))):confidence("possible")
  if cut then
    f:candidate("image-pull.rate-limited", { ["for"] = "public registries end a pull so when the limit is reached, and the status stands in the part that is cut off" })
      :candidate("image-pull.layer-download-blocked", { ["for"] = "so does an answer of the layer storage that is not the layer" })
  end
  if slow then
    f:candidate("image-pull.layer-download-blocked", { ["for"] = "a download that stands still is ended by the agent's clock, not by an error" })
      :candidate("image-pull.network-unreachable", { ["for"] = "so is one over a line that is too slow for the image" })
  end
  ev:ask{ evidence = "text", why = cut and "the text is cut off before the registry's status" or "a pull by hand shows the whole exchange", how = "docker pull " .. safe(pull.image, "IMAGE") .. " (or crictl pull) from the same network, its whole output with --evidence FILE" }
end

-- Where the field's own documents speak of it.
local ECS_GUIDE, ECR_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/", "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"
local REFERENCES = {
  ["access-denied"] = { ECR_GUIDE .. "repository-policies.html", ECS_GUIDE .. "task_execution_IAM_role.html" },
  ["no-credentials"] = { ECR_GUIDE .. "registry_auth.html", "https://kubernetes.io/docs/concepts/containers/images/" },
  ["credentials-expired"] = { ECR_GUIDE .. "registry_auth.html" },
  ["tag-not-found"] = { ECS_GUIDE .. "task_cannot_pull_image.html" },
  ["repository-not-found"] = { ECS_GUIDE .. "task_cannot_pull_image.html" },
  ["digest-gone"] = { ECS_GUIDE .. "deployment-type-ecs.html" },
  ["rate-limited"] = { "https://docs.docker.com/docker-hub/usage/pulls/" },
  ["network-unreachable"] = { ECR_GUIDE .. "vpc-endpoints.html" },
  ["layer-download-blocked"] = { ECR_GUIDE .. "vpc-endpoints.html" },
  ["dns-failed"] = { ECR_GUIDE .. "vpc-endpoints.html" },
  ["tls-untrusted"] = { "https://docs.docker.com/engine/security/certificates/" },
  ["plain-http"] = { "https://docs.docker.com/reference/cli/dockerd/#insecure-registries", "https://github.com/containerd/containerd/blob/main/docs/hosts.md" },
  ["invalid-name"] = { "https://docs.docker.com/reference/cli/docker/image/tag/" },
  ["wrong-platform"] = { "https://docs.docker.com/build/building/multi-platform/" },
  ["disk-full"] = { ECS_GUIDE .. "automated_image_cleanup.html" },
  ["corrupt-layers"] = { "https://docs.docker.com/build/exporters/image-registry/" },
  ["pull-through-denied"] = { ECR_GUIDE .. "pull-through-cache.html" },
  ["unexplained"] = { ECS_GUIDE .. "task_cannot_pull_image.html", "https://kubernetes.io/docs/concepts/containers/images/" },
}

-- ---- from texts to findings ----

local function subject_of(pull)
  if pull.image then return "image", pull.image end
  if match(pull.text, [[registry auth|ResourceInitialization]]) then return "task", pull.record.workload or "task" end
  return "image", "unnamed"
end

-- The image of a transcript's own command, when there is but one.
local function commanded_image(ev)
  local image
  for record in ev:each("event.command") do
    local ref = record.ref or record["local"]
    if image and image ~= ref then return nil end
    image = ref
  end
  return image
end

-- Whether a digest is what the tag of a command led to.
local function leads_to(tagged, digest)
  local repository = digest:match("^(.+)@sha256:")
  return repository ~= nil and tagged:find("@", 1, true) == nil and tagged:sub(1, #repository) == repository
end

local function read_pull(ev, record, commanded)
  local pull = { record = record, text = words.told(record.message or ""), time = ev:time(record) }
  pull.image = words.image(pull.text) or record.image or commanded
  if commanded and pull.image and leads_to(commanded, pull.image) then pull.image = commanded end
  pull.cause = words.is_id(pull.image) and "image-id" or words.cause(pull.text) or words.answer(pull.text) and "answer-unknown" or nil
  if words.secret_store(pull.text) then pull.cause = nil end -- image-pull/start's
  pull.platform = platform_of(ev, pull)
  pull.role, pull.role_kind, pull.role_id = role_of(ev, pull)
  pull.kind, pull.name = subject_of(pull)
  return pull
end

-- Groups of pulls with the same subject and cause, in order of appearance.
local function gather(ev)
  local groups, index, commanded = {}, {}, commanded_image(ev)
  for record in ev:each("event.failed") do
    local pull = read_pull(ev, record, commanded)
    local key = pull.cause and pull.kind .. "\0" .. pull.name .. "\0" .. pull.cause
    if key and not index[key] then
      index[key] = { pulls = {} }
      groups[#groups + 1] = index[key]
    end
    if key then table.insert(index[key].pulls, pull) end
  end
  for _, group in ipairs(groups) do
    local first = group.pulls[1]
    group.cause, group.image, group.name = first.cause, first.image, first.name
    group.last = group.pulls[#group.pulls].time
  end
  return groups
end

-- How long ago an event of `kubectl describe` was seen last, in seconds; nil where the line does not tell.
local UNITS = { d = 86400, h = 3600, m = 60, s = 1 }
local function age_of(record)
  local line = match(record.message or "", [[^(?:Normal|Warning) +\w+ +(?<age>(?:[0-9]+[dhms])+) ]])
  if not line then return nil end
  local age = 0
  for number, unit in line.age:gmatch("(%d+)([dhms])") do age = age + tonumber(number) * UNITS[unit] end
  return age
end

-- Whether DONE came after FAILED: by their times, or, in a listing of events, by their ages.
local function came_after(ev, done, failed)
  local time, last = ev:time(done), ev:time(failed)
  if time and last then return time > last end
  local age, before = age_of(done), age_of(failed)
  return age ~= nil and before ~= nil and age < before
end

-- Whether the image was pulled, or its container runs, after the group's last failure.
local function is_over(ev, group)
  local newest = group.pulls[#group.pulls].record
  for record in ev:each("event.pulled") do
    if group.image and record.ref == group.image and came_after(ev, record, newest) then return true end
  end
  local first = group.pulls[1].record
  for status in ev:each("container_status") do
    local running = status.state == "running" or status.state == "RUNNING"
    if running and first.container and status.name == first.container and status.workload == first.workload then return true end
  end
  return false
end

local function pulled_before(ev, group)
  for record in ev:each("event.pulled") do
    if group.image and record.ref == group.image and came_after(ev, group.pulls[1].record, record) then return record end
  end
end

-- Whether another failure of the same image has a cause that is known.
local function explained_by_other(groups, group)
  for _, other in ipairs(groups) do
    if other.cause ~= "answer-unknown" and (other.image == group.image or not other.image) then return true end
  end
  return false
end

-- An answer that says only "no" takes its meaning from what else is known: a token that expired, or the
-- same image having been pulled before.
local function settle(ev, groups)
  local expired
  for _, group in ipairs(groups) do
    if group.cause == "credentials-expired" then expired = group end
  end
  local kept = {}
  for _, group in ipairs(groups) do
    local vague = group.cause == "refused" or group.cause == "repository-not-found" and match(group.pulls[1].text, "no pull access")
    local before = vague and pulled_before(ev, group)
    if vague and expired and not expired.image then
      group.cause, group.also, expired.taken = "credentials-expired", expired.pulls, true
    elseif vague and expired and expired.image == group.image then
      expired.also, group.taken = group.pulls, true
    elseif before then
      group.cause, group.before = "credentials-expired", before
    end
  end
  for _, group in ipairs(groups) do
    local idle = group.cause == "answer-unknown" and explained_by_other(groups, group)
    if not group.taken and not idle then kept[#kept + 1] = group end
  end
  return kept
end

local function report_group(ev, group)
  local over, pull = is_over(ev, group), group.pulls[1]
  REPORT[group.cause](ev, pull, function(slug, format, ...)
    local f = ev:report("image-pull." .. slug, pull.kind, pull.name, format, ...)
    for _, list in ipairs{ group.pulls, group.also or {} } do
      for i, other in ipairs(list) do
        if i <= 3 or i == #list then f:cite(other.record) end
      end
    end
    if group.before then f:cite(group.before):confidence("likely") end
    f:when(over and "before" or "now")
    if over then f:severity("info") end
    for _, url in ipairs(REFERENCES[slug]) do f:reference(url) end
    return f
  end)
end

-- ---- a pull that fails, and nothing says why ----

local function explained(groups, record, image)
  for _, group in ipairs(groups) do
    local first = group.pulls[1].record
    if not image or not group.image or group.image == image then return true end
    if record.workload and first.workload == record.workload and first.container == record.container then return true end
  end
  return false
end

local function ask_why(ev, platform, pod)
  if platform == "ecs" then
    ev:ask{ evidence = "aws/describe-tasks.json", why = "the stopped reason of the task and the reasons of its containers hold the registry's answer",
      how = "aws ecs describe-tasks --cluster CLUSTERNAME --tasks TASK --output json > tasks.json, within an hour of the stop" }
  else
    ev:ask{ evidence = "k8s/events.json", why = "the back-off only repeats an earlier failure; the registry's answer stands in the event with reason Failed (ErrImagePull)",
      how = "kubectl describe pod " .. safe(pod, "POD") .. " > pod.txt" }
  end
end

local function report_unexplained(ev, groups)
  for record in ev:each("event.backoff") do
    local image = words.image(record.message or "") or record.image
    if not explained(groups, record, image) then
      local pull = { record = record, text = record.message or "", image = image }
      pull.platform = platform_of(ev, pull)
      pull.role, pull.role_kind, pull.role_id = role_of(ev, pull)
      local kind, name = subject_of(pull)
      local judged = judge_role(ev, pull)
      if judged and judged.decision == "denied" then
        local f = ev:report("image-pull.access-denied", kind, name, "%s may not pull %s%s", role_text(pull.role, pull.role_kind), what(pull), because(judged)):cite(record)
        use_role(ev, f, pull, judged)
        f:confidence("likely")
        fix_access(f, pull)
        ask_why(ev, pull.platform, record.pod)
        goto continue
      end
      local pod = not image and record.pod
      ev:report("image-pull.unexplained", pod and "pod" or kind, pod or name, "%s cannot be pulled; the registry's answer is not in the evidence",
        pod and "an image of pod " .. pod or what(pull))
        :confidence("possible"):cite(record)
        :candidate("image-pull.access-denied", { ["for"] = "the most frequent cause for images of a private registry" })
        :candidate("image-pull.tag-not-found", { ["for"] = "a mistyped tag backs off in the same way" })
        :candidate("image-pull.network-unreachable", { ["for"] = "so does a registry that cannot be reached" })
        :reference(REFERENCES["unexplained"][2])
      ask_why(ev, pull.platform, record.pod)
    end
    ::continue::
  end
end

local function run(ev)
  local groups = settle(ev, gather(ev))
  for _, group in ipairs(groups) do report_group(ev, group) end
  report_unexplained(ev, groups)
end

local function finding(title, severity)
  return { title = title, severity = severity or "error" }
end

return debrief.check {
  id = "image-pull",
  title = "can the images of this task or pod be pulled?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = {
    "text | container_status", "?container_status", "?containers", "?proxy",
    -- whether the role may pull
    "?aws.roles", "?aws.policies", "?aws.policy_names", "?aws.attached_policies", "?aws.repository_policies", "?aws.task_definitions",
    -- whether the way is open
    "?aws.tasks", "?aws.services", "?aws.container_instances", "?aws.instances", "?aws.network_interfaces", "?aws.subnets",
    "?aws.security_groups", "?aws.security_group_rules", "?aws.network_acls", "?aws.route_tables", "?aws.vpc_endpoints", "?aws.prefix_lists",
    -- what the registry has
    "?aws.repositories", "?aws.images", "?aws.pull_through_cache_rules",
  },
  events = {
    failed = { caseless = true, pattern = [[failed to pull image|could not transition to pulled|cannotpull\w*|PullImage \S+ from image service failed|pull access denied|failed to pull and unpack image|failed to resolve ref|error pulling image|not continuing with pull|unable to pull secrets or registry auth|cannot pull registry auth|unable to retrieve ecr registry auth|ECR: GetAuthorizationToken|not authorized to perform:? ecr:\w+|toomanyrequests\b|pull rate limit|no basic auth credentials|manifest unknown|manifest for \S+ not found|no matching manifest for|repository with name \S+ does not exist|error response from daemon: (?:(?:get|head) \\?"?https?://|unauthorized|denied|received unexpected http|missing signature key|no matching manifest)|(?:GetImageBlob|containerd-mount|content/ingest)\S*: no space left on device|failed to register layer|failed to extract layer|layers and diffIDs don't match|requested access to the resource is denied|initializing source docker://|exec format error|error from V2 registry|layers from manifest don't match|failed to pull: content at|error parsing HTTP 40[13] response body|back-off pulling image \\?"[^"]+": ErrImagePull]] },
    backoff = [[Back-off pulling image|Error: ErrImagePull|Error: ImagePullBackOff|(?<pod>[a-z0-9][a-z0-9.-]*) +[0-9]+/[0-9]+ +(?:Init:)?(?:ErrImagePull|ImagePullBackOff)]],
    no_secret = [[Unable to retrieve some image pull secrets \((?<secrets>[\w.-]+(?:, [\w.-]+)*)\)]],
    provider = [[credential provider plugin (?<plugin>[\w.-]+) (?:for image|failed)]],
    pulled = [[Successfully pulled image "(?<ref>[^"]+)"]],
    command = [[(?:docker|podman|nerdctl|crictl)(?: -\S+(?: \S+://\S+)?)* pull (?:-\S+ )*(?<ref>[\w./:@-]+)|Unable to find image '(?<local>[^']+)' locally]],
  },
  findings = {
    ["image-pull.access-denied"] = finding("the pulling role may not read the registry"),
    ["image-pull.no-credentials"] = finding("nobody is logged in to the registry"),
    ["image-pull.credentials-expired"] = finding("the registry credentials have expired"),
    ["image-pull.tag-not-found"] = finding("the image's tag does not exist"),
    ["image-pull.repository-not-found"] = finding("the image's repository does not exist"),
    ["image-pull.digest-gone"] = finding("the pinned digest is gone from the registry"),
    ["image-pull.rate-limited"] = finding("the registry limits the rate of pulls"),
    ["image-pull.network-unreachable"] = finding("the registry cannot be reached"),
    ["image-pull.layer-download-blocked"] = finding("the image's layers cannot be downloaded"),
    ["image-pull.dns-failed"] = finding("the registry's name does not resolve"),
    ["image-pull.tls-untrusted"] = finding("the registry's certificate is not trusted"),
    ["image-pull.wrong-platform"] = finding("the image is not made for this CPU architecture"),
    ["image-pull.plain-http"] = finding("the registry does not speak TLS"),
    ["image-pull.invalid-name"] = finding("an image's name cannot be parsed"),
    ["image-pull.disk-full"] = finding("no space is left to pull the image"),
    ["image-pull.corrupt-layers"] = finding("the image's layers are inconsistent"),
    ["image-pull.pull-through-denied"] = finding("a pull-through cache may not import the image"),
    ["image-pull.unexplained"] = finding("an image cannot be pulled, the cause is not in evidence", "warning"),
  },
  run = run,
}
