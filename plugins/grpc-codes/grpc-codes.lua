-- What the management server says when it ends an xDS stream. Reads the close lines of every log shape, decides
-- by the text before the code, and tells trouble from rotation by what happened around it. The counters of
-- google_grpc are counters.lua's. A link that never came about (refused, DNS, TLS) is ems-connection's to name, not ours.

local match, xds, identity = debrief.match, debrief.use "xds_stream", debrief.use "aws_identity"

local GRACEFUL = [[prior goaway: code: no error|goaway.*no error|\bmax[ _-]?(connection[ _-])?age\b|^eof$]]
-- Ordinary too, unless the stream is cut again and again.
local SOFT = [[transport is closing|closing transport|error reading from server: eof|keepalive ping|connection drain|going away]]

-- What a code 3 must say to mean that something is missing: servers use it for every argument that they dislike.
local ABSENT = [[not found|no(t| longer) exist|does not exist|no such|unknown (mesh|node|resource|service|virtual)|deleted]]

local CODES = {
  [0] = "graceful-close", [3] = "resource-not-found", [4] = "deadline-exceeded", [5] = "resource-not-found", [7] = "permission-denied",
  [8] = "quota-exceeded", [12] = "unimplemented", [13] = "internal", [14] = "unavailable", [16] = "no-credentials",
}

local NAMES = { [0] = "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
  "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED" }

local STATUS_CODES = "https://github.com/grpc/grpc/blob/master/doc/statuscodes.md"
local PROXY_AUTHORIZATION = "https://docs.aws.amazon.com/app-mesh/latest/userguide/proxy-authorization.html"

-- ---- judging ----

local function slug_of(close, group)
  if match(close.plain, GRACEFUL) then return "graceful-close" end
  if xds.of_link(close) or xds.of_google(close, group) then return "link" end
  for _, row in ipairs(xds.TEXTS) do
    if match(close.plain, row[2]) then return row[1] end
  end
  if group.mesh == "consul" and (close.code == 7 or close.code == 16) then return "identity-rejected" end
  if close.code == 3 and close.plain ~= "" and not match(close.plain, ABSENT) then return "unknown-code" end
  if close.code == 1 and group.google and group.count > 1 then return "message-too-large" end
  return CODES[close.code] or "unknown-code"
end

local function is_hammered(group)
  local beats = xds.beats_of(group.closes)
  return #beats >= 3 and beats[#beats] - beats[#beats - 2] < 300
end

-- An even pace of about two minutes: four pings that come too early, and the server hangs up.
local function is_keepalive_beat(group)
  local beats = xds.beats_of(group.closes)
  if #beats < 4 then return false end
  for i = 2, #beats do
    local span = beats[i] - beats[i - 1]
    if span < 100 or span > 160 then return false end
  end
  return true
end

-- ---- what to say and what to do ----

local function quoted(close)
  local text = close.text ~= "" and close.text or close.details
  return text ~= "" and ("'" .. text .. "'") or "no text"
end

local function code_of(code) return string.format("code %d (%s)", code, NAMES[code] or "no gRPC code") end

local function policy(action, arn)
  return string.format([[{
  "Version": "2012-10-17",
  "Statement": [{ "Effect": "Allow", "Action": "%s", "Resource": "%s" }]
}
]], action, arn)
end

