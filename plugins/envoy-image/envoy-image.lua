-- The variables of App Mesh's Envoy image, container by container: names, values, conflicts, and what the agent that
-- reads them says. VARIABLES is the one table of them; the manual's is compared with it. Never mixes two containers.

local match = debrief.match

-- name, type, values, default, first image ("-": all that are documented), notes. Types: bool and int end the agent
-- when they are wrong, softbool and softint leave the default.
local VARIABLES = {
  { "APPMESH_RESOURCE_ARN", "name", "ARN or mesh/MESH/virtualNode/NODE, mesh/MESH/virtualGateway/GATEWAY; MESH@OWNER in a shared mesh", "", "1.15.0", "wins over the two old names; service part appmesh-preview in the preview channel" },
  { "APPMESH_RESOURCE_NAME", "name", "as above", "", "-", "old; used when APPMESH_RESOURCE_ARN is not set" },
  { "APPMESH_VIRTUAL_NODE_NAME", "name", "mesh/MESH/virtualNode/NODE", "", "-", "old; all that images before 1.15.0 know; equal values in both are normal (the controller sets both)" },
  { "APPMESH_RESOURCE_CLUSTER", "text", "any", "the resource's name", "1.15.0", "service cluster in metrics and traces" },
  { "APPMESH_VIRTUAL_NODE_CLUSTER", "text", "any", "the resource's name", "-", "old; used when APPMESH_RESOURCE_CLUSTER is not set" },
  { "APPMESH_PREVIEW", "bool", "boolean", "0", "-", "us-west-2 only, with an appmesh-preview ARN" },
  { "APPMESH_DUALSTACK_ENDPOINT", "bool", "boolean", "0", "1.22.0", "names under api.aws" },
  { "APPMESH_FIPS_ENDPOINT", "any", "set by the controller", "", "-", "ignored by the agent, which goes by the build of Envoy" },
  { "APPMESH_XDS_ENDPOINT", "text", "HOST:PORT", "of the region", "-", "override" },
  { "APPMESH_SIGNING_NAME", "text", "any", "appmesh, appmesh-preview", "-", "override" },
  { "APPMESH_METRIC_EXTENSION_VERSION", "text", "1", "", "-", "" },
  { "APPMESH_SET_TRACING_DECISION", "bool", "boolean", "true", "-", "" },
  { "APPMESH_SDS_SOCKET_PATH", "path", "path", "", "-", "SPIRE's socket" },
  { "APPMESH_PLATFORM_K8S_VERSION", "text", "any", "", "-", "metadata, by the controller" },
  { "APPMESH_PLATFORM_APP_MESH_CONTROLLER_VERSION", "text", "any", "", "-", "metadata, by the controller" },
  { "APPMESH_PLATFORM_K8S_POD_UID", "text", "any", "", "-", "metadata, by the controller" },
  { "AWS_REGION", "text", "region", "from IMDS", "-", "must be the region of the resource" },
  { "ENVOY_LOG_LEVEL", "level", "trace, debug, info, warn, warning, error, critical, off", "info", "-", "anything else is taken as info, silently" },
  { "ENVOY_INITIAL_FETCH_TIMEOUT", "int", "seconds", "0", "-", "0 waits for ever; Envoy's own default is 15" },
  { "ENVOY_CONCURRENCY", "softint", "-1 or threads", "-1", "1.24.0.0", "-1: all logical CPUs of the host" },
  { "ENVOY_ADMIN_ACCESS_PORT", "int", "1-65535", "9901", "-", "not one of the captured application ports" },
  { "ENVOY_ADMIN_ACCESS_LOG_FILE", "path", "path", "/tmp/envoy_admin_access.log", "-", "" },
  { "ENVOY_ADMIN_ACCESS_ENABLE_IPV6", "bool", "boolean", "false", "1.22.0", "" },
  { "ENVOY_ADMIN_MODE", "mode", "tcp, uds", "tcp", "1.21.0", "uds: /tmp/envoy_admin.sock" },
  { "ENVOY_CONFIG_FILE", "path", "path", "", "-", "replaces the bootstrap: every other Envoy variable has no effect" },
  { "ENVOY_RESOURCES_CONFIG_FILE", "path", "path", "", "-", "merged into the bootstrap" },
  { "ENVOY_TRACING_CFG_FILE", "path", "path", "", "-", "one tracer only: not with the three ENABLE_ENVOY_*_TRACING" },
  { "ENVOY_STATS_CONFIG_FILE", "path", "path", "", "-", "not with ENABLE_ENVOY_STATS_TAGS" },
  { "ENVOY_STATS_SINKS_CFG_FILE", "path", "path", "", "-", "not with ENABLE_ENVOY_DOG_STATSD" },
  { "ENABLE_ENVOY_STATS_TAGS", "bool", "boolean", "0", "-", "not with ENVOY_STATS_CONFIG_FILE" },
  { "ENVOY_STATS_FLUSH_INTERVAL", "duration", "duration with its unit", "5000ms", "-", "" },
  { "ENVOY_OUTLIER_DETECTION_EVENT_LOG_PATH", "path", "path", "/dev/stdout", "-", "" },
  { "ENVOY_SKIP_DEPRECATED_LOGS", "bool", "boolean", "true", "1.21.0", "" },
  { "ENVOY_NO_EXTENSION_LOOKUP_BY_NAME", "bool", "boolean", "true", "1.21.0", "" },
  { "ENVOY_ENABLE_TCP_POOL_IDLE_TIMEOUT", "bool", "boolean", "true", "1.21.0", "" },
  { "ENVOY_USE_HTTP_CLIENT_TO_FETCH_AWS_CREDENTIALS", "bool", "boolean", "false", "1.21.0", "" },
  { "MAX_REQUESTS_PER_IO_CYCLE", "softint", "number", "", "1.21.0", "" },
  { "DISABLE_HOT_RESTART", "bool", "boolean", "true", "1.21.0", "" },
  { "ENABLE_ENVOY_DOG_STATSD", "bool", "boolean", "0", "-", "not with ENVOY_STATS_SINKS_CFG_FILE" },
  { "STATSD_PORT", "int", "1-65535", "8125", "-", "" },
  { "STATSD_ADDRESS", "ip", "IP address", "127.0.0.1", "1.15.0", "" },
  { "STATSD_SOCKET_PATH", "path", "path", "", "1.19.1.0", "goes before STATSD_ADDRESS and STATSD_PORT" },
  { "ENABLE_ENVOY_XRAY_TRACING", "bool", "boolean", "0", "-", "one tracer only" },
  { "XRAY_DAEMON_PORT", "int", "1-65535", "2000", "-", "a port in AWS_XRAY_DAEMON_ADDRESS goes before it" },
  { "AWS_XRAY_DAEMON_ADDRESS", "tracer", "IP address, or IP:PORT", "127.0.0.1", "-", "never a host name" },
  { "XRAY_SAMPLING_RATE", "rate", "0-1", "0.05", "1.19.1.1", "XRAY_SAMPLING_RULE_MANIFEST goes before it" },
  { "XRAY_SAMPLING_RULE_MANIFEST", "path", "path", "", "1.19.1.0", "manifest version 2 only" },
  { "XRAY_SEGMENT_NAME", "text", "any", "MESH/NODE", "1.23.1.0", "" },
  { "ENABLE_ENVOY_DATADOG_TRACING", "bool", "boolean", "0", "-", "one tracer only" },
  { "DATADOG_TRACER_PORT", "int", "1-65535", "8126", "-", "" },
  { "DATADOG_TRACER_ADDRESS", "text", "address", "127.0.0.1", "-", "" },
  { "DD_SERVICE", "text", "any", "envoy-MESH/NODE", "1.18.3.0", "" },
  { "ENABLE_ENVOY_JAEGER_TRACING", "bool", "boolean", "0", "1.16.1.0", "one tracer only" },
  { "JAEGER_TRACER_PORT", "int", "1-65535", "9411", "1.16.1.0", "" },
  { "JAEGER_TRACER_ADDRESS", "text", "address", "127.0.0.1", "1.16.1.0", "" },
  { "JAEGER_TRACER_VERSION", "text", "PROTO, JSON", "PROTO", "1.23.1.0", "" },
  { "APPNET_ENVOY_RESTART_COUNT", "softint", "0-10", "0 or 3, by image", "1.21.0", "" },
  { "PID_POLL_INTERVAL_MS", "softint", "100-1000", "100", "1.21.0", "" },
  { "LISTENER_DRAIN_WAIT_TIME_S", "softint", "5-110", "20", "1.21.0", "" },
  { "HC_POLL_INTERVAL_MS", "softint", "2000-30000", "10000", "1.21.0", "" },
  { "HC_DISCONNECTED_TIMEOUT_S", "softint", "3600-604800", "604800", "1.21.0", "a proxy may be cut off for a week and still be HEALTHY" },
  { "APPNET_AGENT_ADMIN_MODE", "mode", "tcp, uds", "", "1.21.0", "unset: the agent has no page of its own" },
  { "APPNET_AGENT_HTTP_PORT", "softint", "1024-65535", "9902", "1.21.0", "" },
  { "APPNET_AGENT_HTTP_BIND_ADDRESS", "text", "address", "[::]", "1.21.0", "" },
  { "APPNET_AGENT_ADMIN_UDS_PATH", "path", "path", "/var/run/ecs/appnet_admin.sock", "1.21.0", "" },
  { "APPNET_AGENT_POLL_ENVOY_READINESS_INTERVAL_S", "softint", "seconds", "5", "1.21.0", "" },
  { "APPNET_AGENT_POLL_ENVOY_READINESS_TIMEOUT_S", "softint", "seconds", "180", "1.21.0", "" },
  { "APPNET_AGENT_LOGGING_RESET_TIMEOUT", "softint", "seconds", "300", "1.21.0", "" },
  { "APPNET_ENVOY_LOG_DESTINATION", "path", "path", "", "1.21.0", "" },
  { "APPNET_ENVOY_LOG_NAME", "text", "any", "appnet_envoy.log", "1.21.0", "" },
  { "APPNET_AGENT_MAX_LOG_FILE_SIZE", "text", "MB", "1.0", "1.21.0", "" },
  { "APPNET_AGENT_MAX_RETENTION_COUNT", "softint", "number", "5", "1.21.0", "" },
  { "ENABLE_STATS_SNAPSHOT", "softbool", "boolean", "false", "1.21.0", "" },
  { "APPNET_ENABLE_RELAY_MODE_FOR_XDS", "softbool", "boolean", "false", "1.21.0", "relay" },
  { "APPNET_MANAGEMENT_DOMAIN_NAME", "text", "name", "ecs-sc.REGION.api.aws", "1.21.0", "relay" },
  { "APPNET_MANAGEMENT_PORT", "softint", "1-65535", "443", "1.21.0", "relay" },
  { "APPNET_RELAY_LISTENER_UDS_PATH", "path", "path", "/tmp/relay_xds.sock", "1.21.0", "relay" },
  { "RELAY_STREAM_IDLE_TIMEOUT", "text", "duration", "2400s", "1.21.0", "relay" },
  { "RELAY_BUFFER_LIMIT_BYTES", "softint", "bytes", "10485760", "1.21.0", "relay" },
  { "ECS_CONTAINER_INSTANCE_ARN", "text", "ARN", "", "-", "Service Connect only" },
  { "APPNET_CONTAINER_IP_MAPPING", "text", "JSON", "", "-", "Service Connect only" },
  { "APPNET_LISTENER_PORT_MAPPING", "text", "JSON", "", "-", "Service Connect only" },
  { "APPNET_FIPS_MODE_ENABLED", "any", "boolean", "", "-", "Service Connect only" },
  { "NAMESPACE_NAME", "text", "any", "", "-", "Service Connect only" },
  { "NAMESPACE_ARN", "text", "ARN", "", "-", "Service Connect only" },
}

