-- Section image-pull: what the registry does not have. Tags, repositories and digests that are not there, or are gone, as
-- it answers or as its listings show; and an id in the place of a name.

local match = debrief.match
local ecr, pulls, rights = debrief.use "ecr", debrief.use "pulls", debrief.use "pull_rights"
local ecr_of, safe = ecr.of, ecr.safe
local what, list_tags = pulls.what, pulls.list_tags

local REPORT = {}

-- ---- tags and repositories ----

-- Some tags of the repository, newest last as the registry lists them, for a sentence.
local function tags_there(ev, pull)
  local image, tags = ecr_of(pull.image), {}
  local images, record = {}, nil
  if image then images, record = ecr.images(ev, image) end
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
  local listed = image and ecr.listed(ev, image)
  if listed then
    REPORT["tag-not-found"](ev, pull, report)
    return
  end
  local f = report("tag-not-found", "the registry answers that there is no %s", what(pull)):confidence("likely")
  f:candidate("image-pull.repository-not-found", { ["for"] = "a missing repository gives the same answer" })
    :advise("see which tags exist, and correct the name or push the image", list_tags(pull))
end

REPORT["repository-not-found"] = function(ev, pull, report)
  local image = ecr_of(pull.image)
  local _, similar
  if image then _, similar = ecr.listed(ev, image) end
  local f = report("repository-not-found", "the registry has no repository for %s%s", what(pull), similar and "; there is " .. (similar.repositoryUri or similar.repositoryName) or ""):cite(similar)
  local publisher = image and ecr.publisher(image)
  if publisher and publisher ~= image.account then
    f:advise(string.format("App Mesh publishes this image in account %s: write %s", publisher, (pull.image:gsub("^[^.]+", publisher))))
  end
  f:advise("compare account, region and repository in the image's name with where it was pushed", list_tags(pull))
end

-- An id names an image on the machine that has it; a registry knows names only.
REPORT["image-id"] = function(ev, pull, report)
  report("invalid-name", "an image id (%s) stands where the image's name belongs: the registry is asked for a repository called 'sha256'", pull.image)
    :advise("write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST; the digest is the registry's, not the id that docker images prints", "docker images --digests")
  ev:ask{ evidence = "aws.task_definitions", why = "the image field as it was registered tells which step wrote the id into it",
    how = pull.platform == "kubernetes" and "kubectl get pod POD -o jsonpath='{..image}'" or "aws ecs describe-task-definition --task-definition FAMILY --query 'taskDefinition.containerDefinitions[].{name:name,image:image}' --output json" }
end

-- ---- digests ----

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
  local image = ecr_of(pull.image)
  for status in ev:each("container_status") do
    if image and status.account and status.workload == pull.record.workload then return status.account == image.account end
  end
end

-- 403 for a pinned digest: deleted, or a foreign repository's policy withdrawn. Only the registry knows.
REPORT["digest-refused"] = function(ev, pull, report)
  local digest, own = match(pull.text, [[(?<digest>sha256:[0-9a-f]+)]]), own_account(ev, pull)
  local image, judged = ecr_of(pull.image), rights.judge_role(ev, pull)
  local held
  for _, one in ipairs(image and digest and ecr.images(ev, image) or {}) do
    if one.imageDigest == digest.digest then held = held or one end
  end
  if held or judged and judged.decision == "denied" then
    local f = report("access-denied", "%s may not pull %s%s%s", rights.role_text(pull.role, pull.role_kind), what(pull),
      held and ": the registry answers 403, and still has the digest" or "", rights.because(judged)):cite(held)
    rights.use_role(ev, f, pull, judged)
    rights.fix_access(f, pull)
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

-- ---- the check ----

local ECS_GUIDE, ECR_GUIDE = pulls.ECS_GUIDE, pulls.ECR_GUIDE
local REFERENCES = {
  ["tag-not-found"] = { ECS_GUIDE .. "task_cannot_pull_image.html" },
  ["repository-not-found"] = { ECS_GUIDE .. "task_cannot_pull_image.html" },
  ["digest-gone"] = { ECS_GUIDE .. "deployment-type-ecs.html" },
  ["invalid-name"] = { "https://docs.docker.com/reference/cli/docker/image/tag/" },
  ["access-denied"] = { ECR_GUIDE .. "repository-policies.html", ECS_GUIDE .. "task_execution_IAM_role.html" },
  ["unexplained"] = { ECS_GUIDE .. "task_cannot_pull_image.html", "https://kubernetes.io/docs/concepts/containers/images/" },
}

return debrief.check {
  id = "image-pull/missing",
  title = "does the registry have the images?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = pulls.needs({ "?aws.images" }),
  events = pulls.events(),
  findings = {
    ["image-pull.tag-not-found"] = { title = "the image's tag does not exist", severity = "error" },
    ["image-pull.repository-not-found"] = { title = "the image's repository does not exist", severity = "error" },
    ["image-pull.digest-gone"] = { title = "the pinned digest is gone from the registry", severity = "error" },
    ["image-pull.invalid-name"] = { title = "an image's name cannot be parsed", severity = "error" },
    ["image-pull.access-denied"] = { title = "the pulling role may not read the registry", severity = "error" },
    ["image-pull.unexplained"] = { title = "an image cannot be pulled, the cause is not in evidence", severity = "warning" },
  },
  run = function(ev) pulls.report(ev, REPORT, REFERENCES) end,
}