-- Steps that need nothing from the evidence.
local STEPS = {
  ["quota-exceeded"] = {
    { "count the proxies that share this identity; a rolling deployment doubles them for a while" },
    { "raise the limit (App Mesh: connected Envoys per virtual node, 50 by default; elsewhere the server's stream limit)" },
    { "App Mesh: see the limits of the account", "aws service-quotas list-service-quotas --service-code appmesh" },
  },
  ["message-too-large"] = {
    { "raise the receive limit of the client that refuses (agent, relay, or google_grpc: channel_args grpc.max_receive_message_length) and the server's send limit" },
    { "send less: limit what each proxy is given (Istio: Sidecar resources, discovery selectors; Consul: fewer upstreams, or transparent proxy without the wildcard "
      .. "intention; Kuma: reachable services of the Dataplane; Contour: another Contour with an ingress class of its own; Envoy Gateway: fewer routes to a "
      .. "Gateway; App Mesh: fewer backends of the virtual node; Service Connect: fewer services in the namespace), split large route tables, use the delta protocol" },
  },
  ["unimplemented"] = { { "see that host and port are those of the xDS service: a web server answers 404, which the client reports as 12" } },
  ["node-id-invalid"] = { { "set node.id in the form that this control plane wants (Istio: sidecar~IP~POD.NAMESPACE~DOMAIN)" } },
  ["deadline-exceeded"] = {
    { "look at load and memory of the management server and at the time that a push takes" },
    { "look for packet loss and for idle time-outs between proxy and server (NAT, load balancer)" },
  },
  ["unavailable"] = { { "the server answers, and says that it cannot serve: look at its own log and health, or at the load balancer in front of it" } },
  ["unknown-code"] = { { "look for the same moment in the management server's log: the code alone does not tell the reason" } },
  ["internal"] = {
    { "see whether the closes come at an even pace of about 30 minutes: then it is the server's maximum connection age and harmless" },
    { "take the counters twice: control_plane.connected_state 1 and a growing update_success mean that the stream came back",
      "@debrief@ --sample 30s" },
  },
}

local advise = {}

-- A trust policy that does not let the pod's service account in is the cause; one that does leaves the cluster's identity
-- provider to be asked.
local function advise_trust(ev, finding, trust)
  finding:cite(trust.record):cite(trust.source)
  if trust.takes then
    ev:ask { evidence = "aws/describe-cluster.json", why = "the role's trust policy lets the service account in: is the identity provider that it names this cluster's?",
      how = "aws eks describe-cluster --name CLUSTER --query cluster.identity.oidc.issuer" }
    return
  end
  finding:snippet("let the pod's service account take the role, beside or instead of what its trust policy holds", "trust.json", identity.trust_policy(trust))
  finding:advise("set it", string.format("aws iam update-assume-role-policy --role-name %s --policy-document file://trust.json", trust.role))
  finding:advise("make the pods anew, so that they ask again with a fresh token", string.format("kubectl -n %s rollout restart deployment NAME",
    trust.account:match("^[%w.-]+") or "NAMESPACE"))
end

-- An instance's role: what a pod without a role of its own is refused as.
local function is_instance(user) return match(user or "", [[:assumed-role/[^/]+/i-[0-9a-f]+$]]) ~= nil end

