-- What the Kubernetes side of a mesh says in words: the mesh's controller, the API server about its admission
-- webhooks, kubectl in front of both. Lines of the proxy itself are other sections'. The ids mean the same for App
-- Mesh, Istio, Consul and whatever else injects proxies.

local match = debrief.match

local MESH_HOOK = [[(?i)appmesh|istio|consul|envoy|contour|kuma|linkerd|gloo|gateway|ambassador|osm|sidecar|inject|galley|pilot]]
local MESH_ACCOUNT = [[(?i)appmesh|app-mesh|istio|consul|envoy-gateway|contour|kuma|linkerd|gloo|connect-inject]]
local MESH_KIND = [[^(Mesh|Virtual(Node|Service|Router|Gateway)|GatewayRoute|BackendGroup|DestinationRule|Gateway|GatewayClass|ServiceEntry|Sidecar|EnvoyFilter|WorkloadEntry|WorkloadGroup|PeerAuthentication|RequestAuthentication|AuthorizationPolicy|Telemetry|ProxyConfig|WasmPlugin|HTTPRoute|GRPCRoute|TLSRoute|TCPRoute|ReferenceGrant|ServiceDefaults|ServiceIntentions|ServiceResolver|ServiceRouter|ServiceSplitter|ProxyDefaults|IngressGateway|TerminatingGateway|HTTPProxy|EnvoyProxy|BackendTrafficPolicy|ClientTrafficPolicy|SecurityPolicy)$]]

