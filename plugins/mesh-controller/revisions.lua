-- What the listings of kubectl tell of Istio's revisions: the label of a namespace (`get ns -L istio.io/rev`) against the
-- injectors and tags that there are (`get mutatingwebhookconfigurations`). Rows tell names only, so a selector that was
-- edited by hand stays unseen; the objects themselves (-o yaml) are another check's.

local match = debrief.match

-- The revisions and tags that injectors serve, by the names of their webhooks; nil: none is listed.
local function served(ev)
  local names, list, last = {}, {}, nil
  for record in ev:each("event.injector") do
    local name = record.revision or record.tag or "default"
    if not names[name] then table.insert(list, record.revision and 1 or #list + 1, name) end
    names[name], last = true, record
  end
  return last and names, list, last
end

local function judge(ev, space, names, list, injector)
  if names[space.revision] then return end
  ev:report("mesh-controller.namespace-not-selected", "namespace", space.namespace,
    "the namespace %s names the revision %s, and the injectors listed serve %s: its pods get no proxy", space.namespace, space.revision, table.concat(list, ", "))
    :confidence("likely"):cite(space):cite(injector)
    :advise("give the namespace a revision or tag that is installed", "kubectl label namespace " .. space.namespace .. " istio.io/rev=" .. list[1] .. " --overwrite")
    :advise("then make its pods anew", "kubectl -n " .. space.namespace .. " rollout restart deployment")
    :reference("https://istio.io/latest/docs/setup/upgrade/canary/")
  ev:ask { evidence = "k8s/mutatingwebhookconfigurations.json", why = "the injectors' selectors themselves decide",
    how = "kubectl get mutatingwebhookconfigurations -o yaml; kubectl get namespace " .. space.namespace .. " -o yaml" }
end

return debrief.check {
  id = "mesh-controller/revisions",
  title = "does an injector serve the revision that a namespace names?",
  applies = "mesh = istio",
  version = "0.1.0",
  tags = { "kubernetes", "istio" },
  needs = { "text" },
  events = {
    columns = [[NAME +STATUS +AGE +(?:ISTIO-INJECTION +)?(?<rev>REV)]],
    space = [[(?<namespace>[a-z0-9][a-z0-9-]*) +Active +(?:[0-9]+[ydhms])+ {2,}(?:enabled +|disabled +)?(?<revision>[a-z0-9][a-z0-9-]*) *\r?$]],
    injector = [[(?:istio-sidecar-injector(?:-(?<revision>[a-z0-9][a-z0-9-]*))?|istio-revision-tag-(?<tag>[a-z0-9][a-z0-9-]*)) +[0-9]+ +(?:[0-9]+[ydhms])+ *\r?$]],
  },
  findings = { ["mesh-controller.namespace-not-selected"] = { title = "no mesh selects the namespace", severity = "error", explains = { "mesh-controller.not-injected" } } },
  run = function(ev)
    local names, list, injector = served(ev)
    if not names or not ev:first("event.columns") then return end
    for space in ev:each("event.space") do
      if not match(space.revision, "^(?:enabled|disabled)$") then judge(ev, space, names, list, injector) end
    end
  end,
}