local ROW = {}
for _, row in ipairs(VARIABLES) do ROW[row[1]] = row end

local NAMES = { "APPMESH_RESOURCE_ARN", "APPMESH_RESOURCE_NAME", "APPMESH_VIRTUAL_NODE_NAME" }
local TRACERS = { "ENABLE_ENVOY_XRAY_TRACING", "ENABLE_ENVOY_DATADOG_TRACING", "ENABLE_ENVOY_JAEGER_TRACING" }
local LEVELS = [[^(?i)(trace|debug|info|warn|warning|error|critical|off)$]]
local IPV4, IPV6 = [[^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$]], [[^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$]]
local AGENT = { 1, 21, 0, 0 } -- images from here on hold the agent, which checks values

-- ---- containers ----

local function version_of(image)
  local tag = match(image, [[aws-appmesh-envoy:(?:arm64-|amd64-)?v(?<a>\d+)\.(?<b>\d+)\.(?<c>\d+)\.(?<d>\d+)-prod(-fips)?$]])
  return tag and { tonumber(tag.a), tonumber(tag.b), tonumber(tag.c), tonumber(tag.d) } or nil
end

local function before(left, right)
  for i = 1, 4 do
    local a, b = left[i] or 0, right[i] or 0
    if a ~= b then return a < b end
  end
  return false
