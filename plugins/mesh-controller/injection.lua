-- What the objects of the cluster tell by themselves: pods that ought to have a proxy and have none, namespaces that
-- no mesh selects, selectors that overlap, webhooks without a pod behind them, identities that never reached a pod.
-- App Mesh, Istio and Consul each mark their pods in their own way; a pod that opts out is no incident.

local SYSTEM = { ["kube-system"] = true, ["kube-public"] = true, ["kube-node-lease"] = true, ["istio-system"] = true, ["appmesh-system"] = true }
local APPMESH = 'appmesh.k8s.aws/sidecarInjectorWebhook'

local function label(record, key, where)
  return record['metadata.' .. (where or "labels") .. '."' .. key .. '"']
end

local function namespace_of(record)
  return record["metadata.namespace"] or "default"
end

local function is_live(record)
  return record["metadata.uid"] ~= nil
end

-- Whether the selector at PATH of RECORD lets LOOK(key) through; nil: there is no selector, which selects nothing.
local function selects(ev, record, path, look)
  local any = false
  for _ in pairs(ev:keys(record, path)) do any = true end
  if not any then return record[path] ~= nil or nil end
  for _, key in ipairs(ev:keys(record, path .. ".matchLabels")) do
    if look(key) ~= record[path .. '.matchLabels."' .. key .. '"'] then return false end
  end
  for term in ev:items(record, path .. ".matchExpressions") do
    local value, operator, listed = look(term.key), term.operator, false
    for wanted in ev:items(term, "values") do listed = listed or wanted == value end
    if operator == "In" and not listed or operator == "NotIn" and listed or operator == "Exists" and not value
      or operator == "DoesNotExist" and value then
      return false
    end
  end
  return true
end

