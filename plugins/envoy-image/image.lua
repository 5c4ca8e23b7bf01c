-- Whether the version of the proxy is one that its control plane still takes: by what the control plane says, and by the
-- tag of App Mesh's image.

local match = debrief.match

local OLDEST, LAST = { 1, 17, 2, 0 }, "v1.39.1.0-prod"

local function version_of(image)
  local tag = match(image, [[aws-appmesh-envoy:(?:arm64-|amd64-)?v(?<a>\d+)\.(?<b>\d+)\.(?<c>\d+)\.(?<d>\d+)-prod(-fips)?(@sha256:[0-9a-f]+)?$]])
  return tag and { tonumber(tag.a), tonumber(tag.b), tonumber(tag.c), tonumber(tag.d) } or nil
end

local function is_old(version)
  for i = 1, 4 do
    if version[i] ~= OLDEST[i] then return version[i] < OLDEST[i] end
  end
  return false
end

local function registry_of(image)
  local at = match(image, [[^\d{12}\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.]])
  return at and debrief.registry(at.region).host or "public.ecr.aws/appmesh"
end

local function judge_image(ev, record, seen)
  local version = version_of(record.image)
  local name = (record.workload and record.workload .. "/" or "") .. (record.name or "envoy")
  if not version or not is_old(version) or seen[name] then return end
  seen[name] = true
  ev:report("envoy-image.old-image", "container", name, "%s is older than v1.17.2.0-prod, the oldest image that App Mesh has served since 2023-06-30", (record.image:gsub("^.*/", "")))
    :cite(record):advise("take the last image, " .. LAST .. ", or one of the line that you have tested", nil)
    :snippet("the image's new name", "image.txt", registry_of(record.image) .. "/aws-appmesh-envoy:" .. LAST .. "\n")
    :reference("https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy.html")
end

local function judge_words(ev)
  for record in ev:each("event.refused") do
    local version = record.version or record.other or "of the proxy"
    ev:report("envoy-image.version-unsupported", "proxy", "envoy", "the control plane does not take Envoy %s", version):cite(record)
      :advise("run a version that the control plane's compatibility table names, for every proxy, before the control plane is updated")
  end
end

local function run(ev)
  local seen = {}
  for record in ev:each("containers") do judge_image(ev, record, seen) end
  for record in ev:each("container_status") do judge_image(ev, record, seen) end
  judge_words(ev)
end

return debrief.check {
  id = "envoy-image/version",
  title = "is the proxy's version one that its control plane takes?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "appmesh", "consul" },
  needs = { "containers | container_status | text", "?containers", "?container_status" },
  events = {
    refused = {
      pattern = [[\benvoy(?: proxy)?(?: version)?:? "?v?(?<version>\d+\.\d+[\d.]*)"?,? (?:is )?(?:too old|not supported|no longer supported|unsupported)|(?:unsupported|incompatible) envoy(?: proxy)? version:? "?v?(?<other>\d+\.\d+[\d.]*)]],
      caseless = true,
    },
  },
  findings = {
    ["envoy-image.old-image"] = { title = "an image older than App Mesh serves", severity = "warning",
      explains = { "grpc-codes.permission-denied", "grpc-codes.internal", "grpc-codes.unimplemented", "envoy-image.version-unsupported" } },
    ["envoy-image.version-unsupported"] = { title = "the control plane refuses this version of Envoy", severity = "error",
      explains = { "grpc-codes.permission-denied", "grpc-codes.unimplemented", "grpc-codes.internal", "grpc-codes.unknown-code", "ems-connection.not-connected", "probes.pre-initializing", "config-rejected.unknown-field" } },
  },
  run = run,
}