end

local function numbers(text)
  local list = {}
  for number in text:gmatch("%d+") do list[#list + 1] = tonumber(number) end
  return list
end

local function value(group, name)
  local variable = group.env[name]
  return variable and variable.value ~= "" and variable.value or nil
end

-- A template's placeholder or a reference: what will stand there is not known.
local function is_open(text)
  return match(text, [=[\$|\{\{|<[A-Za-z]|^!|Fn::|%\{]=]) ~= nil
end

local function is_app_mesh(group)
  if group.image then return group.image:find("aws-appmesh-envoy", 1, true) ~= nil end
  for _, name in ipairs(NAMES) do
    if group.env[name] then return true end
  end
  return false
end

local function is_service_connect(group)
  for _, name in ipairs { "APPMESH_RESOURCE_ARN", "APPMESH_XDS_ENDPOINT" } do
    if match(value(group, name), [[:task-set/|^unix:]]) then return true end
  end
  return false
end

local function group_of(groups, record, container)
  local key = (record.workload or "") .. "\0" .. (container or "")
  if not groups[key] then
    local name = container and ((record.workload and record.workload .. "/" or "") .. container) or nil
    groups[key] = { env = {}, name = name, workload = record.workload, container = container }
    groups[#groups + 1] = groups[key]
  end
  return groups[key]
end

-- The proxies of the evidence, and whether Service Connect's were among them.
local function read_groups(ev)
  local groups, proxies, connect = {}, {}, nil
  for record in ev:each("containers") do
    local group = group_of(groups, record, record.name)
    group.image, group.record, group.platform, group.kind = record.image, record, record.platform, record.kind
  end
  for record in ev:each("env") do
    if record.name then group_of(groups, record, record.container).env[record.name] = record end
  end
  local proxy = ev:first("proxy")
  for _, group in ipairs(groups) do
    if is_service_connect(group) then
      connect = true
    elseif is_app_mesh(group) then
      group.version = version_of(group.image)
      group.kind_of = group.name and "container" or "proxy"
      group.name = group.name or proxy and proxy.node_id or "envoy"
      proxies[#proxies + 1] = group
    end
  end
  return proxies, connect or (proxy and proxy.mesh == "service-connect")
end

local function report(ev, group, slug, record, format, ...)
  return ev:report("envoy-image." .. slug, group.kind_of, group.name, format, ...):cite(record)
end

local function set_it(group, finding, name, text)
  local ecs = group.platform == "ecs"
  return finding:snippet(ecs and "set it in the task definition, and deploy the new revision" or "set it in the container", ecs and "task-definition.json" or "container.yaml",
    ecs and string.format('{ "name": "%s", "value": "%s" }\n', name, text) or string.format('- name: %s\n  value: "%s"\n', name, text))
end

-- ---- the resource's name ----

-- "arn:aws:appmesh:REGION:ACCOUNT:mesh/M/virtualNode/N" and "mesh/M/virtualNode/N" alike.
local function parse(text)
  local parts = match(text, [[^(?:arn:aws[a-z-]*:(?<service>[a-z-]+):(?<region>[a-z0-9-]+):(?<account>\d{12}|\w*):)?mesh/(?<mesh>[^/\s@]+)(?:@(?<owner>[^/\s]+))?/(?<type>virtualNode|virtualGateway)/(?<name>[^/\s]+)$]])
  if not parts or parts.service and parts.service ~= "" and not match(parts.service, "^appmesh(-preview)?$") then return nil end
  parts.short = "mesh/" .. parts.mesh .. "/" .. parts.type .. "/" .. parts.name
  return parts
end

local function has_more_env(ev, group)
  for _, list in ipairs { "k8s.pods", "aws.task_definitions" } do
    for object in ev:each(list) do
      for _, path in ipairs { "spec.containers", "containerDefinitions" } do
        for container in ev:items(object, path) do
          if container.name == group.container then
            for _, member in ipairs { "envFrom", "environmentFiles" } do
              for _ in ev:items(container, member) do return true end
            end
          end
        end
      end
    end
  end
  return false
end

-- On Kubernetes the controller's webhook fills the container when the pod is made: only a pod that runs tells.
local function is_final(ev, group)
  if group.platform == "ecs" or group.platform == "docker" then return true end
  if group.platform ~= "kubernetes" then return false end
  for status in ev:each("container_status") do
    if status.platform == "kubernetes" and status.workload == group.workload and status.name == group.container then return true end
  end
  return false
end

-- The agent ends before Envoy starts when the name is missing: an Envoy that left lines was told one, whatever the
-- manifest at hand says (an older revision, another container).
local function did_start(ev)
  for _, name in ipairs { "log.start", "log.xds_answered", "log.xds_closed", "log.config_rejected" } do
    if ev:first(name) then return true end
  end
  return false
end

local function judge_missing(ev, group)
  if not group.record or not is_final(ev, group) then return end
  if ev:state("env") == "absent" or did_start(ev) then return end
  local cut = ev:state("env") == "partial"
  if cut or has_more_env(ev, group) then
    ev:ask { evidence = "env/proxy.env", why = cut and "the manifest was read in part only: the resource's name may stand in the other part"
        or "the resource's name may come from a file of variables that is not in the evidence",
      how = "@env@" }
    return
  end
  local finding = report(ev, group, "resource-name-missing", group.record, "the container %s of App Mesh's Envoy image is not told which resource it is: APPMESH_RESOURCE_ARN is missing, so the proxy does not start", group.name)
  local old = group.version and before(group.version, { 1, 15, 0, 0 })
  set_it(group, finding, old and "APPMESH_VIRTUAL_NODE_NAME" or "APPMESH_RESOURCE_ARN",
    old and "mesh/MESH/virtualNode/NODE" or "arn:aws:appmesh:REGION:ACCOUNT:mesh/MESH/virtualNode/NODE")
end

local function judge_form(ev, group, name)
  local text = value(group, name)
  if not text or is_open(text) or parse(text) then return end
  local parts = select(2, text:gsub("/", "/")) + 1
  local finding = report(ev, group, "resource-name-malformed", group.env[name], "%s=%s names no virtual node or virtual gateway%s", name, text,
    parts < 4 and ": the agent ends with 'Unrecognized resource name format'" or "")
  if parts >= 4 and not match(text, [[\s|/$|^arn]]) then finding:confidence("likely") end
  finding:advise("write mesh/MESH/virtualNode/NODE or mesh/MESH/virtualGateway/GATEWAY, alone or as the end of the ARN: no blanks, nothing behind it",
    "aws appmesh list-virtual-nodes --mesh-name MESH --query 'virtualNodes[].arn'")
end

local function judge_names(ev, group)
  local first, found = nil, nil
  for _, name in ipairs(NAMES) do
    found = found or group.env[name]
    local text = value(group, name)
    if text then
      judge_form(ev, group, name)
      local parts = parse(text)
      if parts and not is_open(text) then
        if first and first.parts.short ~= parts.short then
          report(ev, group, "resource-name-conflict", group.env[name], "%s names %s and %s names %s: %s", first.name, first.parts.short, name, parts.short,
            group.version and before(group.version, { 1, 15, 0, 0 }) and "this image knows the second only" or "the first one counts")
            :cite(group.env[first.name]):advise("name one resource: remove the variable that is not meant")
        end
        first = first or { name = name, parts = parts }
      end
    end
  end
  if not found then judge_missing(ev, group) end
  group.resource, group.resource_name = first and first.parts, first and first.name
end

local function judge_deprecated(ev, group)
  if not group.version or before(group.version, { 1, 15, 0, 0 }) or group.env.APPMESH_RESOURCE_ARN then return end
  for _, name in ipairs { "APPMESH_VIRTUAL_NODE_NAME", "APPMESH_RESOURCE_NAME" } do
    if value(group, name) then
      local finding = report(ev, group, "deprecated-variable", group.env[name], "%s is set and APPMESH_RESOURCE_ARN is not: images from 1.15.0 on keep the old name for existing meshes only", name)
      set_it(group, finding:cite(group.record), "APPMESH_RESOURCE_ARN", is_open(value(group, name)) and "arn:aws:appmesh:REGION:ACCOUNT:mesh/MESH/virtualNode/NODE" or value(group, name))
    end
  end
end

-- A listing (list-virtual-nodes) names all resources of one type in a mesh, without their specs.
local function judge_listing(ev, group, wanted)
  local names, first = {}, nil
  for record in ev:each("aws.appmesh") do
    local name = record.virtualNodeName or record.virtualGatewayName
    if name and record.kind == wanted.type and record.meshName == wanted.mesh and not record["status.status"] and not record["metadata.uid"] then
      first = first or record
      if #names < 6 then names[#names + 1] = name end
    end
  end
  if not first then return end
  report(ev, group, "resource-name-mismatch", group.env[group.resource_name], "%s names %s, and the list of that mesh does not hold it; it holds %s", group.resource_name, wanted.short, table.concat(names, ", "))
    :confidence("likely"):cite(first)
    :advise("correct the name, or create the resource", string.format("aws appmesh list-%s --mesh-name %s", wanted.type == "virtualGateway" and "virtual-gateways" or "virtual-nodes", match(wanted.mesh, [[^[\w.-]+$]]) and wanted.mesh or "MESH"))
end

-- What the mesh itself has: a resource of that name in another mesh, or of the other kind, is what was meant.
local function judge_resource(ev, group, proxies)
  local wanted = group.resource
  if not wanted then return end
  local twin, same, live = nil, false, false
  local function look(record, mesh, type, name)
    if mesh == nil or name == nil then return end
    if mesh == wanted.mesh and type == wanted.type and name == wanted.name then same = true
    elseif name == wanted.name then twin = { record = record, text = "mesh/" .. mesh .. "/" .. type .. "/" .. name } end
  end
  for record in ev:each("aws.appmesh") do
    look(record, record.meshName, record.kind, record.virtualNodeName or record.virtualGatewayName)
  end
  for record in ev:each("k8s.appmesh") do
    local type = record.kind == "VirtualNode" and "virtualNode" or record.kind == "VirtualGateway" and "virtualGateway"
    if type then
      local name = record["spec.awsName"] or (record["metadata.name"] or "") .. "_" .. (record["metadata.namespace"] or "default")
      look(record, record["spec.meshRef.name"], type, name)
    end
  end
  if twin and not same then
    local finding = report(ev, group, "resource-name-mismatch", group.env[group.resource_name], "%s names %s; the mesh has %s", group.resource_name, wanted.short, twin.text)
      :confidence("likely"):cite(twin.record)
    set_it(group, finding, group.resource_name, twin.text)
  elseif not same then
    judge_listing(ev, group, wanted)
  end
  local proxy = #proxies == 1 and ev:first("proxy")
  local runs = proxy and parse(proxy.node_id)
  if runs and runs.short ~= wanted.short and not (twin and not same) then
    report(ev, group, "resource-name-mismatch", group.env[group.resource_name], "the proxy runs as %s, and %s names %s: it was started with another value", runs.short, group.resource_name, wanted.short)
      :confidence("likely"):cite(proxy):advise("start the proxy anew with the value that is meant")
  end
end

-- ---- region, preview ----

local function judge_region(ev, group)
  local parts, region = group.resource, value(group, "AWS_REGION")
  if parts and parts.region and parts.region ~= "" and region and not is_open(region) and region ~= parts.region and not value(group, "APPMESH_XDS_ENDPOINT") then
    local finding = report(ev, group, "region-mismatch", group.env.AWS_REGION, "AWS_REGION is %s, the resource is one of %s: the proxy asks the endpoint of a region that does not know it", region, parts.region)
      :cite(group.env[group.resource_name])
    set_it(group, finding, "AWS_REGION", parts.region)
  end
end

local function truthy(group, name)
  return match(value(group, name), [[^(1|t|T|TRUE|true|True)$]]) ~= nil
end

local function judge_preview(ev, group)
  local on, parts = truthy(group, "APPMESH_PREVIEW"), group.resource
  local region = parts and parts.region ~= "" and parts.region or value(group, "AWS_REGION")
  local text
  if on and parts and parts.service == "appmesh" then
    text = "APPMESH_PREVIEW is on and the ARN is not one of appmesh-preview"
  elseif not on and parts and parts.service == "appmesh-preview" and not value(group, "APPMESH_XDS_ENDPOINT") then
    text = "the ARN is one of appmesh-preview and APPMESH_PREVIEW is not on"
  elseif on and region and not is_open(region) and region ~= "us-west-2" then
    text = "APPMESH_PREVIEW is on in " .. region .. ": the preview channel is in us-west-2 only"
  end
  if text then
    report(ev, group, "preview-mismatch", group.env.APPMESH_PREVIEW or group.env[group.resource_name], "%s", text):cite(group.env[group.resource_name or ""])
      :advise("set both, or neither: APPMESH_PREVIEW=1 with arn:aws:appmesh-preview:us-west-2:ACCOUNT:mesh/..., else an appmesh ARN and no APPMESH_PREVIEW")
  end
end

-- ---- values ----

local function is_ip(text)
  return match(text, IPV4) ~= nil or match(text, IPV6) ~= nil
end

local function range_of(values)
  local range = match(values, [[^(?<least>\d+)-(?<most>\d+)$]])
  if range then return tonumber(range.least), tonumber(range.most) end
  return nil
end

-- Why TEXT cannot be a value of ROW; nil: it can, or nobody minds.
local function fault(row, text)
  local type, number = row[2], match(text, [[^[+-]?\d+$]]) and tonumber(text)
  local least, most = range_of(row[3])
  if (type == "bool" or type == "softbool") and not match(text, [[^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$]]) then
    return "is no boolean (1, t, true, 0, f, false)"
  elseif (type == "int" or type == "softint") and not number then
    return "is no whole number"
  elseif (type == "int" or type == "softint") and least and (number < least or number > most) then
    return "lies outside " .. row[3]
  elseif type == "rate" and not (match(text, [[^\d*\.?\d+$]]) and tonumber(text) <= 1) then
    return "is no number from 0 to 1"
  elseif type == "duration" and not match(text, [[^(\d+(\.\d+)?(ns|us|ms|s|m|h))+$]]) then
    return "is no duration with a unit, such as 5000ms"
  elseif type == "ip" and not is_ip(text) then
    return "is no IP address"
  elseif type == "mode" and not match(text, [[^(?i)(tcp|uds)$]]) then
    return "is neither tcp nor uds"
  end
  return nil
end

local OWNER = { STATSD_ADDRESS = "ENABLE_ENVOY_DOG_STATSD", STATSD_PORT = "ENABLE_ENVOY_DOG_STATSD", XRAY_DAEMON_PORT = "ENABLE_ENVOY_XRAY_TRACING",
  XRAY_SAMPLING_RATE = "ENABLE_ENVOY_XRAY_TRACING", DATADOG_TRACER_PORT = "ENABLE_ENVOY_DATADOG_TRACING", JAEGER_TRACER_PORT = "ENABLE_ENVOY_JAEGER_TRACING" }

local function judge_values(ev, group)
  for name, record in pairs(group.env) do
    local row, text = ROW[name], value(group, name)
    local why = row and text and not is_open(text) and fault(row, text)
    if why then
      local idle = OWNER[name] and not truthy(group, OWNER[name]) or value(group, "ENVOY_CONFIG_FILE")
      local hard = (row[2] == "bool" or row[2] == "int" or row[2] == "rate" or row[2] == "duration" or row[2] == "ip") and not idle
        and not (group.version and before(group.version, AGENT))
      local finding = report(ev, group, "invalid-value", record, "%s=%s %s: %s", name, text, why,
        hard and "the proxy does not start" or idle and "it has no effect as long as what it belongs to is off" or "the default (" .. row[4] .. ") stands in for it")
      if not hard then finding:severity("warning") elseif not group.version then finding:confidence("likely") end
      finding:advise(row[2] == "ip" and "write an IP address; for a host name give ENVOY_STATS_SINKS_CFG_FILE with a cluster of your own" or "set a value of: " .. row[3])
    elseif name == "ENVOY_LOG_LEVEL" and text and not is_open(text) and not match(text, LEVELS) then
      report(ev, group, "unknown-log-level", record, "ENVOY_LOG_LEVEL=%s is no level of Envoy's: the proxy logs at info and says nothing of it", text)
        :advise("set one of trace, debug, info, warn, error; off and critical hide what one wants to know")
    end
    local since = row and text and group.version and row[5] ~= "-" and row[5]
    if since and before(group.version, numbers(since)) and not (name == "APPMESH_RESOURCE_ARN" and value(group, "APPMESH_VIRTUAL_NODE_NAME")) then
      report(ev, group, "variable-too-new", record, "%s is known from image %s on, this is %s: the variable has no effect", name, since, table.concat(group.version, "."))
        :cite(group.record):advise("take a newer image, or leave the variable out")
    end
  end
end

local function judge_conflicts(ev, group)
  local on = {}
  for _, name in ipairs(TRACERS) do
    if truthy(group, name) then on[#on + 1] = name end
  end
  local file = value(group, "ENVOY_TRACING_CFG_FILE")
  if #on > 1 then
    local finding = report(ev, group, "two-tracers", group.env[on[1]], "%s are on: the proxy does not start with more than one tracer", table.concat(on, " and "))
      :advise("leave one tracer on; to send traces to two places give both to a collector, such as AWS Distro for OpenTelemetry")
    for i = 2, #on do finding:cite(group.env[on[i]]) end
    if file or group.version and before(group.version, AGENT) then finding:confidence("likely") end
  elseif #on == 1 and file then
    report(ev, group, "two-tracers", group.env[on[1]], "%s is on and ENVOY_TRACING_CFG_FILE gives another tracer: depending on the image the file wins or the proxy does not start", on[1])
      :severity("warning"):confidence("likely"):cite(group.env.ENVOY_TRACING_CFG_FILE):advise("keep one of the two")
  end
  for _, pair in ipairs { { "ENABLE_ENVOY_STATS_TAGS", "ENVOY_STATS_CONFIG_FILE" }, { "ENABLE_ENVOY_DOG_STATSD", "ENVOY_STATS_SINKS_CFG_FILE" } } do
    if truthy(group, pair[1]) and value(group, pair[2]) then
      report(ev, group, "config-file-conflict", group.env[pair[1]], "%s is on, and %s brings its own: they exclude each other, and the file wins or the proxy does not start", pair[1], pair[2])
        :cite(group.env[pair[2]]):advise("write into the file what the variable would have done, or drop the file")
    end
  end
  local whole = value(group, "ENVOY_CONFIG_FILE")
  for _, name in ipairs { "ENVOY_TRACING_CFG_FILE", "ENVOY_STATS_CONFIG_FILE", "ENVOY_STATS_SINKS_CFG_FILE", "ENVOY_RESOURCES_CONFIG_FILE", "ENABLE_ENVOY_XRAY_TRACING", "ENABLE_ENVOY_DOG_STATSD", "ENABLE_ENVOY_STATS_TAGS" } do
    if whole and value(group, name) and (not name:match("^ENABLE") or truthy(group, name)) then
      report(ev, group, "config-file-conflict", group.env[name], "ENVOY_CONFIG_FILE replaces the whole bootstrap: %s has no effect", name)
        :cite(group.env.ENVOY_CONFIG_FILE):advise("put what it would do into that file, or let the image make the bootstrap (drop ENVOY_CONFIG_FILE)")
    end
  end
end

local function judge_tracer(ev, group)
  local text = value(group, "AWS_XRAY_DAEMON_ADDRESS")
  if not text or is_open(text) or not truthy(group, "ENABLE_ENVOY_XRAY_TRACING") then return end
  local host = match(text, [=[^\[(?<host>[^\]]+)\](:\d+)?$]=]) or match(text, [[^(?<host>[^:]+):\d+$]]) or { host = text }
  if is_ip(host.host) then return end
  report(ev, group, "tracer-address", group.env.AWS_XRAY_DAEMON_ADDRESS, "AWS_XRAY_DAEMON_ADDRESS=%s is no IP address: %s", text,
    group.version and before(group.version, AGENT) and "Envoy refuses every listener that traces" or "the proxy does not start")
    :cite(group.env.ENABLE_ENVOY_XRAY_TRACING)
    :advise("run the X-Ray daemon beside the proxy and leave the variable out (127.0.0.1:2000), or give the daemon's IP address")
end

-- ---- what the agent and Envoy say ----

local function judge_lines(ev, proxies)
  local subject = #proxies == 1 and proxies[1] or nil
  local function say(slug, record, format, ...)
    local own = record.container and ((record.workload and record.workload .. "/" or "") .. record.container)
    return ev:report("envoy-image." .. slug, own and "container" or subject and subject.kind_of or "proxy", own or subject and subject.name or "envoy", format, ...):cite(record)
  end
  for record in ev:each("event.unnamed") do
    say("resource-name-missing", record, "the agent ends: no variable tells which resource this proxy is")
      :advise("set APPMESH_RESOURCE_ARN to the ARN of the virtual node or virtual gateway")
  end
  for record in ev:each("event.unreadable") do
    if not record.name:find(":task-set/", 1, true) then
      say("resource-name-malformed", record, "the agent cannot read the resource's name %s", record.name)
        :advise("write mesh/MESH/virtualNode/NODE or mesh/MESH/virtualGateway/GATEWAY, alone or as the end of the ARN")
    end
  end
  for record in ev:each("event.tracers") do
    say("two-tracers", record, "the agent ends: more than one tracer is switched on"):advise("leave one of ENABLE_ENVOY_XRAY_TRACING, ENABLE_ENVOY_DATADOG_TRACING, ENABLE_ENVOY_JAEGER_TRACING on")
  end
  for record in ev:each("event.several") do
    say("config-file-conflict", record, "the agent ends: two %s configurations, one of a variable and one of a file", record.what):advise("keep one of the two")
  end
  for record in ev:each("event.value") do
    if ROW[record.name] then
      say("invalid-value", record, "the agent ends: %s must be %s", record.name, record.want):advise("set a value of: " .. ROW[record.name][3])
    end
  end
  for record in ev:each("event.daemon") do
    say("tracer-address", record, "the agent ends: AWS_XRAY_DAEMON_ADDRESS is no IP address"):advise("leave it out (127.0.0.1:2000), or give the daemon's IP address")
  end
  -- the X-Ray daemon's port; an address of another port belongs to something else
  for record in ev:each("log.config_rejected") do
    local address = match((record.message or "") .. "\n" .. (record.rest or ""), [[malformed IP address: (?<host>[A-Za-z][\w.-]*):2000\b]])
    if address then
      say("tracer-address", record, "Envoy refuses its listener because of the address %s:2000: that is the X-Ray daemon's port, and the tracer takes an IP address only", address.host)
        :confidence("likely"):advise("set AWS_XRAY_DAEMON_ADDRESS to an IP address, or leave it out and run the daemon beside the proxy (127.0.0.1:2000)")
      ev:ask { evidence = "env/proxy.env", why = "AWS_XRAY_DAEMON_ADDRESS of the container says whether the name stands there",
        how = "@definition@" }
    end
  end
end

local function run(ev)
  local proxies, connect = read_groups(ev)
  for _, group in ipairs(proxies) do
    judge_names(ev, group)
    judge_deprecated(ev, group)
    judge_resource(ev, group, proxies)
    judge_region(ev, group)
    judge_preview(ev, group)
    judge_values(ev, group)
    judge_conflicts(ev, group)
    judge_tracer(ev, group)
  end
  if connect and #proxies == 0 then
    ev:not_applicable("ECS Service Connect: AWS sets the variables of its proxy, nobody else can")
    return
  end
  judge_lines(ev, proxies)
end

local START = { "probes.pre-initializing", "probes.initializing", "probes.command-broken", "ems-connection.not-connected", "lb-health.no-listener", "grpc-codes.resource-not-found", "grpc-codes.permission-denied", "grpc-codes.node-id-invalid" }
local LISTEN = { "config-rejected.rejected", "config-rejected.invalid-address", "config-rejected.last-good-config", "probes.pre-initializing", "probes.initializing", "lb-health.no-listener" }

return debrief.check {
  id = "envoy-image",
  title = "do the variables of the proxy's container say what they should?",
  applies = "mesh = appmesh|service-connect",
  version = "0.1.0",
  tags = { "appmesh", "ecs", "kubernetes" },
  needs = {
    "env | containers | text", "?env", "?containers", "?container_status", "?proxy", "?log.variables", "?log.config_rejected",
    "?log.start", "?log.xds_answered", "?log.xds_closed", "?aws.appmesh", "?k8s.appmesh", "?k8s.pods", "?aws.task_definitions",
  },
  events = {
    unnamed = [[APPMESH_RESOURCE_ARN environment variable must be set]],
    unreadable = [[Unrecognized resource name format: ?(?<name>[^\s"\\]*)]],
    tracers = [[Only a single envoy trace driver can be configured]],
    several = [[(?:M|m)ultiple (?<what>tracing|stats) configurations were specified]],
    value = [[(?<name>[A-Z][A-Z0-9_]+)[^A-Z\n]{0,60} must be (?<want>a boolean value|an integer value|a decimal between 0 and 1)]],
    daemon = [[AWS_XRAY_DAEMON_ADDRESS must be a static IP]],
  },
  findings = {
    ["envoy-image.resource-name-missing"] = { title = "the proxy is not told which resource it is", severity = "error", explains = START },
    ["envoy-image.resource-name-malformed"] = { title = "the resource's name cannot be read", severity = "error", explains = START },
    ["envoy-image.resource-name-mismatch"] = { title = "the resource's name is not the mesh's", severity = "error", explains = START },
    ["envoy-image.resource-name-conflict"] = { title = "two names for one proxy", severity = "warning", explains = START },
    ["envoy-image.deprecated-variable"] = { title = "an old variable for a new image", severity = "warning" },
    ["envoy-image.unknown-log-level"] = { title = "a log level that Envoy does not know", severity = "warning" },
    ["envoy-image.invalid-value"] = { title = "a variable's value is not of its type", severity = "error", explains = START },
    ["envoy-image.two-tracers"] = { title = "more than one tracer", severity = "error", explains = START },
    ["envoy-image.tracer-address"] = { title = "the X-Ray address is no IP address", severity = "error", explains = LISTEN },
    ["envoy-image.config-file-conflict"] = { title = "a variable and a file exclude each other", severity = "warning" },
    ["envoy-image.variable-too-new"] = { title = "a variable that the image does not know", severity = "warning" },
    ["envoy-image.region-mismatch"] = { title = "region and resource do not belong together", severity = "error",
      explains = { "ems-connection.wrong-endpoint", "grpc-codes.resource-not-found", "grpc-codes.permission-denied", "ems-connection.not-connected", "probes.pre-initializing" } },
    ["envoy-image.preview-mismatch"] = { title = "preview channel and resource do not belong together", severity = "warning",
      explains = { "grpc-codes.resource-not-found", "grpc-codes.permission-denied" } },
  },
  run = run,
}