advise["permission-denied"] = function(ev, finding, group, close)
  local what, decided = identity.denial(close.text), group.decided
  if decided then finding:cite(decided.record) end
  if decided and decided.reason == "explicit-deny" then
    local role = decided.role or "ROLE"
    finding:advise(string.format("take the Deny away, or except %s on %s from it: an Allow does not outweigh it", decided.action, decided.arn),
      "aws iam list-role-policies --role-name " .. role .. "; aws iam list-attached-role-policies --role-name " .. role)
    finding:reference(PROXY_AUTHORIZATION)
    return
  elseif decided and decided.decision == "granted" then
    finding:advise("the role's own policies grant it: look at what else limits it (service control policy, permissions boundary, endpoint policy), "
      .. "and whether the proxy was started before the policy was changed")
    ev:ask { evidence = "aws/get-caller-identity.json", why = "the policies given allow the action: did the proxy run as this role at all?",
      how = "@inside aws sts get-caller-identity --output json@" }
    finding:reference(PROXY_AUTHORIZATION)
    return
  elseif decided then
    what.action, what.arn = decided.action, decided.arn
    if decided.only and #decided.only > 0 then
      finding:advise(string.format("either the proxy asks as the wrong resource (APPMESH_RESOURCE_ARN should be %s), or the policy lacks this one: then add it, "
        .. "in %s or as a policy of its own", table.concat(decided.only, " or "), decided.near))
    end
  end
  if what.action then
    if group.trust then advise_trust(ev, finding, group.trust) end
    if is_instance(what.user) then
      finding:advise("the refused identity is an instance's role: on Kubernetes the pod got no role of its own, so bind its service account "
        .. "to one (IRSA) and name it in the pod, instead of permitting it to every pod of the node",
        "kubectl get pod POD -o jsonpath='{.spec.serviceAccountName} {.spec.containers[*].env[?(@.name==\"AWS_ROLE_ARN\")].value}'")
    end
    finding:snippet("allow the action in the policy of the role that the proxy runs as (ECS: the task role, not the execution role; "
      .. "EKS: the role of the pod's service account; EC2: the instance role)", "envoy-policy.json",
      policy(what.action, what.arn or "*"))
    finding:advise("attach it", string.format(
      "aws iam put-role-policy --role-name %s --policy-name envoy-xds --policy-document file://envoy-policy.json", identity.name(identity.role(ev, what.user)) or "ROLE"))
    finding:advise("start the proxy anew, or wait for its next try: the stream is tried again by itself")
    finding:reference(PROXY_AUTHORIZATION)
    if not decided and not what.user then
      finding:confidence("likely"):candidate("grpc-codes.permission-denied", { ["for"] = "the server names the action that the proxy's identity lacks",
        against = group.source.role and "the policies of its role are not given" or "which identity that is, and what its policies say, is not given" })
    end
    if not decided then identity.ask(ev, what.user and { role = identity.role(ev, what.user) } or group.source) end
    if what.action:match("^acm") then
      finding:advise("the proxy may open the stream, yet not read the certificate that its TLS settings name: allow "
        .. "acm:ExportCertificate on the certificate and acm-pca:GetCertificateAuthorityCertificate on its authority")
    end
    return
  end
  finding:candidate("grpc-codes.permission-denied", { ["for"] = "code 7 is how servers answer an identity that they know and that lacks the right" })
    :candidate("grpc-codes.identity-rejected", { ["for"] = "some answer a token that they do not accept in the same way" })
  finding:advise("find what identity the proxy presents (role, service account, token) and what the server's log says of it")
  finding:advise("App Mesh: allow appmesh:StreamAggregatedResources on the ARN of the proxy's own virtual node or gateway, to the role that the "
    .. "proxy runs as; Service Connect: allow ecs:Poll to the task; Consul: give the proxy's token service:write on its service; "
    .. "Istio: see that the pod's token is made for this control plane")
  ev:ask { evidence = "log/envoy.log", why = "the text after code 7 names the action and the resource that are refused", how = "@log@" }
end

advise["identity-rejected"] = function(_, finding, group, close)
  if match(close.plain, [[signature (expired|not yet current)]]) then
    finding:advise("correct the clock of the proxy's host: the signature carries its time, and the server compares",
      "date -u; chronyc tracking || timedatectl")
    return
  elseif match(close.plain, [[security token included in the request]]) then
    finding:advise("see where the proxy gets its credentials from: keys given as variables (AWS_SESSION_TOKEN) are not renewed, "
      .. "those of a task role, instance role or service account are", "aws sts get-caller-identity --output json")
    finding:advise("start the task or pod anew if the role was changed or deleted meanwhile")
    return
  end
  if match(close.plain, [[acl not found|token (does not exist|not found)]]) then
    finding:advise("the server does not hold the token that the sidecar sends (any more): start the pod or task anew, so that it logs in and "
      .. "gets one", "kubectl delete pod POD")
    finding:advise("if that fails too, look at what logs pods in and out (connect-inject), at the auth method, and whether the server that was "
      .. "asked has the token: tokens of another datacenter, or of one that was restored, are not there", "consul acl token list; consul acl auth-method list")
    return
  elseif group.mesh == "consul" then
    finding:advise("check the token that the sidecar sends (initial_metadata x-consul-token): it needs service:write on the service",
      "consul acl token read -self")
    return
  end
  finding:advise("check the token or certificate that the proxy presents: does it exist, is it still valid, is it for this server and this workload",
    group.mesh == "istio" and "@inside ls -l /var/run/secrets/tokens@" or nil)
  finding:advise("compare the clocks of proxy and server: a token is valid for a span of time")
end

-- Where a proxy of each platform gets its credentials.
local CREDENTIALS = {
  { "ecs", "ECS: set taskRoleArn (the proxy does not see the execution role) and leave 169.254.170.2 uncaptured (EgressIgnoredIPs)" },
  { "kubernetes", "EKS: give the pod the service account that is bound to the role, and see that the role is injected",
    "kubectl get pod POD -o jsonpath='{.spec.serviceAccountName} {.spec.containers[*].env[?(@.name==\"AWS_ROLE_ARN\")].value}'" },
  { "ec2", "EC2: attach an instance role; a container needs a metadata hop limit of 2, images before 1.24 need IMDSv1" },
}

