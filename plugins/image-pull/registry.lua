-- Section image-pull: the way to the registry and to the storage of its layers. Names that do not resolve, connections
-- without an answer, TLS, HTTP proxies, storage that refuses, and limits on the rate of pulls; where the rules of the
-- network are given, which of them closes the way.

local match = debrief.match
local ecr, way, pulls = debrief.use "ecr", debrief.use "aws_way", debrief.use "pulls"
local because = debrief.use("pull_rights").because
local ecr_of, safe = ecr.of, ecr.safe
local registry_of, region_of, what = pulls.registry_of, pulls.region_of, pulls.what

local REPORT = {}

-- ---- the network ----

local function fix_network(f, pull)
  local region = region_of(pull) or "REGION"
  if registry_of(pull) == "public.ecr.aws" then
    f:advise("public.ecr.aws has no VPC endpoint: a private subnet reaches it through a NAT gateway only")
    return
  end
  f:advise("a task or node in a public subnet needs a public address (assignPublicIp ENABLED) and a route to an internet gateway; in a private subnet, a route to a NAT gateway or the endpoints below", "aws ec2 describe-route-tables --filters Name=association.subnet-id,Values=SUBNET")
    :advise(string.format("without a way to the internet: interface endpoints com.amazonaws.%s.ecr.api and com.amazonaws.%s.ecr.dkr with private DNS, a gateway endpoint com.amazonaws.%s.s3 in the route table, and com.amazonaws.%s.logs for awslogs", region, region, region, region), "aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values=VPC")
    :advise("security groups: port 443 outbound on the task's or node's, port 443 inbound on the endpoints'", "aws ec2 describe-security-groups --group-ids SG")
end

