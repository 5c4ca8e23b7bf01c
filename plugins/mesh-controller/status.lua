-- What the controllers themselves say of the objects that they make configuration from: the conditions in `status` of
-- Gateway API, Envoy Gateway, Consul, App Mesh, Istio and Kuma, and the verdict of Contour. An object that the API took and
-- the controller did not accept looks applied and does nothing. Objects without a status (manifests) say nothing here.

local GROUPS = [[^(?:gateway\.(?:networking\.(?:x-)?k8s|envoyproxy|solo)\.io|gateway\.kgateway\.dev|consul\.hashicorp\.com|]]
  .. [[appmesh\.k8s\.aws|projectcontour\.io|(?:networking|security)\.istio\.io|kuma\.io)/]]

-- Lists in `status` whose items hold conditions of their own; the rest of the sentence says whose.
local HOLDERS = { parents = "for its parent", ancestors = "for its target", listeners = "for its listener" }

-- Conditions that ought to be True, and those that ought not.
local WANTED = [[^(?:Accepted|ResolvedRefs|Programmed|Synced|Reconciled|Valid|[A-Za-z]+Active)$]]
local UNWANTED = [[^(?:Conflicted|PartiallyInvalid)$]]

-- Not yet, which is no refusal: the controller has not come to it, or waits for an address.
local WAITING = { Pending = true, AddressNotAssigned = true, Unknown = true, Waiting = true, NoResources = true }

local FIXES = {
  RefNotPermitted = "add a ReferenceGrant in the namespace of what is named, from the kind and the namespace of this object (a reference into another namespace is refused until its owner allows it)",
  BackendNotFound = "correct name and namespace of the backend: kubectl get service -A",
  InvalidKind = "refer to a kind that the controller supports (a Service), with its group",
  NotAllowedByListeners = "let the Gateway's listener take routes of this kind from this namespace (listeners[].allowedRoutes.namespaces, .kinds), or make the route where it may be",
  NoMatchingListenerHostname = "let the route's hostnames and the listener's hostname have one in common, or leave the listener's away",
  NoMatchingParent = "correct parentRefs: sectionName and port have to name a listener of that Gateway",
  InvalidCertificateRef = "make the Secret (type kubernetes.io/tls, tls.crt and tls.key) that certificateRefs names, in the Gateway's namespace, or grant the reference with a ReferenceGrant",
  PortUnavailable = "give the listener a port that no other one of the proxy has",
  HostnameConflict = "give one of the listeners of this port another hostname",
  ProtocolConflict = "give one of the listeners another port, or both the same protocol",
  UnsupportedProtocol = "use a protocol that the controller supports",
  UnsupportedValue = "take out or correct the value that the message names",
}

local function text_of(value) return value and tostring(value) or nil end

local function is_refusal(condition)
  local kind, status = condition.type or "", text_of(condition.status)
  if WAITING[condition.reason or ""] then return false end
  return status == "False" and debrief.match(kind, WANTED) ~= nil or status == "True" and debrief.match(kind, UNWANTED) ~= nil
end

local function whose(holder, list)
  local name = holder["parentRef.name"] or holder["ancestorRef.name"] or holder.name
  return name and " " .. HOLDERS[list] .. " " .. name or ""
end

local function report(ev, record, refusal)
  local kind, condition = record.kind or "object", refusal.condition
  local finding = ev:report("mesh-controller.not-accepted", kind:lower(), record.id, "the controller does not accept %s %s: %s is %s%s (%s): %s", kind, record.id, condition.type,
    text_of(condition.status), refusal.about, condition.reason or "no reason given", condition.message or "it says no more")
  -- What is accepted and not programmed may be mended by the controller itself.
  if condition.type == "Programmed" then finding:severity "warning" end
  finding:cite(record)
  local namespace = record["metadata.namespace"]
  finding:advise(FIXES[condition.reason or ""] or "correct what the message names; the controller looks at it again by itself",
    ("kubectl get %s %s%s -o yaml"):format(kind:lower(), namespace and "-n " .. namespace .. " " or "", record["metadata.name"] or record.id))
end

local function add_refusals(ev, out, holder, path, about)
  for condition in ev:items(holder, path) do
    if is_refusal(condition) then
      -- A Gateway is not programmed because of what its listeners say.
      table.insert(out, condition.type == "Programmed" and #out + 1 or 1, { condition = condition, about = about })
    end
  end
end

-- Contour: a verdict in two words, and what led to it below.
local function add_contour(ev, out, record)
  local verdict = record["status.currentStatus"]
  if verdict ~= "invalid" and verdict ~= "orphaned" then return end
  local why = record["status.description"] or verdict
  for condition in ev:items(record, "status.conditions") do
    for problem in ev:items(condition, "errors") do why = (problem.reason or "") .. ": " .. (problem.message or why) end
  end
  table.insert(out, 1, { condition = { type = "Valid", status = "False", reason = verdict, message = why }, about = "" })
end

-- Kinds of which every controller writes what it makes of them.
local ANSWERED = { Gateway = true, HTTPRoute = true, GRPCRoute = true, TLSRoute = true, TCPRoute = true, HTTPProxy = true }

local function has_status(ev, record)
  return #ev:keys(record, "status") > 0
end

local function judge(ev, record)
  local refusals = {}
  if not debrief.match(record.apiVersion or "", GROUPS) then return end
  if ANSWERED[record.kind or ""] and not has_status(ev, record) then
    ev:ask { evidence = "k8s/objects.json", why = "a manifest does not hold what the controller says of it",
      how = ("kubectl get %s -A -o json, then --evidence"):format((record.kind or "object"):lower()) }
  end
  add_refusals(ev, refusals, record, "status.conditions", "")
  for _, list in ipairs { "parents", "ancestors", "listeners" } do
    for holder in ev:items(record, "status." .. list) do add_refusals(ev, refusals, holder, "conditions", whose(holder, list)) end
  end
  if record.kind == "HTTPProxy" then add_contour(ev, refusals, record) end
  if refusals[1] then report(ev, record, refusals[1]) end
end

return debrief.check {
  id = "mesh-controller/status",
  title = "does the controller accept the objects that it makes configuration from?",
  applies = "platform = kubernetes|docker",
  version = "0.1.0",
  tags = { "kubernetes", "envoy-gateway", "contour", "consul", "appmesh", "istio" },
  needs = { "k8s.resources | k8s.appmesh" },
  findings = {
    ["mesh-controller.not-accepted"] = { title = "the controller does not accept an object", severity = "error",
      explains = { "upstreams.no-route", "upstreams.no-healthy-host", "upstreams.no-filter-chain", "lb-health.wrong-path",
        "lb-health.wrong-host", "lb-health.no-listener", "lb-health.check-failing" } },
  },
  run = function(ev)
    for _, name in ipairs { "k8s.resources", "k8s.appmesh" } do
      for record in ev:each(name) do judge(ev, record) end
    end
  end,
}