-- What else a bare 16 may be.
local function name_candidates(ev, finding)
  local told = ev:count("log.aws_credentials") > 0
  finding:candidate("grpc-codes.no-credentials", { ["for"] = "code 16 is how servers answer who shows no credentials" })
    :candidate("ems-connection.metadata-unreachable", { ["for"] = "so it ends when credentials cannot be fetched (169.254.170.2, 169.254.169.254, STS)",
      against = not told and ev:state("log") == "complete" and "no line of the credentials provider says so" or nil })
    :candidate("grpc-codes.identity-rejected", { ["for"] = "some servers answer an expired or foreign token with 16, too" })
end

advise["no-credentials"] = function(ev, finding, group, close)
  local source = group.source
  finding:reference(PROXY_AUTHORIZATION):cite(source.record)
  if source.lacks then
    finding:confidence(source.sure and "certain" or "likely")
  elseif close.plain == "" then
    name_candidates(ev, finding)
  elseif not group.trust and not source.role then
    finding:candidate("grpc-codes.no-credentials", { ["for"] = "nothing gave the proxy a role (ECS: task role; EKS: the role of its service account; EC2: instance role)",
        against = "who the proxy runs as is not given" })
      :candidate("ems-connection.metadata-unreachable", { ["for"] = ev:count("log.aws_credentials") > 0 and "the credentials provider names a source that gave nothing"
        or "so it ends when the source of credentials does not answer" })
  end
  if ev:state("log") ~= "complete" and ev:count("log.aws_credentials") == 0 and not source.sure then
    ev:ask { evidence = "log/envoy.log", why = "lines of the credentials provider just before the close name the source that gave nothing", how = "@log@" }
  end
  local trust, proxy = group.trust, ev:first("proxy")
  if trust then advise_trust(ev, finding, trust) end
  if trust and not trust.takes then return end
  local platform = (trust or identity.is_web(ev)) and "kubernetes" or proxy and proxy.platform
  for _, step in ipairs(CREDENTIALS) do
    if not platform or platform == step[1] then finding:advise(step[2], step[3]) end
  end
  identity.ask(ev, source, source.role and "who may take the role " .. (identity.name(source.role) or "") .. ", and what it may do" or nil)
end

advise["resource-not-found"] = function(ev, finding, _, close)
  if match(close.plain, [[\bdata ?plane\b]]) then
    finding:advise("create the Dataplane of this proxy: on Kubernetes Kuma makes it from an injected pod (see its events and the control plane's "
      .. "log), elsewhere kuma-dp is given it with --dataplane-file", "kumactl get dataplanes; kubectl get dataplanes -A")
    return
  end
  local secret = match(close.text, [[(?i)secrets? "?(?<name>[\w./-]+)"? (was )?not found]])
  if secret then
    finding:advise(string.format("create the secret %s, or correct the name where the gateway or listener refers to it: the namespace counts",
      secret.name), "kubectl get secrets -A")
    return
  end
  local proxy = ev:first("proxy")
  local node = proxy and proxy.node_id or ""
  local mesh, kind, name = node:match("mesh/([^/]+)/virtual(%a+)/([^/]+)$")
  local command = { Node = "aws appmesh describe-virtual-node --mesh-name %s --virtual-node-name %s",
    Gateway = "aws appmesh describe-virtual-gateway --mesh-name %s --virtual-gateway-name %s" }
  if mesh and command[kind] then
    finding:advise("see whether the resource that the proxy names exists in this account and region",
      string.format(command[kind], mesh, name))
  elseif node ~= "" then
    finding:advise(string.format("the proxy says that it is '%s': compare that with what the management server knows", node))
  else
    finding:advise("compare the node id that the proxy sends (server_info, node.id) with what the management server knows")
  end
  finding:advise("App Mesh: if the name is right, look at what the resource refers to (certificate, service discovery namespace), at the region and at the account")
  finding:advise("App Mesh on EKS: the controller's log says why it did not create the resource", "kubectl -n appmesh-system logs deploy/appmesh-controller")
end