-- Fields that only resources of a mesh have, for a message that does not name the kind.
local MESH_FIELD = [[unknown field \\?"spec\.(?:backendDefaults|backends|podSelector\.|meshRef|awsName|egressFilter|virtual\w+Ref|gatewayRouteRef|serviceDiscovery|logging\.accessLog|listeners\[\d+\]\.(?:portMapping|tls\.mode|connectionPool|outlierDetection|healthCheck)|(?:http|http2|grpc|tcp)Route|trafficPolicy|subsets|configPatches|workloadSelector|servers\[|peers|mtls)]]

local CONTROLLER = [[(?i)appmesh|app-mesh|virtual(node|service|router|gateway)|mesh-controller|\b(controller|reconciler kind)(=|": ?")(mesh|gatewayroute|backendgroup)\b]]

local function speaks_of_mesh(ev, text)
  if match(text, [[(?i)virtual ?(node|service|router|gateway)|gateway ?route|\bmesh\b|appmesh|TLS Validation|listener]]) then return true end
  if ev:first("k8s.appmesh") then return true end
  local proxy = ev:first("proxy")
  return proxy ~= nil and proxy.mesh == "appmesh"
end

local function cut(text, max)
  text = (text or ""):gsub("%s+$", "")
  return #text > (max or 240) and text:sub(1, max or 240) .. " ..." or text
end

-- ---- namespaces, meshes, selectors ----

local function judge_no_mesh(ev)
  for record in ev:each("event.no_mesh") do
    local meshes = 0
    local finding = ev:report("mesh-controller.namespace-not-selected", "namespace", record.namespace,
      "no Mesh selects the namespace %s: App Mesh resources and pods there are refused", record.namespace):cite(record)
    for mesh in ev:each("k8s.appmesh") do
      if mesh.kind == "Mesh" then finding:cite(mesh) meshes = meshes + 1 end
    end
    if meshes == 0 then
      finding:confidence("likely"):candidate("mesh-controller.mesh-missing", { ["for"] = "there may be no Mesh object at all" })
      ev:ask { evidence = "k8s/meshes.json", why = "whether there is a Mesh, and which label its namespaceSelector wants",
        how = "kubectl get meshes.appmesh.k8s.aws -o json; kubectl get namespace " .. record.namespace .. " -o json" }
    end
    finding:advise("see which label the Mesh wants", "kubectl get meshes.appmesh.k8s.aws -o jsonpath='{range .items[*]}{.metadata.name} {.spec.namespaceSelector}{\"\\n\"}{end}'")
      :advise("give the namespace that label (a label, not an annotation), and create the resource again",
        "kubectl label namespace " .. record.namespace .. " mesh=MESH appmesh.k8s.aws/sidecarInjectorWebhook=enabled")
  end
end

local function judge_mesh_missing(ev)
  for record in ev:each("event.mesh_gone") do
    local mesh = record.mesh or record.mesh2 or record.mesh3
    local name = record.name or mesh or "unknown"
    local subject = mesh and "mesh" or "virtual-node"
    ev:report("mesh-controller.mesh-missing", subject, name, mesh and "the mesh %s does not exist"
      or "the mesh that %s names does not exist: the controller makes nothing of it", name)
      :cite(record)
      :advise("see which meshes there are, and which one the resource names", "kubectl get meshes.appmesh.k8s.aws; kubectl get virtualnodes.appmesh.k8s.aws -A -o yaml | grep -i -A2 mesh")
      :advise("correct the name, or create the mesh; in a mesh shared from another account set meshOwner")
  end
end

local function judge_ambiguous(ev)
  for record in ev:each("event.several") do
    local what = record.what:lower()
    ev:report("mesh-controller.ambiguous-selector", what, record.name,
      "several %s select the %s %s%s: the webhook cannot tell which one is meant and refuses it", record.kind, what, record.name,
      record.found and record.found ~= "" and " (" .. record.found .. ")" or "")
      :cite(record)
      :advise(what == "pod" and "give each VirtualNode and VirtualGateway a podSelector that no other one shares"
        or string.format("let one of the %s alone select the namespace: narrow the namespaceSelector of the others (a namespaceSelector that is empty selects every namespace)", record.kind),
        what == "namespace" and string.format("kubectl get %s.appmesh.k8s.aws -A -o yaml | grep -A4 -i -E 'namespaceSelector|^    name:'; kubectl get namespace %s --show-labels", record.kind:lower(), record.name) or nil)
  end
  for record in ev:each("event.both") do
    ev:report("mesh-controller.ambiguous-selector", "pod", record.pod, "both the VirtualNode %s and the VirtualGateway %s select the pod %s",
      record.node, record.gateway, record.pod):cite(record):advise("set a podSelector on one of them that leaves the other's pods out")
  end
end

local function judge_not_injected(ev)
  for record in ev:each("event.unselected") do
    local name = record.workload or "pods"
    ev:report("mesh-controller.not-injected", "pod", name,
      "injection is asked for, but no VirtualNode or VirtualGateway selects the pod, or the one that does has no mesh yet"):cite(record)
      :advise("let the podSelector of a VirtualNode match the pod's labels, in the same namespace", "kubectl get virtualnodes.appmesh.k8s.aws -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name} {.spec.podSelector}{\"\\n\"}{end}'")
      :advise("create Mesh and VirtualNode first, then the pods")
  end
end

-- ---- refused resources ----

local function refused(ev, record, kind, name, why)
  return ev:report("mesh-controller.resource-refused", kind, name, "the API refuses %s: %s", name, cut(why)):cite(record)
end

-- What each of the API's errors asks for.
local REFUSALS = {
  BadRequestException = { { "correct the spec: App Mesh's API takes it as it stands in its reference, and the controller tries again by itself",
    "kubectl describe virtualnodes,virtualgateways,virtualrouters,virtualservices -A" } },
  LimitExceededException = {
    { "the spec is well: a quota of the account is reached. See what is no longer used, and have the quota raised",
      "aws service-quotas list-service-quotas --service-code appmesh" },
    { "the controller tries again by itself" } },
  ResourceInUseException = { { "something still refers to it: take it out of routes, routers and services first, then it can go",
    "kubectl get virtualrouters,virtualservices,gatewayroutes -A -o yaml" } },
  ConflictException = { { "the mesh has another resource of that name, made elsewhere or still being deleted: remove that one, or give this one another awsName",
    "aws appmesh list-virtual-nodes --mesh-name MESH" } },
}

-- The admission of pods refuses what the injector added to them.
local function judge_admission(ev)
  for record in ev:each("event.forbidden_pod") do
    local text = record.message or record.rest
    local by = match(text, [[violates PodSecurity "(?<level>[^"]+)"]])
    if match(text, [[istio-init|istio-proxy|proxyinit|proxy-init|consul-connect-inject-init|linkerd-init|osm-init|kuma-init|NET_ADMIN]]) then
      ev:report("mesh-controller.resource-refused", "pod", record.pod, "the cluster refuses the pods %s: what the injector adds (an init container with NET_ADMIN) breaks %s", record.pod,
        by and "PodSecurity " .. by.level or "its security constraints"):cite(record)
        :advise("use the mesh's CNI plugin: then no container of the pod needs NET_ADMIN", "istioctl install --set components.cni.enabled=true")
        :advise("or let the namespace have such pods", by and "kubectl label --overwrite namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged"
          or "oc adm policy add-scc-to-group privileged system:serviceaccounts:NAMESPACE")
    end
  end
end

local function judge_refused(ev)
  for record in ev:each("event.denied") do
    local known = match(record.rest, [[failed to find matching mesh|found multiple matching|sidecarInject enabled]])
    if match(record.hook, MESH_HOOK) and not known then
      refused(ev, record, "webhook", record.hook, record.rest):advise("correct what the message names, and apply it again")
        :advise("istioctl analyze and kubectl apply --dry-run=server find the same before anything changes")
    end
  end
  for record in ev:each("event.bad_request") do
    local text = (record.message or "") .. " " .. (record.rest or "")
    if speaks_of_mesh(ev, text) then
      local resource = match(text, [[(?i)\b(?:virtualNode|virtualService|virtualRouter|virtualGateway|gatewayRoute|mesh|request|name)(?:": ?"|=)/?(?<name>[\w./-]+)]])
      local name = resource and resource.name or "App Mesh resource"
      -- What the SDK adds of the exchange says nothing more.
      local why = record.rest:gsub("\\n", " "):gsub("%s*{.*", ""):gsub("%s+", " ")
      local finding = refused(ev, record, "virtual-node", name, record.error .. ": " .. why)
      for _, step in ipairs(REFUSALS[record.error] or REFUSALS.BadRequestException) do finding:advise(step[1], step[2]) end
      finding:reference("https://docs.aws.amazon.com/app-mesh/latest/APIReference/Welcome.html")
    end
  end
  for record in ev:each("event.invalid") do
    if match(record.kind, MESH_KIND) then
      refused(ev, record, record.kind, record.name, record.rest):advise("correct the field that the message names", "kubectl explain " .. record.kind:lower() .. ".spec")
    end
  end
  for record in ev:each("event.unknown_kind") do
    if match(record.kind, MESH_KIND) then
      ev:report("mesh-controller.resource-refused", record.kind, record.kind, "the cluster does not know the kind %s of %s: its definition (CRD) is not installed, or in another version", record.kind, record.version)
        :cite(record):advise("install the controller's CRDs in the version that the manifest is written for", "kubectl api-resources --api-group=" .. record.version:gsub("/.*", ""))
    end
  end
  for record in ev:each("event.strict") do
    local of_mesh = record.kind and match(record.kind, MESH_KIND) or not record.kind and (match(record.rest, MESH_FIELD) or ev:first("k8s.appmesh"))
    if of_mesh then
      refused(ev, record, record.kind or "manifest", record.kind or "a manifest of the mesh", record.rest)
        :advise("correct the field that the message names: it is none in the version of the CRD that the cluster has",
          "kubectl explain " .. (record.kind or "virtualnode"):lower() .. ".spec --recursive")
        :advise("where the manifest is right, bring the CRDs to the version that it is written for", "kubectl get crd -o custom-columns=NAME:.metadata.name,VERSIONS:.spec.versions[*].name")
    end
  end
  for record in ev:each("event.bad_field") do
    if match(record.kind, MESH_KIND) then
      refused(ev, record, record.kind, record.kind, record.rest):advise("correct the field that the message names", "kubectl explain " .. record.kind:lower() .. ".spec")
    end
  end
end

-- ---- permissions and accounts ----

local function judge_permissions(ev)
  for record in ev:each("event.aws_denied") do
    local text = record.message or ""
    -- A command line's own refusal, or an application's, is not the controller's.
    local by_hand = match(text, [[when calling the \w+ operation]])
    local by_controller = record.action:find("^appmesh:") or match(text, [[(?i)reconcil|error syncing|virtual ?node|appmesh]]) or match((record.workload or "") .. (record.container or ""), MESH_ACCOUNT)
    if record.action ~= "appmesh:StreamAggregatedResources" and not by_hand and by_controller then
      ev:report("mesh-controller.permission-missing", "role", record.who or "the controller's role",
        "the mesh's controller may not do %s", record.action):cite(record)
        :advise("allow it in a policy of the role that the controller runs with (AWSAppMeshFullAccess and AWSCloudMapFullAccess, or the controller's own policy)",
          "kubectl -n appmesh-system get serviceaccount appmesh-controller -o jsonpath='{.metadata.annotations}'")
        :advise("when the ARN is the node's role, the controller's service account is not bound to its own role: set the annotation eks.amazonaws.com/role-arn and restart it",
          "kubectl -n appmesh-system rollout restart deployment appmesh-controller")
    end
  end
  for record in ev:each("event.web_identity") do
    local who = (record.workload or "") .. (record.container or "") .. (record.image or "") .. (record.message or "")
    if match(who, CONTROLLER) then
      ev:report("mesh-controller.permission-missing", "role", "the controller's role",
        "the mesh's controller may not take on its role: %s", cut(record.why, 160)):cite(record)
        :advise("let the role's trust policy name this cluster's OIDC provider and the service account (system:serviceaccount:appmesh-system:appmesh-controller)", "eksctl utils associate-iam-oidc-provider --cluster CLUSTER --approve")
    end
  end
  for record in ev:each("event.credentialless") do
    if match((record.workload or "") .. (record.container or "") .. (record.message or ""), CONTROLLER) then
      ev:report("mesh-controller.permission-missing", "role", "the controller's role", "the mesh's controller has no credentials for AWS at all: %s", cut(record.message, 160)):cite(record)
        :candidate("mesh-controller.service-account-missing", { ["for"] = "without the annotation eks.amazonaws.com/role-arn on its service account it falls back to the instance's metadata" })
        :candidate("ems-connection.metadata-unreachable", { ["for"] = "the instance's metadata do not answer pods where the hop limit is 1" })
        :advise("bind its service account to a role, and restart it", "kubectl -n appmesh-system get serviceaccount appmesh-controller -o jsonpath='{.metadata.annotations}'")
        :advise("or let pods reach the node's metadata", "aws ec2 modify-instance-metadata-options --instance-id INSTANCE --http-put-response-hop-limit 2")
    end
  end
  for record in ev:each("event.forbidden") do
    if match(record.account, MESH_ACCOUNT) then
      ev:report("mesh-controller.permission-missing", "service-account", record.account:gsub(":", "/"),
        "%s may not %s %s in the cluster", record.account, record.verb, record.resource):cite(record)
        :advise("grant it: install the chart's ClusterRole and binding of this very version of the controller",
          string.format("kubectl auth can-i %s %s --as=system:serviceaccount:%s", record.verb, record.resource, record.account))
    end
  end
end

local function judge_accounts(ev)
  for record in ev:each("event.no_account") do
    local name = record.namespace and record.namespace .. "/" .. record.account or record.account
    ev:report("mesh-controller.service-account-missing", "service-account", name,
      "the service account %s does not exist, so no pod that names it is made", name):cite(record)
      :advise("create it in the pods' namespace, or correct serviceAccountName",
        "kubectl create serviceaccount " .. record.account .. (record.namespace and " -n " .. record.namespace or ""))
  end
end

-- ---- webhooks ----

local function is_certificate(why)
  return match(why, [[(?i)x509|certificate|tls: |remote error: tls]]) ~= nil
end

local function judge_webhooks(ev)
  for record in ev:each("event.webhook") do
    local why = record.rest ~= "" and record.rest or record.message
    -- In a log of JSON the sentence ends with its string, and what follows says the same again.
    if match(record.message, [[webhook \\"]]) then why = why:gsub('\\"', "\1"):gsub('".*', ""):gsub("\1", '"') end
    local certificate = is_certificate(why)
    local slug = certificate and "webhook-certificate" or "webhook-unreachable"
    local finding = ev:report("mesh-controller." .. slug, "webhook", record.hook,
      certificate and "the API server does not trust the webhook %s: %s" or "the API server cannot call the webhook %s: %s",
      record.hook, cut((why:gsub("^:%s*", "")), 200)):cite(record)
    if not match(record.hook, MESH_HOOK) then finding:severity("warning") end
    local service = match(why, [[https://(?<name>[a-z0-9-]+)\.(?<namespace>[a-z0-9-]+)\.svc]]) or { name = "WEBHOOK", namespace = "OF_THE_WEBHOOK" }
    if certificate then
      finding:advise("renew the webhook's certificate and see that caBundle holds the CA that signed it (restart the controller, cert-manager or istiod: each patches it at the start)",
        "kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations -o json | grep -c caBundle")
    else
      finding:advise("see that pods stand behind the service and are ready", string.format("kubectl -n %s get endpoints %s", service.namespace, service.name))
        :advise("open the way from the API server to them: security group or firewall for the webhook's target port (EKS: node group; GKE private: master to nodes), network policy")
      if match(why, [[Service Unavailable|Proxy|Bad Gateway|Forbidden]]) then
        finding:advise("a proxy answered in the webhook's place: set NO_PROXY=.svc,.cluster.local for the API server")
        ev:ask { evidence = "host/environment", why = "proxy variables of the API server (http_proxy, https_proxy, no_proxy) decide whether the call left the cluster",
          how = "kubectl -n kube-system get pod -l component=kube-apiserver -o yaml | grep -i -A1 proxy" }
      end
      ev:ask { evidence = "k8s/endpoints.json", why = "whether the webhook's pods are ready",
        how = string.format("kubectl -n %s get pods,endpoints -o json", service.namespace) }
    end
  end
end

-- A table of kubectl's shows names and a label or two; what decides stands in the objects.
local function ask_objects(ev)
  if ev:count("event.table") == 0 or ev:count("k8s.namespaces") > 0 then return end
  ev:ask { evidence = "k8s/namespaces.json, k8s/mutatingwebhookconfigurations.json, k8s/pods.json",
    why = "which injector serves which namespace and pod: a table leaves out the labels and selectors that decide",
    how = "kubectl get ns,mutatingwebhookconfigurations -o json; kubectl -n NAMESPACE get pods -o json" }
end

local function run(ev)
  judge_no_mesh(ev)
  judge_mesh_missing(ev)
  judge_ambiguous(ev)
  judge_not_injected(ev)
  judge_refused(ev)
  judge_admission(ev)
  judge_permissions(ev)
  judge_accounts(ev)
  judge_webhooks(ev)
  ask_objects(ev)
end

local LATER = { "grpc-codes.resource-not-found", "mesh-controller.not-injected", "probes.pre-initializing", "ems-connection.not-connected" }
local POD = { "mesh-controller.not-injected" }
local BOTH = { "mesh-controller.not-injected", "mesh-controller.resource-refused" }

return debrief.check {
  id = "mesh-controller",
  title = "does the mesh's controller do its work, and can the API server ask it?",
  applies = "platform = kubernetes|docker",
  version = "0.1.0",
  tags = { "kubernetes", "appmesh", "istio", "consul" },
  needs = { "text", "?k8s.appmesh", "?k8s.namespaces", "?proxy" },
  events = {
    no_mesh = [[failed to find matching mesh for namespace: (?<namespace>[^,\s]+), expecting 1 but found 0]],
    mesh_gone = [[mesh doesn't exist, skipping processing virtual \w+ (?<name>[\w./-]+)|meshes?\.appmesh\.k8s\.aws "(?<mesh>[^"]+)" not found|NotFoundException: (?:The )?[Mm]esh:? '?(?<mesh2>[\w-]+)'? (?:is )?(?:not found|does not exist)|NotFoundException: (?:The )?[Mm]esh with name (?<mesh3>[\w-]+) is not present]],
    several = [[found multiple matching (?<kind>[Mm]eshes|[Vv]irtual[Nn]odes|[Vv]irtual[Gg]ateways) for (?<what>namespace|pod):? (?<name>[^,:\s]+)(?:, expecting 1 but found \d+: (?<found>[\w,./-]+))?]],
    table = [[^(?:NAME +STATUS +AGE +(?:[A-Z-]+ +)*(?:ISTIO-INJECTION|REV|MESH|LABELS)\b|(?:istio-sidecar-injector|istio-revision-tag|appmesh-webhook|aws-app-mesh)\S* +[0-9]+ +[0-9]+[dhms])]],
    both = [[sidecarInject enabled for both virtualNode (?<node>\S+) and virtualGateway (?<gateway>\S+) on pod (?<pod>\S*)]],
    unselected = [[sidecarInject enabled but no matching VirtualNode or VirtualGateway found]],
    denied = [[admission webhook \\?"(?<hook>[^"\\\n]+)\\?" denied the request:]],
    strict = [[(?:(?<kind>[A-Z]\w+) in version \\?"(?<version>[^"\\\n]+)\\?" cannot be handled as an? \w+: )?strict decoding error:]],
    bad_request = [[(?<error>BadRequestException|LimitExceededException|ConflictException|ResourceInUseException):]],
    invalid = [[The (?<kind>[A-Z]\w+) \\?"(?<name>[^"\\\n]+)\\?" is invalid:]],
    unknown_kind = [[no matches for kind \\?"(?<kind>\w+)\\?" in version \\?"(?<version>[^"\\\n]+)\\?"]],
    bad_field = [[ValidationError\((?<kind>[A-Z]\w+)\.]],
    aws_denied = [[(?:User: (?<who>arn:aws[\w-]*:\S+) is )?not authorized to perform: (?<action>(?:appmesh|servicediscovery|acm|acm-pca|route53):\w+)]],
    web_identity = [[(?<why>Not authorized to perform sts:AssumeRoleWithWebIdentity|No OpenIDConnect provider found in your account[^\n"]*|InvalidIdentityToken: [^\n"]{1,120}|failed fetching WebIdentity token[^\n"]{0,160})]],
    credentialless = [[NoCredentialProviders: no valid providers in chain|failed to refresh cached credentials, [^\n"]{1,160}]],
    forbidden_pod = [[pods "(?<pod>[^"]+)" is forbidden: (?:violates PodSecurity|unable to validate against any (?:security context constraint|pod security policy))]],
    forbidden = [[User "system:serviceaccount:(?<account>[^"]+)" cannot (?<verb>\w+) resource "(?<resource>[^"]+)"]],
    no_account = [[error looking up service account (?:(?<namespace>[\w.-]+)/)?(?<account>[\w.-]+): serviceaccounts? "]],
    webhook = [[failed calling (?:admission )?webhook \\?"(?<hook>[^"\\\n]+)\\?"]],
  },
  findings = {
    ["mesh-controller.namespace-not-selected"] = { title = "no mesh selects the namespace", severity = "error", explains = BOTH },
    ["mesh-controller.mesh-missing"] = { title = "the mesh does not exist", severity = "error", explains = LATER },
    ["mesh-controller.ambiguous-selector"] = { title = "several selectors match", severity = "error", explains = BOTH },
    ["mesh-controller.not-injected"] = { title = "a pod without its proxy", severity = "error" },
    ["mesh-controller.resource-refused"] = { title = "the API refuses a resource of the mesh", severity = "error", explains = LATER },
    ["mesh-controller.permission-missing"] = { title = "the mesh's controller lacks a permission", severity = "error",
      explains = { "grpc-codes.resource-not-found", "mesh-controller.not-injected", "mesh-controller.namespace-not-selected" } },
    ["mesh-controller.service-account-missing"] = { title = "no service account of that name", severity = "error", explains = POD },
    ["mesh-controller.webhook-unreachable"] = { title = "the API server cannot call a webhook", severity = "error", explains = BOTH },
    ["mesh-controller.webhook-certificate"] = { title = "the API server does not trust a webhook", severity = "error", explains = BOTH },
  },
  run = run,
}
