-- What a failed pull says, in the words of registries, runtimes, the ECS agent and the kubelet: which cause its text
-- names, and of which image it speaks. Words decide before status codes. Reads texts only, so a check that uses it
-- declares nothing.

local match = debrief.match

local pull_text = {}

-- The first row that matches tells the cause, the most telling words first.
local CAUSES = {
  { "storage-refuses", [[(?i)error pulling image configuration.{0,200}error parsing HTTP 40[13] response body]] },
  { "credentials-expired", [[(?i)security token included in the request is (?:invalid|expired)|authorization token has expired|\btoken (?:has |is )?expired|ExpiredToken|reauthenticate]] },
  { "own-limit", [[(?i)pull QPS exceeded]] },
  { "rate-limited", [[(?i)toomanyrequests|429 Too Many|\b429\b|rate limit|Rate exceeded|ThrottlingException]] },
  { "proxy-fails", [[(?i)proxyconnect|proxy authentication required|\b407 Proxy]] },
  { "disk-full", [[(?i)no space left on device|disk quota exceeded]] },
  { "corrupt-layers", [[(?i)layers and diffIDs don't match|wrong diff id|filesystem layer verification failed|layers from manifest don't match image configuration|mismatched image rootfs|failed to validate compressed|unexpected commit (?:digest|size)|invalid tar header|gzip: invalid|magic number mismatch]] },
  { "store-damaged", [[(?i)failed to get reader from content store|blob not found: not found|content digest sha256:[0-9a-f]+: not found]] },
  { "wrong-platform", [[(?i)no match(?:ing manifest)? for (?:platform|\S+/\S+)|does not match the (?:specified|detected host) platform|cannot be used on this platform|exec format error]] },
  { "pull-through-denied", [[(?i)ecr:(?:CreateRepository|BatchImportUpstreamImage)|pull.?through.?cache|(?:authentication to|credentials (?:for|of)) the upstream registry]] },
  { "plain-http", [[(?i)server gave HTTP response to HTTPS client|first record does not look like a TLS handshake]] },
  { "tls-untrusted", [[(?i)x509:|certificate signed by unknown authority|failed to verify certificate|certificate verify failed]] },
  { "dns-failed", [[(?i)no such host|server misbehaving|\blookup \S+.{0,120}(?:i/o timeout|connection refused)|(?:temporary failure|failure) in name resolution|name or service not known]] },
  { "network-unreachable", [[(?i)httpReade?r?Seeker: failed open.{0,100}/v2/[^\s"]+/manifests/.{0,200}(?:timeout|timed out|refused|reset by peer|EOF|deadline exceeded)]] },
  { "address-malformed", [[(?i)unsupported protocol schem|missing protocol scheme|no Host in request URL]] },
  { "layer-download-blocked", [[(?i)(?:starport-layer-bucket|\.s3[.-][\w.-]*amazonaws|s3\.amazonaws|cloudfront\.net|cloudflare\.docker).{0,600}(?:timeout|timed out|forbidden|refused|reset|\b403\b|EOF|canceled)|(?:error pulling image configuration|httpReade?r?Seeker: failed open|copying layers).{0,400}(?:timeout|timed out|refused|reset by peer|EOF|deadline exceeded)]] },
  { "no-credentials", [[(?i)failed to fetch anonymous token.{0,400}\b401\b]] },
  { "anonymous-refused", [[(?i)failed to fetch anonymous token.{0,400}\b403\b]] },
  { "login-refused", [[(?i)failed to fetch oauth token.{0,400}\b40[013]\b|incorrect username or password|invalid username/password]] },
  { "digest-refused", [[(?i)(?:/blobs/sha256:|@sha256:|/manifests/sha256:).{0,200}(?:403|forbidden)]] },
  { "digest-gone", [[(?i)(?:@sha256:|/blobs/sha256:|/manifests/sha256:|content descriptor sha256:).{0,200}(?:not found|manifest unknown|does not exist|\b404\b)|(?:not found|manifest unknown).{0,80}sha256:]] },
  { "repository-not-found", [[(?i)repository with name .{0,200} does not exist|RepositoryNotFound|name[_ ]unknown|repository name not known]] },
  { "access-denied", [[(?i)not authorized to perform|AccessDenied|explicit deny|denied: permission|permission "?[\w.]+"? denied]] },
  { "tag-not-found", [[(?i)manifest[_ ]unknown|manifest for \S+ not found|ImageNotFound|requested image not found|manifest \S+ not found]] },
  { "no-credentials", [[(?i)no basic auth credentials|\b401\b|unauthorized:|authentication (?:is )?required|no credentials]] },
  { "refused", [[(?i)pull access denied|requested access to the resource is denied|no pull access|insufficient_scope|\bdenied:|daemon: denied|403 \(?Forbidden|status code from registry 403]] },
  { "repository-not-found", [[(?i)repository \S+ not found]] },
  { "tag-resolved-nowhere", [[(?i)failed to resolve ref.{0,600}: not found|Error: image \S+ not found]] },
  { "registry-fails", [[(?i)\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time)|unexpected HTTP status: 5\d\d]] },
  { "answer-unknown", [[(?i)transition to pulled; timed out]] },
  { "network-unreachable", [[(?i)i/o timeout|Client\.Timeout|request canceled|context deadline exceeded|context canceled|connection refused|no route to host|network is unreachable|timed out|TLS handshake timeout|reset by peer|broken pipe|exceeded maximum number of attempts|send request failed|connection issue between|\bEOF\b|signal: killed]] },
}

-- The old kubelet guesses before it quotes what it was told.
local GUESS = "this may be because there are no credentials on this request"

-- One word for the cause that TEXT names; nil: none of the known ones.
function pull_text.cause(text)
  text = text:gsub(GUESS, "")
  for _, row in ipairs(CAUSES) do
    if match(text, row[2]) then return row[1] end
  end
end

-- The events of `kubectl describe` in a text of several lines, each in one line: what a narrow terminal or a mail has
-- wrapped, also in the middle of a word, is joined again.
local function events_in(text)
  local events = {}
  for line in text:gmatch("[^\n]+") do
    if match(line, [[^\s*(?:Normal|Warning)\s+[A-Z]\w+\s+(?:[0-9]+[dhms]|<unknown>)]]) then
      events[#events + 1] = line
    elseif #events > 0 then
      events[#events] = events[#events] .. line
    end
  end
  return events
end

-- What of MESSAGE speaks of the pull: the event that failed, where it is a listing of several; else all of it.
function pull_text.told(message)
  if not message:find("\n", 1, true) then return message end
  local found
  for _, event in ipairs(events_in(message)) do
    if match(event, [[(?i)failed to (?:pull|inspect) image]]) and (not found or pull_text.cause(event)) then found = event end
  end
  return found or message
end

-- Where an image's name stands in such a text.
local NAMES = {
  [[(?i)(?:pull image|unpack image|reference|ref|PullImage|back-off pulling image) \\?"(?<image>[^"\\\s]+)]],
  [[pull access denied for (?<image>[^,\s]+)]],
  [[manifest for (?<image>\S+) not found]],
  [[failed to resolve ref(?:erence)? (?<image>[^"\s]+)]],
  [[repository (?<image>[\w./:<>-]+/[\w./:-]+) not found]],
  [[docker://(?<image>[^\s"]+)]],
}

-- The image of which TEXT speaks, or nil.
function pull_text.image(text)
  for _, pattern in ipairs(NAMES) do
    local found = match(text, pattern)
    if found then return (found.image:gsub("[:,]+$", "")) end
  end
  local url = match(text, [[https?://(?<host>[^/\s"]+)/v2/(?<repository>[^\s"]+?)/manifests/(?<tag>[^\s"?]+)]])
  if url then
    local tag = url.tag:gsub(":$", "")
    return url.host .. "/" .. url.repository .. (tag:find("^sha256:") and "@" or ":") .. tag
  end
end

-- Whether the text holds an answer to the pull, though one that none of the causes knows; a stopped task's trouble
-- with its secrets or its log group is none, and names that cannot be parsed are another check's.
function pull_text.answer(text)
  return not match(text, [[(?i)short-name|invalid reference format|couldn't parse image]]) and match(text, [[(?i)CannotPull\w*:? *\S|pull image "?[^"\s]+"?: *\S|failed to (?:resolve ref|pull and unpack|register layer|extract layer).{0,300}: *\S]]) ~= nil
end

-- An id where a name belongs: asked for as a repository called "sha256".
function pull_text.is_id(image)
  return image and match(image, [[^(?:docker\.io/)?(?:library/)?sha256:[0-9a-f]{12,64}$]]) ~= nil
end

-- The store whose secrets ECS could not read for a task, as its stop reason says: "ssm", "secretsmanager", or nil.
function pull_text.secret_store(text)
  local said = match(text, [[(?i)(?:secret|auth|parameter)s? from (?<store>asm|ssm)|(?<host>secretsmanager|ssm)\.[\w-]+\.amazonaws|from (?:AWS |Amazon )?(?<name>secrets manager|ssm|systems manager)|perform:? (?<action>secretsmanager|ssm):|(?<parameter>invalid ssm) param]])
  local name = said and (said.store or said.host or said.name or said.action or said.parameter):lower()
  return name and (match(name, "ssm|systems") and "ssm" or "secretsmanager")
end

return pull_text