advise["quota-exceeded"] = function(_, finding, group, close)
  if close.text == "" and not group.google then
    finding:confidence("possible")
      :candidate("grpc-codes.quota-exceeded", { ["for"] = "code 8 is how servers refuse more clients", against = "the server gave no text" })
      :candidate("grpc-codes.message-too-large", { ["for"] = "Envoy's own client reports a message above max_receive_message_length as 8 without a word of size",
        against = "only where the bootstrap sets that limit" })
  end
end

advise["unimplemented"] = function(_, finding, group)
  local asked = group.server and group.server.api_type
  finding:advise(asked and string.format("the bootstrap asks with api_type %s: use GRPC for a server without delta, DELTA_GRPC for one with delta only", asked)
    or "compare api_type (GRPC or DELTA_GRPC) and transport_api_version (V3) of the bootstrap with what the server serves")
end

advise["internal"] = function(ev, finding, group, close)
  finding:candidate("grpc-codes.graceful-close", { ["for"] = "servers end streams at a maximum age, about every 30 minutes",
    against = group.count > 1 and "the closes come more often than that" or nil })
  if is_keepalive_beat(group) then
    finding:candidate("ems-connection.keepalive-mismatch", { ["for"] = "all streams end at an even pace of about two minutes, "
      .. "as when the client pings every 30 s and the server allows one ping in five minutes" })
  end
  finding:candidate("ems-connection.not-connected", { ["for"] = close.plain == "" and "google_grpc reports every failed link as 13 without a text"
    or "the connection was cut under the stream" })
  ev:ask { evidence = "log/envoy.log", why = "the times of the closes tell rotation from a fault",
    how = "@log@" }
  ev:ask { evidence = "admin/stats.txt", why = "control_plane.connected_state and update_success tell whether the stream came back",
    how = "@debrief@ --sample 30s" }
end

-- Formats that take the server, the code and the text.
local SAYS = {
  ["no-credentials"] = "%s got no credentials from the proxy: %s, %s",
  ["identity-rejected"] = "%s does not accept who the proxy says it is: %s, %s",
  ["resource-not-found"] = "%s does not know what the proxy asks for: %s, %s",
  ["unimplemented"] = "%s does not serve the method that the proxy calls: %s, %s",
  ["permission-denied"] = "%s refuses the xDS stream with %s, %s",
  ["quota-exceeded"] = "%s takes no further stream: %s, %s",
}

local function message_of(slug, group, close)
  local code, said, name = code_of(close.code), quoted(close), group.shown
  local what = slug == "permission-denied" and identity.denial(close.text) or {}
  if what.action then
    return string.format("%s refuses the xDS stream: %s may not perform %s%s", name, what.user or "the proxy's role",
      what.action, what.arn and (" on " .. what.arn) or "") .. identity.shown(group.decided, group.source)
      .. identity.verdict(group.decided) .. identity.distrust(group.trust)
  elseif SAYS[slug] then
    return string.format(SAYS[slug], name, code, said) .. identity.shown(group.decided, group.source) .. identity.verdict(group.decided) .. identity.distrust(group.trust)
  elseif slug == "message-too-large" then
    local size = match(close.text, [[\((?<got>\d+) vs\. (?<limit>\d+)\)]])
    return size and string.format("the configuration from %s has %s bytes, the limit of a gRPC message here is %s", name, size.got, size.limit)
      or close.code == 1 and string.format("the stream to %s ends with %s right after it connects, again and again: with google_grpc the sign of a message above its limit of 4 MiB", name, code)
      or string.format("the configuration from %s is larger than a gRPC message may be; the stream is closed with %s, %s", name, code, said)
  elseif slug == "internal" and group.count == 1 then
    return string.format("the stream to %s was closed once with %s, %s; whether that is rotation or a fault, this evidence does not tell", name, code, said)
  end
  return string.format("the xDS stream to %s is closed with %s, %s", name, code, said)
end

local function give_advice(ev, finding, slug, group, close)
  if advise[slug] then advise[slug](ev, finding, group, close) end
  for _, step in ipairs(STEPS[slug] or {}) do
    finding:advise(step[1], step[2])
  end
  finding:reference(STATUS_CODES)
end

-- ---- reporting ----

