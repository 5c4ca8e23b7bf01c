-- Section image-pull: pulls that fail where nothing says why. Answers that name no cause, and back-offs that only repeat a
-- failure whose text is not in the evidence. The causes that texts name are the section's other checks'; words decide
-- before status codes: the same code comes from a missing right, an expired token and a deleted image.

local match = debrief.match
local pulls, rights, words = debrief.use "pulls", debrief.use "pull_rights", debrief.use "pull_text"
local safe = debrief.use("ecr").safe
local registry_of, what = pulls.registry_of, pulls.what

-- ---- answers that name no cause ----

local REPORT = {}

-- An address without scheme or host never leaves the machine.
REPORT["address-malformed"] = function(ev, pull, report)
  local url = match(pull.text, [[(?:Get|Head|Post) \\?"?(?<url>[^"\s]{1,160})]])
  report("unexplained", "the pull of %s fails before anything is sent: the address%s has no scheme or host", what(pull), url and " '" .. url.url .. "'" or ""):confidence("possible")
    :advise("look at what sets the endpoint: a variable or setting without https://, or a release of the agent or runtime that builds it wrongly; try another release")
  ev:ask{ evidence = "host/ecs.config", why = "the version of the agent or runtime, before and after, and its endpoint or FIPS settings",
    how = "cat /etc/ecs/ecs.config; curl -s http://localhost:51678/v1/metadata; docker version (in --evidence FILE)" }
end

-- An answer that the registry owes to its own trouble, or to what stands before it.
REPORT["registry-fails"] = function(ev, pull, report)
  local code = match(pull.text, [[\b(?<code>5\d\d)\b]])
  report("unexplained", "registry %s answers %s to the pull of %s: trouble of its own, or of a proxy or mirror before it", registry_of(pull), code and code.code or "with an error", what(pull))
    :confidence("possible"):advise("see whether it is down for others as well, and whether a mirror or proxy stands between", "curl -sv https://" .. registry_of(pull) .. "/v2/ -o /dev/null")
  ev:ask{ evidence = "text", why = "who answers with that error, the registry or something before it", how = "curl -sv https://" .. registry_of(pull) .. "/v2/ from the node, its whole output with --evidence FILE" }
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

-- ---- no answer at all ----

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

local ECS_GUIDE = pulls.ECS_GUIDE
local REFERENCES = {
  ["unexplained"] = { ECS_GUIDE .. "task_cannot_pull_image.html", "https://kubernetes.io/docs/concepts/containers/images/" },
}

local function report_unexplained(ev, groups)
  for record in ev:each("event.backoff") do
    local image = words.image(record.message or "") or record.image
    if not explained(groups, record, image) then
      local pull = pulls.backed_off(ev, record, image)
      local kind, name, judged = pull.kind, pull.name, rights.judge_role(ev, pull)
      if judged and judged.decision == "denied" then
        local f = ev:report("image-pull.access-denied", kind, name, "%s may not pull %s%s", rights.role_text(pull.role, pull.role_kind), what(pull), rights.because(judged)):cite(record)
        rights.use_role(ev, f, pull, judged)
        f:confidence("likely")
        rights.fix_access(f, pull)
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

return debrief.check {
  id = "image-pull",
  title = "can the images of this task or pod be pulled?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = pulls.needs(),
  events = pulls.events({
    backoff = [[Back-off pulling image|Error: ErrImagePull|Error: ImagePullBackOff|(?<pod>[a-z0-9][a-z0-9.-]*) +[0-9]+/[0-9]+ +(?:Init:)?(?:ErrImagePull|ImagePullBackOff)]],
  }),
  findings = {
    ["image-pull.access-denied"] = { title = "the pulling role may not read the registry", severity = "error" },
    ["image-pull.unexplained"] = { title = "an image cannot be pulled, the cause is not in evidence", severity = "warning" },
  },
  run = function(ev) report_unexplained(ev, pulls.report(ev, REPORT, REFERENCES)) end,
}
