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
  ["message-too-large"] = { "give each proxy less (Istio: Sidecar resources, discovery selectors), or raise the limit of the side that refuses" },
  ["node-id-invalid"] = { "set node.id in the form that this control plane wants" },
}
local TOKENS = {
  consul = { "see which token the dataplane logs in with (the anonymous one has no right to the mesh) and what it may do: it needs "
    .. "service:write on the service", "consul acl token read -self" },
  istio = { "see that the pod's token is there and not expired, and that it is made for this control plane (audience istio-ca); "
    .. "a pod whose token file is stale gets a new one with a restart", "kubectl exec POD -c istio-proxy -- ls -l /var/run/secrets/tokens" },
}

local function step_of(slug, close)
  if slug ~= "identity-rejected" then return STEPS[slug] end
  return close.who:match("^consul") and TOKENS.consul or TOKENS.istio
end

local function slug_of(close)
  if xds.of_link(close) then return nil end
  for _, row in ipairs(xds.TEXTS) do
    if match(close.plain, row[2]) then return row[1] end
  end
  return (close.code == 16 or close.code == 7) and "identity-rejected" or nil
end

local function run(ev)
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
  events = { google = xds.GOOGLE, agent = xds.AGENT },
  findings = {
    ["grpc-codes.identity-rejected"] = kind("the proxy's token or certificate is not accepted"),
    ["grpc-codes.permission-denied"] = kind("the proxy is not permitted to open the xDS stream"),
    ["grpc-codes.message-too-large"] = kind("the configuration is larger than a message may be"),
    ["grpc-codes.node-id-invalid"] = kind("the server cannot read the proxy's node id"),
  },
  run = run,
}