local function cite_all(finding, closes, group)
  finding:cite(closes[1].record):cite(closes[#closes].record)
  finding:span { count = group.count > #group.closes and group.count or #closes }
end

-- Closes of one kind, of the episode that lasts where a success stands between.
local function same(closes, slug, group, success)
  local found = {}
  for _, close in ipairs(closes) do
    local earlier = success and close.time and close.time <= success
    if not earlier and slug_of(close, group) == slug then found[#found + 1] = close end
  end
  return #found > 0 and found or closes
end

local function report_note(ev, group, closes, format, ...)
  local finding = ev:report("grpc-codes.graceful-close", "xds-server", group.name, format, ...)
  cite_all(finding:severity("info"):when("before"), closes, group)
end

local function report_before(ev, group, slug, close, marks)
  local start = marks.started > 0 and marks.started or marks.begins
  local early = #group.closes <= 3 and close.time and close.time - start <= 60
  if early and (close.code == 14 or slug == "link") then
    local finding = ev:report("grpc-codes.startup-retry", "xds-server", group.name,
      marks.started > 0 and "the first connection to %s failed with %s while the proxy started; a later one succeeded"
        or "the connection to %s failed with %s where this log begins (that the proxy starts is not seen); a later one succeeded",
      group.shown, code_of(close.code))
    cite_all(finding:when("before"), group.closes, group)
  elseif slug ~= "link" and slug ~= "version" then
    local finding = ev:report("grpc-codes." .. slug, "xds-server", group.name, "%s; it is over, the stream came back since",
      message_of(slug, group, close))
    finding:severity("info"):when("before")
    cite_all(finding, same(group.closes, slug, group), group)
  end
end

-- What the proxy's role has to do with.
local IDENTITY = { ["no-credentials"] = true, ["permission-denied"] = true }

local function report_trouble(ev, group, slug, close, link, marks)
  group.decided = slug == "permission-denied" and identity.decide(ev, group.mesh, close.text) or nil
  local web = slug == "no-credentials" or slug == "permission-denied" and is_instance(identity.denial(close.text).user)
  group.trust = web and identity.trust(ev) or nil
  group.source = IDENTITY[slug] and not xds.OWN_TOKENS[group.mesh or ""] and identity.source(ev, slug == "no-credentials") or {}
  local finding = ev:report("grpc-codes." .. slug, "xds-server", group.name, "%s", message_of(slug, group, close))
  if link.connected == 0 or close.time and math.abs(ev:now() - close.time) < 600 then finding:when("now") end
  if slug == "internal" then
    local stands = group.count == 1 or is_keepalive_beat(group) -- between the closes
    finding:severity(stands and "warning" or "error"):confidence("possible")
  elseif close.plain == "" or slug == "unknown-code" or slug == "message-too-large" and close.code == 1 then
    finding:confidence("likely")
  end
  cite_all(finding, same(group.closes, slug, group, marks.success), group)
  if slug == "no-credentials" then
    for record in ev:each("log.aws_credentials") do finding:cite(record) end
  elseif slug == "message-too-large" then
    for record in ev:each("event.too_large") do finding:cite(record) end
  end
  give_advice(ev, finding, slug, group, close)
end

-- The close that speaks for the group: the last one, unless it merely ends a series that was refused.
local function speaker(group)
  local last = group.closes[#group.closes]
  local slug = slug_of(last, group)
  if slug ~= "graceful-close" or not last.time then return last, slug end
  for i = #group.closes - 1, 1, -1 do
    local other = group.closes[i]
    local said = slug_of(other, group)
    if said ~= "graceful-close" and other.time and last.time - other.time < 120 then return other, said end
  end
  return last, slug
end

-- An agent's line tells the size where the proxy's own line has lost it.
local function refine(ev, slug)
  local vague = slug == "unknown-code" or slug == "internal" or slug == "unavailable"
  return vague and ev:count("event.too_large") > 0 and "message-too-large" or slug
end

local function drop_shutdown(ev, group, marks)
  local kept, dropped = {}, {}
  for _, close in ipairs(group.closes) do
    local to = xds.during_shutdown(close, marks) and dropped or kept
    to[#to + 1] = close
  end
  if #dropped > 0 then
    report_note(ev, group, dropped, "the stream to %s ended because the proxy was told to stop", group.shown)
  end
  group.closes, group.count = kept, group.count - #dropped
end

local function judge(ev, group, link, marks)
  drop_shutdown(ev, group, marks)
  if #group.closes == 0 then return end
  local close, slug = speaker(group)
  slug = refine(ev, slug)
  local bland = slug == "internal" or slug == "unavailable" or slug == "unknown-code" or slug == "deadline-exceeded"
  if (bland or xds.of_google(close, group)) and xds.is_rotation(group, ev:param("rotation")) then
    report_note(ev, group, group.closes, "%s ends the stream at an even, long pace and takes it up again: its maximum connection age, or a limit on the way", group.shown)
  elseif slug == "graceful-close" or match(close.plain, SOFT) and not is_hammered(group) then
    report_note(ev, group, group.closes, "%s ended the stream in order (%s, %s)", group.shown, code_of(close.code), quoted(close))
  elseif xds.is_recovered(ev, close, link, marks) then
    report_before(ev, group, slug, close, marks)
  elseif slug ~= "link" and slug ~= "version" then
    report_trouble(ev, group, slug, close, link, marks)
  end
end

local function run(ev)
  local stream = xds.read(ev)
  for _, group in ipairs(stream.groups) do
    judge(ev, group, stream.link, stream.marks)
  end
  if #stream.groups == 0 then xds.ask_while_starting(ev, stream.link, stream.proxy) end
end

local EXPLAINS = {
  "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "probes.listeners-unanswered",
  "probes.eds-unanswered", "probes.secret-unanswered", "probes.routes-unanswered", "ems-connection.not-connected",
  "ems-connection.no-answer", "ems-connection.flapping", "config-rejected.fetch-timed-out", "lb-health.no-listener",
  "lb-health.backend-unready",
}

local function kind(title, severity)
  return { title = title, severity = severity or "error", explains = severity ~= "info" and EXPLAINS or nil }
end

return debrief.check {
  id = "grpc-codes",
  title = "does the management server refuse or end the xDS stream, and why?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "gateway" },
  needs = {
    "log.xds_closed", "?stats{grpc.*.streams_total}", "?stats{*control_plane.connected_state}",
    "?stats{cluster_manager.cds.update_*}", "?stats{listener_manager.lds.update_*}", "?log", "?log.start", "?log.stop", "?log.workers_started",
    "?log.config_rejected", "?log.xds_answered", "?log.aws_credentials", "?bootstrap", "?proxy", "?containers",
    "?env{AWS_ROLE_ARN}", "?env{APPMESH_RESOURCE_ARN}", "?aws.roles", "?aws.policies", "?aws.policy_names", "?aws.attached_policies",
    "?aws.repository_policies", "?k8s.service_accounts", "?aws.task_definitions",
  },
  events = {
    google = xds.GOOGLE,
    too_large = [[message larger than max \(\d+ vs\. \d+\)]],
  },
  params = {
    rotation = { type = "duration", default = "15m", help = "streams that live at least this long before they are closed are rotated, not cut" },
  },
  findings = {
    ["grpc-codes.graceful-close"] = kind("the stream was ended in order", "info"),
    ["grpc-codes.startup-retry"] = kind("the first connection failed, a later one succeeded", "info"),
    ["grpc-codes.resource-not-found"] = kind("the server does not know the proxy's resource"),
    ["grpc-codes.permission-denied"] = kind("the proxy is not permitted to open the xDS stream"),
    ["grpc-codes.no-credentials"] = kind("the proxy sends no credentials"),
    ["grpc-codes.identity-rejected"] = kind("the proxy's token or certificate is not accepted"),
    ["grpc-codes.quota-exceeded"] = kind("the server's limit of streams or proxies is reached"),
    ["grpc-codes.message-too-large"] = kind("the configuration is larger than a message may be"),
    ["grpc-codes.node-id-invalid"] = kind("the server cannot read the proxy's node id"),
    ["grpc-codes.deadline-exceeded"] = kind("the server does not answer in time"),
    ["grpc-codes.unimplemented"] = kind("the server does not serve the method that is called"),
    ["grpc-codes.unavailable"] = kind("the server says that it is not available"),
    ["grpc-codes.internal"] = kind("the stream is cut, the reason is not told"),
    ["grpc-codes.unknown-code"] = kind("the stream is closed with a code that tells no reason", "warning"),
  },
  run = run,
}