local function describe(ev, record, path)
  local words = {}
  for _, key in ipairs(ev:keys(record, path .. ".matchLabels")) do
    words[#words + 1] = key .. "=" .. tostring(record[path .. '.matchLabels."' .. key .. '"'])
  end
  return table.concat(words, ","), words[1]
end

local function has_proxy(ev, pod)
  for _, list in ipairs { "spec.containers", "spec.initContainers" } do
    for container in ev:items(pod, list) do
      local text = (container.name or "") .. " " .. (container.image or "")
      if debrief.match(text, [=[(?i)^envoy |istio-proxy|consul-dataplane|envoy-sidecar|aws-appmesh-envoy|/proxyv2|/envoy[:@]]=]) then return true end
    end
  end
  return false
end

-- ---- does the pod ask for a proxy, and by which word? ----

local function istio_asks(pod, space)
  local own = label(pod, "sidecar.istio.io/inject") or label(pod, "sidecar.istio.io/inject", "annotations")
  if own == "false" or pod["spec.hostNetwork"] == "true" then return nil end
  if label(pod, "istio.io/dataplane-mode") == "none" or space and label(space, "istio.io/dataplane-mode") == "ambient" then return nil end
  if own == "true" then return "its label sidecar.istio.io/inject=true" end
  if not space or label(space, "istio-injection") == "disabled" then return nil end
  if label(space, "istio-injection") == "enabled" then return "the namespace's label istio-injection=enabled" end
  local revision = label(pod, "istio.io/rev") or label(space, "istio.io/rev")
  return revision and "the label istio.io/rev=" .. revision or nil, revision
end

local function consul_asks(pod)
  return label(pod, "consul.hashicorp.com/connect-inject", "annotations") == "true"
    and "its annotation consul.hashicorp.com/connect-inject=true" or nil
end

-- App Mesh injects silently nothing where no VirtualNode selects the pod: only a selected pod ought to have a proxy.
local function appmesh_asks(ev, pod, space)
  local own = label(pod, APPMESH, "annotations")
  if own == "disabled" or not (own == "enabled" or space and label(space, APPMESH) == "enabled") then return nil end
  for node in ev:each("k8s.appmesh") do
    if node.kind == "VirtualNode" and namespace_of(node) == namespace_of(pod)
      and selects(ev, node, "spec.podSelector", function(key) return label(pod, key) end) then
      return "the injection label and the VirtualNode " .. (node.id or "?"), nil, node
    end
  end
  return nil
end

-- ---- pods ----

local function why_istio(ev, finding, revision)
  local hooks, match_revision = 0, false
  for hook in ev:each("k8s.webhooks") do
    local name = hook.id or ""
    if hook.kind == "MutatingWebhookConfiguration" and debrief.match(name, "sidecar-injector|istio-revision-tag") then
      hooks = hooks + 1
      match_revision = match_revision or label(hook, "istio.io/rev") == revision or label(hook, "istio.io/tag") == revision
    end
  end
  if ev:state("k8s.webhooks") ~= "complete" then
    ev:ask { evidence = "k8s/mutatingwebhookconfigurations.json", why = "whether an injector is there, and which namespaces and revision it serves",
      how = "kubectl get mutatingwebhookconfigurations -o json" }
  elseif hooks == 0 then
    finding:advise("install the injector: the cluster has no webhook istio-sidecar-injector", "istioctl install, or helm install istiod istio/istiod -n istio-system")
  elseif revision and not match_revision then
    finding:advise("no injector serves the revision " .. revision .. ": label the namespace with one that is installed", "istioctl tag list; kubectl get mutatingwebhookconfigurations -L istio.io/rev,istio.io/tag")
  end
end

local function judge_pod(ev, pod, spaces)
  local phase, space = pod["status.phase"], spaces[namespace_of(pod)]
  if not phase or phase == "Succeeded" or phase == "Failed" or pod["metadata.deletionTimestamp"] then return end
  if SYSTEM[namespace_of(pod)] or has_proxy(ev, pod) then return end
  local why, revision = istio_asks(pod, space)
  local mesh, node = "istio", nil
  if not why then why, mesh = consul_asks(pod), "consul" end
  if not why then
    why, revision, node = appmesh_asks(ev, pod, space)
    mesh = "appmesh"
  end
  if not why then return end
  local finding = ev:report("mesh-controller.not-injected", "pod", pod.id, "the pod %s has no proxy, though %s asks for one", pod.id, why)
    :when("now"):cite(pod):cite(node):cite(space)
  if mesh == "istio" then why_istio(ev, finding, revision) end
  finding:advise("pods get their proxy only when they are made: make it anew after the label or the injector was mended",
    string.format("kubectl -n %s rollout restart deployment NAME", namespace_of(pod)))
    :advise("see what the injector said when the pod was made", mesh == "appmesh" and "kubectl -n appmesh-system logs deploy/appmesh-controller"
      or mesh == "consul" and "kubectl -n consul logs deploy/consul-connect-injector" or "istioctl experimental check-inject -n " .. namespace_of(pod) .. " " .. (pod["metadata.name"] or "POD"))
end

-- ---- App Mesh's selectors ----

local function judge_pod_selectors(ev, name, namespace, record, look)
  local found = {}
  for node in ev:each("k8s.appmesh") do
    local kind = node.kind
    if (kind == "VirtualNode" or kind == "VirtualGateway") and namespace_of(node) == namespace
      and selects(ev, node, "spec.podSelector", look) then
      local known = false
      for _, other in ipairs(found) do known = known or other.kind == kind and other.id == node.id end
      if not known then found[#found + 1] = node end
    end
  end
  if #found < 2 then return end
  ev:report("mesh-controller.ambiguous-selector", "pod", name, "%s %s and %s %s both select the pods of %s: App Mesh's webhook refuses them",
    found[1].kind, found[1].id or "?", found[2].kind, found[2].id or "?", name)
    :cite(found[1]):cite(found[2]):cite(record)
    :advise("give each of them a podSelector that no other one shares")
end

local function meshes_of(ev)
  local meshes = {}
  for record in ev:each("k8s.appmesh") do
    if record.kind == "Mesh" then meshes[#meshes + 1] = record end
  end
  return meshes
end

local function judge_namespace(ev, space, members, meshes)
  local chosen = {}
  for _, mesh in ipairs(meshes) do
    if selects(ev, mesh, "spec.namespaceSelector", function(key) return label(space, key) end) then chosen[#chosen + 1] = mesh end
  end
  if #chosen > 1 then
    ev:report("mesh-controller.ambiguous-selector", "namespace", space.id, "the meshes %s and %s both select the namespace %s: App Mesh's webhook refuses what is made there",
      chosen[1].id, chosen[2].id, space.id):cite(chosen[1]):cite(chosen[2]):cite(space)
      :advise("narrow one namespaceSelector")
  elseif #chosen == 0 and #meshes > 0 then
    local wanted, first = describe(ev, meshes[1], "spec.namespaceSelector")
    ev:report("mesh-controller.namespace-not-selected", "namespace", space.id,
      "no Mesh selects the namespace %s, which holds %s %s: %s wants %s", space.id, members.kind, members.id or "?",
      meshes[1].id, wanted ~= "" and wanted or "no namespace at all (it has no namespaceSelector)")
      :confidence((ev:state("k8s.appmesh") == "complete" and is_live(space)) and "certain" or "likely")
      :cite(meshes[1]):cite(space):cite(members)
      :advise("give the namespace the label that the Mesh wants", "kubectl label namespace " .. space.id .. " " .. (first or "mesh=" .. (meshes[1].id or "MESH")))
  end
  return #chosen
end

-- A node's pods need the injector's label too; only a namespace as the cluster has it can lack one.
local function judge_label(ev, space, node)
  if label(space, APPMESH) or not is_live(space) then return end
  for pod in ev:each("k8s.pods") do
    if pod["status.phase"] == "Running" and namespace_of(pod) == space.id and not label(pod, APPMESH, "annotations")
      and selects(ev, node, "spec.podSelector", function(key) return label(pod, key) end) and not has_proxy(ev, pod) then
      ev:report("mesh-controller.namespace-not-selected", "namespace", space.id,
        "the pods of VirtualNode %s have no proxy: the namespace %s lacks the label %s=enabled", node.id or "?", space.id, APPMESH)
        :cite(space):cite(node):cite(pod)
        :advise("label the namespace (a label, not an annotation), then make the pods anew",
          "kubectl label namespace " .. space.id .. " " .. APPMESH .. "=enabled; kubectl -n " .. space.id .. " rollout restart deployment")
      return
    end
  end
end

local function judge_meshes(ev, spaces)
  local meshes, seen = meshes_of(ev), {}
  local live = false
  for _, mesh in ipairs(meshes) do live = live or is_live(mesh) end
  for node in ev:each("k8s.appmesh") do
    local namespace = namespace_of(node)
    local space = spaces[namespace]
    if node.kind ~= "Mesh" and space then
      if not seen[namespace] then
        seen[namespace] = true
        judge_namespace(ev, space, node, meshes)
      end
      if node.kind == "VirtualNode" then judge_label(ev, space, node) end
    end
    local wanted = node["spec.meshRef.name"]
    if wanted and live and ev:state("k8s.appmesh") == "complete" then
      local known = false
      for _, mesh in ipairs(meshes) do known = known or mesh["metadata.name"] == wanted end
      if not known then
        ev:report("mesh-controller.mesh-missing", "mesh", wanted, "%s %s belongs to the mesh %s, which the cluster does not have", node.kind, node.id or "?", wanted)
          :cite(node):advise("create the mesh, or make the resource anew so that it gets the one that selects its namespace", "kubectl get meshes.appmesh.k8s.aws")
      end
    end
  end
end

-- ---- webhooks ----

local function endpoints_of(ev, namespace, name)
  local seen, ready, proof = false, false, nil
  for record in ev:each("k8s.endpoints") do
    local slice = label(record, "kubernetes.io/service-name")
    if namespace_of(record) == namespace and (slice == name or record.kind == "Endpoints" and record["metadata.name"] == name) then
      seen, proof = true, record
      for subset in ev:items(record, "subsets") do
        for _ in ev:items(subset, "addresses") do ready = true end
      end
      for endpoint in ev:items(record, "endpoints") do
        if endpoint["conditions.ready"] ~= "false" then ready = true end
      end
    end
  end
  return seen, ready, proof
end

local function judge_hooks(ev)
  for config in ev:each("k8s.webhooks") do
    for hook in ev:items(config, "webhooks") do
      local name, service, namespace = hook.name or config.id, hook["clientConfig.service.name"], hook["clientConfig.service.namespace"]
      if service and is_live(config) and debrief.match(name .. " " .. service, [[(?i)appmesh|istio|consul|kuma|linkerd|envoy|gloo]]) then
        local seen, ready, proof = endpoints_of(ev, namespace, service)
        if seen and not ready then
          ev:report("mesh-controller.webhook-unreachable", "webhook", name, "no ready pod stands behind the service %s/%s of the webhook %s: %s",
            namespace, service, name, hook.failurePolicy == "Ignore" and "pods start without their proxy" or "what it watches cannot be created")
            :when("now"):cite(config):cite(proof)
            :advise("start the pods of the service", string.format("kubectl -n %s get pods; kubectl -n %s describe endpoints %s", namespace, namespace, service))
        end
        if not hook["clientConfig.caBundle"] or hook["clientConfig.caBundle"] == "" or hook["clientConfig.caBundle"] == "Cg==" then
          ev:report("mesh-controller.webhook-certificate", "webhook", name, "the webhook %s has no caBundle: the API server cannot trust its certificate", name)
            :confidence("likely"):when("now"):cite(config)
            :advise("let the one who patches it do so: restart the controller (istiod, appmesh-controller, connect-injector) or see cert-manager's cainjector")
        end
      end
    end
  end
end

-- ---- Istio's revisions: which namespaces do the injectors take? ----

local function asks_by(space)
  if label(space, "istio-injection") == "enabled" then return "istio-injection=enabled" end
  local revision = label(space, "istio.io/rev")
  return revision and "istio.io/rev=" .. revision
end

-- The revision that an injector serves, from its label or from what it wants of a namespace.
local function revision_of(ev, config, hook)
  for term in ev:items(hook, "namespaceSelector.matchExpressions") do
    for value in ev:items(term, "values") do
      if term.key == "istio.io/rev" and term.operator == "In" then return tostring(value) end
    end
  end
  return label(config, "istio.io/rev")
end

-- The injectors' webhooks: whether one takes the namespace, how many there are, the first, and the revisions they serve.
local function injectors(ev, space)
  local count, first, revisions, known = 0, nil, {}, {}
  for config in ev:each("k8s.webhooks") do
    if config.kind == "MutatingWebhookConfiguration" and debrief.match(config.id or "", "sidecar-injector|istio-revision-tag") then
      for hook in ev:items(config, "webhooks") do
        if selects(ev, hook, "namespaceSelector", function(key) return label(space, key) end) ~= false then return true end
        local revision = revision_of(ev, config, hook)
        if revision and not known[revision] then revisions[#revisions + 1] = revision end
        known[revision or ""], count, first = true, count + 1, first or config
      end
    end
  end
  return false, count, first, revisions
end

local function judge_revision(ev, space)
  local asks = asks_by(space)
  if not asks or SYSTEM[space.id] then return end
  local taken, count, first, revisions = injectors(ev, space)
  if taken or count == 0 then return end
  local name = space["metadata.name"] or space.id
  ev:report("mesh-controller.namespace-not-selected", "namespace", name,
    "the namespace %s asks for injection by %s, and no injector that is given takes it%s: its pods get no proxy", name, asks,
    #revisions > 0 and " (they want istio.io/rev=" .. table.concat(revisions, " or ") .. ")" or "")
    :confidence("likely"):when("now"):cite(space):cite(first)
    :advise("give the namespace the revision that is installed; the label istio-injection goes before it and must be taken away",
      "kubectl label namespace " .. name .. " istio-injection- istio.io/rev=" .. (revisions[1] or "REVISION") .. " --overwrite")
    :advise("or let a tag default point at that revision, which takes istio-injection=enabled as well", "istioctl tag set default --revision " .. (revisions[1] or "REVISION"))
    :advise("then make the pods anew", "kubectl -n " .. name .. " rollout restart deployment")
    :reference("https://istio.io/latest/docs/setup/upgrade/canary/")
  ev:ask { evidence = "k8s/mutatingwebhookconfigurations.json", why = "whether there are more injectors than those given",
    how = "kubectl get mutatingwebhookconfigurations -o json" }
end

-- ---- identities ----

local function pod_has(ev, pod, variable)
  for container in ev:items(pod, "spec.containers") do
    for env in ev:items(container, "env") do
      if env.name == variable then return true end
    end
  end
  return false
end

-- Only where the proxy was refused for its identity: pods may live well on their node's role.
local function judge_identities(ev, accounts)
  local refused
  for record in ev:each("log.xds_closed") do
    if record.code == "16" or record.code == "7" then refused = record end
  end
  if not refused then return end
  for pod in ev:each("k8s.pods") do
    local name = pod["spec.serviceAccountName"] or "default"
    local account, role = accounts[namespace_of(pod) .. "/" .. name], nil
    local given = pod_has(ev, pod, "AWS_ROLE_ARN") or pod_has(ev, pod, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if account then role = label(account, "eks.amazonaws.com/role-arn", "annotations") end
    if has_proxy(ev, pod) and not given then
      local subject, text, candidate
      for id, other in pairs(accounts) do
        if not candidate and id:match("^[^/]+") == namespace_of(pod) and label(other, "eks.amazonaws.com/role-arn", "annotations") then candidate = other end
      end
      if role then
        text = string.format("the pod %s does not have the role of its service account %s: it was made before the annotation, or the pod identity webhook does not run", pod.id, name)
      elseif candidate then
        text = string.format("the pod %s runs as service account %s, which has no role; %s has one", pod.id, name, candidate.id)
      end
      subject = pod.id
      if text then
        ev:report("mesh-controller.service-account-missing", "pod", subject, "%s", text):confidence(role and "certain" or "likely")
          :cite(pod):cite(account or candidate):cite(refused)
          :advise(role and "make the pod anew" or "name the account in the pod's template", role and "kubectl -n " .. namespace_of(pod) .. " rollout restart deployment NAME"
            or "kubectl -n " .. namespace_of(pod) .. " patch deployment NAME -p '{\"spec\":{\"template\":{\"spec\":{\"serviceAccountName\":\"" .. (candidate and candidate["metadata.name"] or "NAME") .. "\"}}}}'")
      end
    end
  end
end

-- A workload that wants pods and has none: who refuses them, only the events tell.
local function ask_absent_pods(ev)
  if ev:count("k8s.pods") > 0 or ev:count("k8s.events") > 0 then return end
  for workload in ev:each("k8s.workloads") do
    local wanted = ev:number(workload, "spec.replicas") or 0
    if wanted > 0 and workload["status.observedGeneration"] ~= nil and (ev:number(workload, "status.replicas") or 0) == 0 then
      ev:ask { evidence = "k8s/events.json", why = string.format("%s wants %d pods and has none: what refuses them stands in its ReplicaSet's events", workload.id or "a workload", wanted),
        how = string.format("kubectl -n %s get events --field-selector reason=FailedCreate -o json", namespace_of(workload)) }
      return
    end
  end
end

local function run(ev)
  local spaces, accounts = {}, {}
  for record in ev:each("k8s.namespaces") do spaces[record["metadata.name"] or record.id] = record end
  for record in ev:each("k8s.service_accounts") do accounts[namespace_of(record) .. "/" .. (record["metadata.name"] or "")] = record end
  for _, space in pairs(spaces) do judge_revision(ev, space) end
  for pod in ev:each("k8s.pods") do
    judge_pod(ev, pod, spaces)
    if not has_proxy(ev, pod) then
      judge_pod_selectors(ev, pod.id, namespace_of(pod), pod, function(key) return label(pod, key) end)
    end
  end
  for workload in ev:each("k8s.workloads") do
    if workload.kind ~= "ReplicaSet" then
      judge_pod_selectors(ev, workload.id, namespace_of(workload), workload,
        function(key) return workload['spec.template.metadata.labels."' .. key .. '"'] end)
    end
  end
  judge_meshes(ev, spaces)
  judge_hooks(ev)
  judge_identities(ev, accounts)
  ask_absent_pods(ev)
end

local POD = { "mesh-controller.not-injected", "mesh-controller.resource-refused" }

return debrief.check {
  id = "mesh-controller/objects",
  title = "do the objects of the cluster let every pod of the mesh have its proxy?",
  applies = "platform = kubernetes|docker",
  version = "0.1.0",
  tags = { "kubernetes", "appmesh", "istio", "consul" },
  needs = {
    "k8s.pods | k8s.workloads | k8s.appmesh | k8s.webhooks", "?k8s.pods", "?k8s.workloads", "?k8s.appmesh", "?k8s.webhooks",
    "?k8s.namespaces", "?k8s.endpoints", "?k8s.service_accounts", "?k8s.events", "?log.xds_closed",
  },
  findings = {
    ["mesh-controller.not-injected"] = { title = "a pod without its proxy", severity = "error" },
    ["mesh-controller.namespace-not-selected"] = { title = "no mesh selects the namespace", severity = "error", explains = POD },
    ["mesh-controller.ambiguous-selector"] = { title = "several selectors match", severity = "error", explains = POD },
    ["mesh-controller.mesh-missing"] = { title = "the mesh does not exist", severity = "error", explains = POD },
    ["mesh-controller.webhook-unreachable"] = { title = "no pod behind a webhook", severity = "error", explains = POD },
    ["mesh-controller.webhook-certificate"] = { title = "a webhook without a certificate authority", severity = "error", explains = POD },
    ["mesh-controller.service-account-missing"] = { title = "a pod without the role that is meant for it", severity = "error",
      explains = { "grpc-codes.no-credentials", "grpc-codes.permission-denied" } },
  },
  run = run,
}
