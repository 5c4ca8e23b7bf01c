-- What Istio's own tools found: messages of `istioctl analyze` (IST0103: a pod without its proxy; IST0106: a resource that
-- Istio does not accept; IST0123: two labels that contradict each other) and `istioctl experimental check-inject`. Deliberately
-- leaves out what breaks no proxy: namespaces without a label, names of ports, images that are not the injector's.

local function first_of(list, namespace)
  for pod in (list or ""):gmatch("[%w.-]+") do return namespace .. "/" .. pod end
end

-- istioctl leaves out pods that opt out or use the host's network; old ones do not see a proxy that runs as init container.
local function judge_missing(ev)
  local known = ev:state("k8s.pods") == "complete"
  for record in ev:each("event.missing") do
    local pod = record.pod or first_of(record.pods, record.namespace or "default")
    if pod and not known then
      ev:report("mesh-controller.not-injected", "pod", pod, "the pod %s has no proxy, says istioctl, though its namespace asks for one", pod)
        :severity("warning"):confidence("likely"):when("now"):cite(record)
        :candidate("mesh-controller.not-injected", { ["for"] = "it was made before the label, or while no injector answered" })
        :advise("see which injector would serve it, and why", string.format("istioctl experimental check-inject -n %s %s", pod:match("^([^/]+)/") or "default", pod:match("([^/]+)$")))
        :advise("pods get their proxy only when they are made: make it anew", string.format("kubectl -n %s rollout restart deployment NAME", pod:match("^([^/]+)/") or "default"))
      ev:ask { evidence = "the pod and its namespace", why = "whether the pod runs its proxy as an init container, which an older istioctl does not see",
        how = string.format("kubectl get pod %s -n %s -o json; kubectl get namespace %s -o json", pod:match("([^/]+)$"), pod:match("^([^/]+)/") or "default", pod:match("^([^/]+)/") or "default") }
    end
  end
end

local function judge_schema(ev)
  for record in ev:each("event.schema") do
    local name = string.format("%s %s", record.kind or "resource", (record.object or "?"):match("^%S+"))
    ev:report("mesh-controller.resource-refused", "object", name, "Istio does not accept %s: %s", name, (record.why or "?"):gsub("%s+$", ""))
      :severity("warning"):cite(record):advise("correct the field that it names, and apply it again", "istioctl analyze -n NAMESPACE")
      :reference("https://istio.io/latest/docs/reference/config/analysis/ist0106/")
  end
end

local function judge_labels(ev)
  for record in ev:each("event.labels") do
    local space = record.namespace or "?"
    ev:report("mesh-controller.ambiguous-selector", "namespace", space,
      "namespace %s has more than one label that asks for injection (%s): istio-injection wins, the revision has no effect beside it", space, record.which or "?")
      :severity("info"):cite(record):advise("keep the one that is meant", string.format("kubectl label namespace %s istio-injection-", space))
      :reference("https://istio.io/latest/docs/reference/config/analysis/ist0123/")
  end
end

-- No webhook would inject: that says nothing of a pod that is not meant to be injected.
local function ask_inject(ev)
  local yes, no = ev:first("event.injects"), ev:first("event.passes")
  if no and not yes then
    ev:ask { evidence = "the pod, its namespace and the mutating webhooks", why = "no webhook of Istio would inject this pod; whether it is meant to have a proxy its labels tell",
      how = "kubectl get namespace NAMESPACE -o json; kubectl get pod POD -o json; kubectl get mutatingwebhookconfigurations -o json" }
  end
end

return debrief.check {
  id = "mesh-controller/analysis",
  title = "what do Istio's own tools say is wrong with the mesh?",
  applies = "mesh = istio",
  version = "0.1.0",
  tags = { "kubernetes", "istio" },
  needs = { "text", "?k8s.pods" },
  events = {
    missing = [[\[IST0103\] \((Pod (?<pod>[\w.-]+/[\w.-]+)|Pod (?<pods>[\w-]+)\.(?<namespace>[\w-]+))[^)\n]*\)[^\n]*(is missing the Istio proxy|missing its Istio proxy)]],
    schema = [[Error \[IST0106\] \((?<kind>\w+) (?<object>[^)\n]+)\) (Schema validation error: )?(?<why>[^\n]{1,300})]],
    labels = [[\[IST0123\] \(Namespace (?<namespace>[\w.-]+)[^)\n]*\) The namespace has (more than one type of injection labels? (\[(?<which>[^\]\n]*)\])?|both new and legacy injection labels)]],
    passes = [[^\S+ +\S+ +✘ ]],
    injects = [[^\S+ +\S+ +✔ ]],
  },
  findings = {
    ["mesh-controller.not-injected"] = { title = "a pod without its proxy", severity = "warning" },
    ["mesh-controller.resource-refused"] = { title = "a resource that the mesh does not accept", severity = "warning" },
    ["mesh-controller.ambiguous-selector"] = { title = "labels that contradict each other", severity = "info" },
  },
  run = function(ev)
    judge_missing(ev)
    judge_schema(ev)
    judge_labels(ev)
    ask_inject(ev)
  end,
}
