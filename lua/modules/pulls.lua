-- The pulls that failed, wherever registries, runtimes, the ECS agent and the kubelet say so: one group for each image and
-- cause, whether it is over, and one finding for each. The checks that use it share the causes among them: each declares
-- pulls.needs() and pulls.events(), and hands pulls.report() a function for each cause that is its own.

local match = debrief.match
local ecr, rights, words = debrief.use "ecr", debrief.use "pull_rights", debrief.use "pull_text"
local ecr_of, safe = ecr.of, ecr.safe

local pulls = {}

-- Where the field's own documents are.
pulls.ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
pulls.ECR_GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"

-- ---- what a check declares ----

local NEEDS = {
  "text | container_status", "?container_status", "?containers", "?proxy",
  -- whether the role may pull
  "?aws.roles", "?aws.policies", "?aws.policy_names", "?aws.attached_policies", "?aws.repository_policies", "?aws.task_definitions",
  "?aws.tasks", "?aws.instances", "?aws.vpc_endpoints",
  -- what the registry has
  "?aws.repositories", "?aws.pull_through_cache_rules",
}

-- What is read here, and MORE: a list of needs.
function pulls.needs(more)
  local all = table.move(NEEDS, 1, #NEEDS, 1, {})
  return table.move(more or {}, 1, #(more or {}), #all + 1, all)
end

local EVENTS = {
  failed = { caseless = true, pattern = [[failed to pull image|could not transition to pulled|cannotpull\w*|PullImage \S+ from image service failed|pull access denied|failed to pull and unpack image|failed to resolve ref|error pulling image|not continuing with pull|unable to pull secrets or registry auth|cannot pull registry auth|unable to retrieve ecr registry auth|ECR: GetAuthorizationToken|not authorized to perform:? ecr:\w+|toomanyrequests\b|pull rate limit|no basic auth credentials|manifest unknown|manifest for \S+ not found|no matching manifest for|repository with name \S+ does not exist|error response from daemon: (?:(?:get|head) \\?"?https?://|unauthorized|denied|received unexpected http|missing signature key|no matching manifest)|(?:GetImageBlob|containerd-mount|content/ingest)\S*: no space left on device|failed to register layer|failed to extract layer|layers and diffIDs don't match|requested access to the resource is denied|initializing source docker://|exec format error|error from V2 registry|layers from manifest don't match|failed to pull: content at|error parsing HTTP 40[13] response body|back-off pulling image \\?"[^"]+": ErrImagePull]] },
  pulled = [[Successfully pulled image "(?<ref>[^"]+)"]],
  command = [[(?:docker|podman|nerdctl|crictl)(?: -\S+(?: \S+://\S+)?)* pull (?:-\S+ )*(?<ref>[\w./:@-]+)|Unable to find image '(?<local>[^']+)' locally]],
}

-- What is looked for here, and MORE: a table of events.
function pulls.events(more)
  local all = more or {}
  for name, event in pairs(EVENTS) do all[name] = event end
  return all
end

-- ---- words about a pull ----

-- The registry of an image's name; without a name, the one that the text asks.
local function host_of(image, text)
  local host = image and match(image, [[^(?<host>[^/]*[.:][^/]*|localhost)/]])
    or not image and text and match(text, [[https?://(?<host>[^/\s"]+)/v2/]])
  return safe(host and host.host, host and "REGISTRY" or image and "docker.io" or "REGISTRY")
end

-- The registry that is asked, for sentences and commands.
function pulls.registry_of(pull)
  return host_of(pull.image, pull.text)
end

-- The region of AWS that the image or the text names, or nil.
function pulls.region_of(pull)
  local image = ecr_of(pull.image)
  return image and image.region or (match(pull.text, [[(?:ecr|s3)\.(?<region>[\w-]+)\.amazonaws]]) or {}).region
end

function pulls.what(pull)
  return pull.image and "image " .. pull.image or "the image"
end

-- The command that lists the tags of the image's repository.
function pulls.list_tags(pull)
  local image = ecr_of(pull.image)
  if image then
    return string.format("aws ecr describe-images --registry-id %s --region %s --repository-name %s", image.account, image.region, image.repository)
  end
  return "skopeo list-tags docker://" .. safe(pull.image and pull.image:gsub("[:@][^/]*$", ""), "REGISTRY/REPOSITORY")
end

-- ---- from texts to groups ----

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

local function complete(ev, pull)
  pull.platform = rights.platform_of(ev, pull)
  pull.role, pull.role_kind, pull.role_id = rights.role_of(ev, pull)
  pull.kind, pull.name = subject_of(pull)
  return pull
end

-- The pull that is backed off, as RECORD says, of IMAGE, which may be nil: why it failed, another text tells.
function pulls.backed_off(ev, record, image)
  return complete(ev, { record = record, text = record.message or "", image = image })
end

local function read_pull(ev, record, commanded)
  local pull = { record = record, text = words.told(record.message or ""), time = ev:time(record) }
  pull.image = words.image(pull.text) or record.image or commanded
  if commanded and pull.image and leads_to(commanded, pull.image) then pull.image = commanded end
  pull.cause = words.is_id(pull.image) and "image-id" or words.cause(pull.text) or words.answer(pull.text) and "answer-unknown" or nil
  if words.secret_store(pull.text) then pull.cause = nil end -- image-pull/start's
  return complete(ev, pull)
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

-- ---- whether it is over ----

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

-- ---- which cause it is ----

-- Of an image named by its tag the manifest was read, and then a layer refused: ECS pins the digest behind a tag that it
-- goes on naming; elsewhere the tag was resolved just now.
local function is_layer(pull)
  return pull.platform ~= "ecs" and match(pull.text, [[/blobs/sha256:]]) and pull.image and not pull.image:find("@sha256:", 1, true)
end

-- What the listings of the registry and the policies of the role make of an answer that means several things.
local function narrow(ev, pull, cause)
  local image = ecr_of(pull.image)
  if cause == "tag-resolved-nowhere" and image and not ecr.listed(ev, image)
    and ev:state("aws.repositories") == "complete" and ev:count("aws.repositories") > 0 then
    cause = "repository-not-found"
  elseif cause == "digest-refused" and is_layer(pull) then
    local judged = rights.judge_role(ev, pull, "ecr:GetDownloadUrlForLayer")
    cause = judged and judged.decision == "denied" and "refused" or "layers-refused"
  end
  return cause == "repository-not-found" and ecr.cache_rule(ev, image) and "pull-through-denied" or cause
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
    group.cause = narrow(ev, group.pulls[1], group.cause)
    if not group.taken and not idle then kept[#kept + 1] = group end
  end
  return kept
end

-- ---- from groups to findings ----

local function report_group(ev, group, write, references)
  local over, pull = is_over(ev, group), group.pulls[1]
  write(ev, pull, function(slug, format, ...)
    local f = ev:report("image-pull." .. slug, pull.kind, pull.name, format, ...)
    for _, list in ipairs{ group.pulls, group.also or {} } do
      for i, other in ipairs(list) do
        if i <= 3 or i == #list then f:cite(other.record) end
      end
    end
    if group.before then f:cite(group.before):confidence("likely") end
    f:when(over and "before" or "now")
    if over then f:severity("info") end
    for _, url in ipairs(references[slug]) do f:reference(url) end
    return f
  end)
end

-- Reports the pulls whose cause WRITERS has a function for, and returns all groups. WRITERS[cause](ev, pull, report) calls
-- report(slug, format, ...), which gives the finding; REFERENCES has a list of addresses for each such slug.
function pulls.report(ev, writers, references)
  local groups = settle(ev, gather(ev))
  for _, group in ipairs(groups) do
    if writers[group.cause] then report_group(ev, group, writers[group.cause], references) end
  end
  return groups
end

return pulls