-- A private address answers for an interface endpoint, a public one for the way to the internet.
local function where_it_ends(text)
  local dial = match(text, [[dial tcp (?<ip>[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+):]])
  if not dial then return "" end
  if match(dial.ip, [[^(?:10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.)]]) then
    return string.format("; %s is a private address, so an interface endpoint exists and its security group is the first suspect", dial.ip)
  end
  return string.format("; %s is a public address, so the way to the internet is missing (NAT, public address or outbound rule)", dial.ip)
end

-- What the network's rules given say of the way to HOST: { decision, why, record, reason }; nil: nothing.
local function judge_way(ev, pull, host)
  local from = way.start(ev, pull.record.workload)
  if not from or not host or not way.told(ev) then return nil end
  local decision, why, record, reason = ev:path{ from = from, to = host, port = 443 }
  return { decision = decision, why = why, record = record, reason = reason }
end

local function use_way(ev, f, judged)
  if not judged then return end
  f:cite(judged.decision ~= "undecidable" and judged.record or nil)
  if judged.decision == "closed" then way.fix(f, judged.why, judged.reason) end
  if judged.decision == "undecidable" then way.ask(ev, judged.why, judged.reason) end
end

-- Where the connection went that got no answer.
local function host_asked(pull, auth)
  local region = region_of(pull)
  if auth then return region and "api.ecr." .. region .. ".amazonaws.com" end
  return ecr_of(pull.image) and ecr_of(pull.image).host or registry_of(pull)
end

REPORT["network-unreachable"] = function(ev, pull, report)
  local auth = match(pull.text, [[(?i)registry auth|GetAuthorizationToken|api\.ecr\.]])
  local judged = judge_way(ev, pull, host_asked(pull, auth))
  local closed, open = because(judged, "closed"), judged and judged.decision == "open"
  local f = report("network-unreachable", "%s cannot be reached to pull %s: no answer to the connection%s",
    auth and "the registry's API (credentials)" or "registry " .. registry_of(pull), what(pull), closed ~= "" and closed or where_it_ends(pull.text))
  if match(pull.text, [[(?i)context canceled]]) and not match(pull.text, [[(?i)timeout|dial tcp|Client\.Timeout|connection]]) then
    f:confidence("likely"):advise("a task or pod that is stopped while it pulls prints the same: see whether a deployment or a scale-in ended it")
  end
  use_way(ev, f, judged)
  if open then f:advise("the rules given leave the way open (" .. judged.why .. "): look at what they do not show, a firewall, the NAT gateway itself, or rules changed since") end
  fix_network(f, pull)
  if ecr_of(pull.image) or pull.platform == "ecs" then
    way.ask_all(ev, pull.platform == "ecs" and pull.record.workload, "the text does not say which part of the way is closed: security group, route or endpoint")
  end
end

-- The runtime pulls through an HTTP proxy, and gets no further.
REPORT["proxy-fails"] = function(_, pull, report)
  local dial = match(pull.text, [[proxyconnect tcp: (?<why>[^"\n]{1,160})]])
  report("network-unreachable", "the HTTP proxy of the container runtime does not let the pull of %s through: %s", what(pull),
    dial and dial.why or "it wants a login")
    :advise("see which proxy the runtime itself uses; its settings are not those of the pods", "systemctl show --property=Environment docker containerd kubelet")
    :advise("correct it, or take the registry off it (NO_PROXY), and restart the runtime; private registries and the VPC's own endpoints belong into NO_PROXY")
end

-- An interface endpoint whose names do not resolve to it.
local function without_private_dns(ev)
  for endpoint in ev:each("aws.vpc_endpoints") do
    if match(endpoint.ServiceName or "", [[\.ecr\.(?:api|dkr)$]]) and endpoint.PrivateDnsEnabled == "false" then return endpoint end
  end
end

REPORT["dns-failed"] = function(ev, pull, report)
  local name = match(pull.text, [[lookup (?<name>[^\s:]+)]])
  local endpoint = without_private_dns(ev)
  local f = report("dns-failed", "the registry's name %s does not resolve where %s is pulled%s", name and name.name or registry_of(pull), what(pull),
    endpoint and string.format("; VPC endpoint %s for %s has no private DNS, so the name is left to the resolver", endpoint.id, endpoint.ServiceName) or ""):cite(endpoint)
  if endpoint then
    f:advise("turn private DNS on for the endpoint", "aws ec2 modify-vpc-endpoint --vpc-endpoint-id " .. safe(endpoint.id, "VPCE") .. " --private-dns-enabled")
  end
  f:advise("look the name up on the node or in the task's subnet", "getent hosts " .. safe(name and name.name, registry_of(pull)))
    :advise("with interface endpoints: private DNS must be on, and the VPC's enableDnsSupport and enableDnsHostnames too", "aws ec2 describe-vpc-endpoints --query 'VpcEndpoints[].[ServiceName,PrivateDnsEnabled]'")
    :advise("and the region in the image's name must exist")
end

-- ---- TLS ----

REPORT["tls-untrusted"] = function(ev, pull, report)
  local why = match(pull.text, [[x509: (?<why>[^"\n]{1,160})]])
  report("tls-untrusted", "the certificate that answers for registry %s is not trusted%s", registry_of(pull), why and ": " .. why.why or "")
    :advise("see who answers there: a proxy that inspects TLS shows its own authority", "openssl s_client -connect " .. registry_of(pull) .. ":443 -showcerts </dev/null")
    :advise("add that authority to the node's trust store and restart the runtime, or take the registry off inspection")
end

-- Docker and containerd ask with TLS unless told otherwise.
REPORT["plain-http"] = function(_, pull, report)
  report("plain-http", "registry %s does not speak TLS on that port, and the runtime asks with TLS", registry_of(pull))
    :advise("give the registry a certificate, or name its TLS port in the image", "curl -v https://" .. registry_of(pull) .. "/v2/")
    :advise("or declare it as insecure on every node: Docker's insecure-registries, containerd's hosts.toml", "mkdir -p /etc/containerd/certs.d/" .. registry_of(pull) .. " && printf '[host.\"http://" .. registry_of(pull) .. "\"]\n' > /etc/containerd/certs.d/" .. registry_of(pull) .. "/hosts.toml")
end

-- ---- layers ----

-- The policy of a gateway endpoint for S3 that keeps layers back: { why, record }; nil: none does.
local function layers_forbidden(ev, pull)
  local bucket = string.format("arn:aws:s3:::prod-%s-starport-layer-bucket/layer", region_of(pull) or "REGION")
  for endpoint in ev:each("aws.vpc_endpoints") do
    if endpoint.id and match(endpoint.ServiceName or "", [[\.s3$]]) then
      local decision, why, record = ev:iam{ endpoint = endpoint.id, action = "s3:GetObject", resource = bucket }
      if decision == "denied" then return { decision = decision, why = why, record = record } end
    end
  end
end

REPORT["layer-download-blocked"] = function(ev, pull, report)
  local bucket = match(pull.text, [[(?<host>[\w.-]*(?:s3[.-]|starport|cloudfront|cloudflare)[\w.-]*)]])
  local region = region_of(pull)
  local layers = ecr_of(pull.image) and region and "prod-" .. region .. "-starport-layer-bucket.s3." .. region .. ".amazonaws.com"
  local forbidden = layers_forbidden(ev, pull)
  local judged = not forbidden and judge_way(ev, pull, layers or bucket and bucket.host) or nil
  local f = report("layer-download-blocked", "the manifest of %s was read, but its layers cannot be downloaded%s%s", what(pull), bucket and " from " .. bucket.host or "",
    because(forbidden) .. because(judged, "closed"))
  if forbidden then f:cite(forbidden.record) end
  use_way(ev, f, judged)
  f:advise("layers of Amazon ECR come from S3: private subnets need the gateway endpoint for S3 in their route table, and outbound rules must allow its prefix list", "aws ec2 describe-vpc-endpoints --filters Name=service-name,Values=com.amazonaws." .. (region or "REGION") .. ".s3")
    :advise("an endpoint policy must allow s3:GetObject on arn:aws:s3:::prod-" .. (region or "REGION") .. "-starport-layer-bucket/*")
end

-- Of an image named by its tag the manifest was read, and then a layer refused.
REPORT["layers-refused"] = function(ev, pull, report)
  REPORT["layer-download-blocked"](ev, pull, function(slug, ...)
    return report(slug, ...):confidence("likely"):candidate("image-pull.access-denied",
      { ["for"] = "whoever may read manifests and not layers (ecr:GetDownloadUrlForLayer) gets 403 too" })
  end)
end

-- What the storage behind the registry says in its own words (S3, a CDN), when it hands out no layer.
REPORT["storage-refuses"] = function(ev, pull, report)
  local code = match(pull.text, [[<Code>(?<code>\w+)</Code>]]) or match(pull.text, [[<(?i:title)>(?<code>[^<\n]{1,80})<]])
  if match(pull.text, [[(?i)Request has expired]]) then
    report("layer-download-blocked", "the manifest of %s was read, and the storage of its layers says that the link to them has expired: too slow a line, or a clock that is wrong", what(pull)):confidence("likely")
      :advise("compare the clock with another one, and pull again", "date -u; timedatectl")
    return
  end
  local f = report("layer-download-blocked", "the manifest of %s was read, but the storage of its layers refuses them%s", what(pull), code and " (" .. code.code .. ")" or "")
  if match(pull.text, [[<Error>\s*<Code>AccessDenied|\\n<Error><Code>AccessDenied]]) then
    local forbidden = layers_forbidden(ev, pull)
    f:cite(forbidden and forbidden.record):advise("that is S3's own answer: on AWS the policy of a gateway endpoint for S3 must allow s3:GetObject on the registry's bucket (Docker Hub: docker-images-prod; Amazon ECR: prod-REGION-starport-layer-bucket)",
      "aws ec2 describe-vpc-endpoints --query 'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]'")
    if not forbidden then
      ev:ask{ evidence = "aws.vpc_endpoints", why = "the policy of the endpoint for S3 tells which buckets it lets through", how = "aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values=VPC --output json" }
    end
  else
    f:confidence("likely"):advise("see who answers: a filter or proxy on the way, a CDN that blocks the country, or the registry's own storage; the same pull from another network tells", "docker pull " .. safe(pull.image, "IMAGE"))
  end
end

-- ---- limits ----

-- The kubelet holds back pulls of its own accord, and tries again.
REPORT["own-limit"] = function(_, pull, report)
  report("rate-limited", "the kubelet itself puts off the pull of %s: more pulls at once than its registryPullQPS and registryBurst allow", what(pull))
    :advise("wait: it tries again by itself; if many pods start at once, raise registryPullQPS and registryBurst in the kubelet's configuration, or let pods reuse images (imagePullPolicy IfNotPresent)", "kubectl get --raw /api/v1/nodes/NODE/proxy/configz")
end

REPORT["rate-limited"] = function(ev, pull, report)
  report("rate-limited", "registry %s limits the rate of pulls, and the limit is reached", registry_of(pull))
    :advise("log in: limits for anonymous pulls count per address, which all nodes behind one NAT gateway share", "docker login " .. registry_of(pull))
    :advise("or mirror the image into a registry of your own (an ECR pull-through cache does that)")
end

-- ---- the check ----

local ECR_GUIDE = pulls.ECR_GUIDE
local REFERENCES = {
  ["network-unreachable"] = { ECR_GUIDE .. "vpc-endpoints.html" },
  ["layer-download-blocked"] = { ECR_GUIDE .. "vpc-endpoints.html" },
  ["dns-failed"] = { ECR_GUIDE .. "vpc-endpoints.html" },
  ["tls-untrusted"] = { "https://docs.docker.com/engine/security/certificates/" },
  ["plain-http"] = { "https://docs.docker.com/reference/cli/dockerd/#insecure-registries", "https://github.com/containerd/containerd/blob/main/docs/hosts.md" },
  ["rate-limited"] = { "https://docs.docker.com/docker-hub/usage/pulls/" },
}

return debrief.check {
  id = "image-pull/registry",
  title = "can the registry and the storage of its layers be reached?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = pulls.needs({
    "?aws.services", "?aws.container_instances", "?aws.network_interfaces", "?aws.subnets", "?aws.security_groups",
    "?aws.security_group_rules", "?aws.network_acls", "?aws.route_tables", "?aws.prefix_lists",
  }),
  events = pulls.events(),
  findings = {
    ["image-pull.network-unreachable"] = { title = "the registry cannot be reached", severity = "error" },
    ["image-pull.layer-download-blocked"] = { title = "the image's layers cannot be downloaded", severity = "error" },
    ["image-pull.dns-failed"] = { title = "the registry's name does not resolve", severity = "error" },
    ["image-pull.tls-untrusted"] = { title = "the registry's certificate is not trusted", severity = "error" },
    ["image-pull.plain-http"] = { title = "the registry does not speak TLS", severity = "error" },
    ["image-pull.rate-limited"] = { title = "the registry limits the rate of pulls", severity = "error" },
  },
  run = function(ev) pulls.report(ev, REPORT, REFERENCES) end,
}
