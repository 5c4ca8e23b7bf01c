-- Whether the address of the management server can be right at all: a URL scheme where gRPC takes none, App Mesh's
-- endpoint of another region, or App Mesh itself, which ended. Speaks only while the link is not up.

local match = debrief.match

local EMS = [[^(?:[a-z]+:/*)?(?<host>appmesh(-preview)?-envoy-management(-fips)?\.(?<region>[a-z0-9-]+)\.(amazonaws\.com|amazonaws\.com\.cn|api\.aws|api\.amazonwebservices\.com\.cn))(:(?<port>\d+))?$]]
local RETIRED = 1790812800 -- 2026-10-01: the service ended with the day before
local END_OF_SUPPORT = "https://docs.aws.amazon.com/app-mesh/latest/userguide/what-is-app-mesh.html"

local function add(addresses, text, record)
  if text and text ~= "" and not addresses[text] then
    addresses[text] = true
    addresses[#addresses + 1] = { text = text, record = record, ems = match(text, EMS) }
  end
end

local function read_addresses(ev)
  local addresses = {}
  for record in ev:each("bootstrap") do
    if record.client == "google_grpc" or record.client == "envoy_grpc" then
      add(addresses, record.address or record.target, record)
    end
  end
  for record in ev:each("log.xds_closed") do
    if match(record.peer or "", [[:\d+$]]) then add(addresses, record.peer, record) end
  end
  return addresses
end

-- What is known of the link: up, down, or nothing; when it was last seen to fail; whether a server spoke.
local function read_link(ev)
  local link = { ok = 0, closes = 0 }
  for record in ev:each("stats") do
    local value = ev:number(record, "value") or 0
    if record.name:match("control_plane%.connected_state$") then
      link.connected = math.max(link.connected or 0, value)
    elseif record.name:match("update_success$") then
      link.ok = link.ok + value
    end
  end
  for record in ev:each("log.xds_closed") do
    local code = ev:number(record, "code")
    link.closes = link.closes + 1
    link.last = ev:time(record) or link.last
    link.proof, link.first = record, link.first or record
    if code and code ~= 13 and code ~= 14 then link.answered = true end
  end
  link.up = (link.connected or 0) >= 1 and link.ok > 0
  link.fails = not link.up and (link.connected == 0 or link.closes > 0)
  if not link.last and link.connected == 0 then link.last = ev:now() end
  return link
end

local function region_of_resource(ev)
  local proxy = ev:first("proxy")
  local texts = { proxy and proxy.node_id or "" }
  for record in ev:each("env") do texts[#texts + 1] = record.value or "" end
  for _, text in ipairs(texts) do
    local arn = match(text, [[^arn:aws[a-z-]*:appmesh[a-z-]*:(?<region>[a-z0-9-]+):]])
    if arn then return arn.region end
  end
  return nil
end

local function judge_scheme(ev, address)
  local scheme = match(address.text, [[^(?<scheme>https?)://]])
  if not scheme then return end
  ev:report("ems-connection.wrong-endpoint", "xds-server", address.text,
    "the target of the xDS server is the URL '%s': gRPC takes host and port, no %s://", address.text, scheme.scheme)
    :cite(address.record):advise("write HOST:PORT; TLS is switched on by channel_credentials or a transport_socket, not by a scheme")
end

local function judge_app_mesh(ev, address, link)
  local ems, region = address.ems, region_of_resource(ev)
  if region and region ~= ems.region then
    ev:report("ems-connection.wrong-endpoint", "xds-server", address.text,
      "the proxy asks the App Mesh endpoint of %s for a resource of %s", ems.region, region)
      :cite(address.record):advise(string.format("set AWS_REGION to %s, or name the resource of %s", region, ems.region))
  elseif ems.port and ems.port ~= "443" then
    ev:report("ems-connection.wrong-endpoint", "xds-server", address.text, "App Mesh's endpoint listens on 443, the proxy asks port %s", ems.port)
      :cite(address.record):advise("set port 443 in APPMESH_XDS_ENDPOINT or the bootstrap")
  end
  if link.last and link.last >= RETIRED and not link.answered then
    ev:report("ems-connection.endpoint-retired", "xds-server", address.text,
      "%s is App Mesh's management endpoint, and App Mesh ended on 2026-09-30", ems.host)
      :confidence("likely"):cite(link.first or address.record):cite(link.proof or address.record)
      :advise("move the workload to another mesh or to none: ECS Service Connect, VPC Lattice, or Envoy with a control plane of your own")
      :advise("see whether the name still resolves", "getent hosts " .. ems.host):reference(END_OF_SUPPORT)
  end
end

local function run(ev)
  local addresses, link = read_addresses(ev), read_link(ev)
  if #addresses == 0 then
    ev:not_applicable("no address of a management server is known")
    return
  end
  if not link.fails then return end
  for _, address in ipairs(addresses) do
    judge_scheme(ev, address)
    if address.ems then judge_app_mesh(ev, address, link) end
  end
end

local EXPLAINS = {
  "ems-connection.dns-failed", "ems-connection.not-connected", "ems-connection.timeout", "ems-connection.refused",
  "ems-connection.tls-unverified", "ems-connection.no-answer", "grpc-codes.internal", "grpc-codes.unavailable",
  "grpc-codes.resource-not-found", "grpc-codes.permission-denied", "probes.pre-initializing", "probes.initializing",
  "probes.live-unconfigured", "lb-health.no-listener",
}

return debrief.check {
  id = "ems-connection/endpoint",
  title = "can the address of the management server be right?",
  applies = "any",
  version = "0.1.0",
  tags = { "xds", "appmesh" },
  needs = {
    "bootstrap | log.xds_closed", "?stats{*control_plane.connected_state}", "?stats{cluster_manager.cds.update_success}",
    "?stats{listener_manager.lds.update_success}", "?proxy", "?env{APPMESH_RESOURCE_ARN}", "?env{APPMESH_RESOURCE_NAME}",
  },
  findings = {
    ["ems-connection.wrong-endpoint"] = { title = "the server's address cannot be right", severity = "error", explains = EXPLAINS },
    ["ems-connection.endpoint-retired"] = { title = "App Mesh has ended", severity = "error", explains = EXPLAINS },
  },
  run = run,
}
