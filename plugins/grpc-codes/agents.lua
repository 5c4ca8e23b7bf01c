-- What a management server tells the agent between it and Envoy (Istio's, Consul's), or writes into its own log, where no close
-- line of Envoy's has the word: refused identities and messages above a limit. Links that do not come about are
-- ems-connection's, and codes without a telling text are nobody's here: agents print those all day.

local match, xds = debrief.match, debrief.use "xds_stream"

local TOLD = { ["identity-rejected"] = true, ["permission-denied"] = true, ["message-too-large"] = true, ["node-id-invalid"] = true }

local SAYS = {
  ["identity-rejected"] = "the management server does not accept who the proxy says it is: so %s, '%s'",
  ["permission-denied"] = "the management server refuses the proxy: so %s, '%s'",
  ["message-too-large"] = "the configuration is larger than a gRPC message may be: so %s, '%s'",
  ["node-id-invalid"] = "the management server cannot read the proxy's node id: so %s, '%s'",
}

local STEPS = {
  ["permission-denied"] = { "allow what the text names to the identity that the proxy runs as" },
  ["message-too-large"] = { "give each proxy less (Istio: Sidecar resources, discovery selectors; Consul: fewer upstreams), or raise the limit of the side that refuses" },
  ["node-id-invalid"] = { "set node.id in the form that this control plane wants" },
}
local TOKENS = {
  consul = { "see which token the dataplane logs in with (the anonymous one has no right to the mesh) and what it may do: it needs "
    .. "service:write on the service", "consul acl token read -self" },
  gone = { "the server does not hold the token (any more): start the pod or task anew, so that it logs in and gets one; if that fails too, "
    .. "look at the controller that logs pods in and out, at the auth method, and whether this server replicates its tokens",
    "consul acl token list; consul acl auth-method list" },
  istio = { "see that the pod's token is there and not expired, and that it is made for this control plane (audience istio-ca); "
    .. "a pod whose token file is stale gets a new one with a restart", "@inside ls -l /var/run/secrets/tokens@" },
}

local function step_of(slug, close)
  if slug ~= "identity-rejected" then return STEPS[slug] end
  if match(close.plain, [[acl not found|token (does not exist|not found)]]) then return TOKENS.gone end
  return close.who:match("^consul") and TOKENS.consul or TOKENS.istio
end

local function slug_of(close)
  if xds.of_link(close) then return nil end
  for _, row in ipairs(xds.TEXTS) do
    if match(close.plain, row[2]) then return row[1] end
  end
  return (close.code == 16 or close.code == 7) and "identity-rejected" or nil
end

-- ---- logging in to Consul, before Envoy starts ----

-- What the server says when it takes no login; the first row that matches decides.
local LOGINS = {
  { [[auth method .*not found|acl not found]], "the auth method that the pod logs in with is not there",
    "see which auth method the pod names and which there are; the job that creates them (server-acl-init) may not be done yet, or belongs to another datacenter or partition",
    "consul acl auth-method list; kubectl get jobs -A | grep acl-init" },
  { [[bearer token|lookup failed|token .*(expired|invalid)|tokenreview]], "Kubernetes does not confirm the pod's service account token",
    "see that the pod's token is valid and that the auth method asks this cluster's API with a working reviewer token",
    "consul acl auth-method read -name METHOD" },
  { [[permission denied]], "no binding rule takes the pod, or its service account is not named as the service",
    "compare the pod's service account with the service's name and with the binding rules; the server's log tells which step said no",
    "consul acl binding-rule list; kubectl get pod POD -o jsonpath='{.spec.serviceAccountName}'" },
}

local function logged_in_later(ev, record)
  local time = ev:time(record)
  for other in ev:each("event.logged_in") do
    local at = ev:time(other)
    if time and at and at >= time and record.workload == other.workload then return true end
  end
  return false
end

local function judge_login(ev)
  local record = ev:last("event.login")
  if not record or record.status:match("^5") then return end
  local said, known = (record.why or ""):lower(), nil
  for _, row in ipairs(LOGINS) do
    if match(said, row[1]) then
      known = row
      break
    end
  end
  local over = logged_in_later(ev, record)
  local finding = ev:report("grpc-codes.identity-rejected", "xds-server", "xds server", "Consul does not let the pod log in: %s %s%s%s",
    record.status, record.why and record.why:gsub("%)+$", "") or "without a word", known and ", so " .. known[2] or "", over and "; a later login went well" or "")
  finding:cite(record):span { count = ev:count("event.login") }
  if over then
    finding:severity("info"):when("before")
  elseif known then
    if known == LOGINS[3] then finding:confidence("likely") end
    finding:advise(known[3], known[4])
  else
    finding:advise("read the log of the Consul server at that moment")
  end
end

local function run(ev)
  judge_login(ev)
  for _, close in ipairs(xds.agents(ev, xds.read(ev))) do
    local slug = slug_of(close)
    if TOLD[slug] then
      local said = close.rest:gsub('["%s]+$', "")
      local finding = ev:report("grpc-codes." .. slug, "xds-server", "xds server", SAYS[slug],
        close.who == "ADS" and "its own log" or "the agent " .. close.who, said)
      local step = step_of(slug, close)
      finding:cite(close.record):advise(step[1], step[2])
    end
  end
end

local EXPLAINS = { "probes.pre-initializing", "probes.initializing", "probes.live-unconfigured", "ems-connection.not-connected",
  "ems-connection.no-answer", "probes.secret-unanswered" }

local function kind(title) return { title = title, severity = "error", explains = EXPLAINS } end

return debrief.check {
  id = "grpc-codes/agents",
  title = "does the management server refuse the agent that stands between it and Envoy?",
  applies = "mesh = istio|consul",
  version = "0.1.0",
  tags = { "xds", "istio", "consul" },
  needs = {
    "text", "?log.xds_closed", "?stats{*control_plane.connected_state}", "?stats{cluster_manager.cds.update_*}",
    "?stats{listener_manager.lds.update_*}", "?stats{grpc.*.streams_total}", "?log", "?log.start", "?log.stop", "?log.workers_started",
    "?log.config_rejected", "?log.xds_answered", "?bootstrap", "?proxy",
  },
  events = {
    google = xds.GOOGLE,
    agent = xds.AGENT,
    login = [[(?:[cC]onsul login|[uU]nable to (?:do )?log ?in|[eE]rror logging in)[^\n]{0,80}Unexpected response code: (?<status>\d{3})(?: \((?<why>[^\n"]{0,200}(?:"[^\n"]{0,60}")?[^\n")]{0,60}))?]],
    logged_in = [[Consul login complete|[sS]uccessfully logged in|consul-dataplane\.server-connection-manager: connected to Consul server]],
  },
  findings = {
    ["grpc-codes.identity-rejected"] = kind("the proxy's token or certificate is not accepted"),
    ["grpc-codes.permission-denied"] = kind("the proxy is not permitted to open the xDS stream"),
    ["grpc-codes.message-too-large"] = kind("the configuration is larger than a message may be"),
    ["grpc-codes.node-id-invalid"] = kind("the server cannot read the proxy's node id"),
  },
  run = run,
}
