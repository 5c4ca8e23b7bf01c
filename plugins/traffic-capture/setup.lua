-- Whether setting the redirect up went wrong: what iptables, the init container or the CNI plugin said. Says nothing of
-- rules that are in place and wrong (traffic-capture.lua), and calls history what the init container survived.

local match = debrief.match

local IPV6_OFF = [[(?i)address family not supported]]
local NO_RIGHT = [[(?i)(you must be root|permission denied|operation not permitted)]]
local NO_MODULE = [[(?i)(do you need to insmod|table does not exist|missing kernel module|no such file or directory|invalid argument|protocol not (supported|available)|not found|operation not supported)]]
local INIT = [[^(istio-init|istio-validation|proxyinit|proxy-init|consul-connect-inject-init|aws-appmesh-proxy-route-manager)$]]

local EVENTS = {
  unsupported = [[iptables binary (?<binary>[\w./-]+) has no loaded kernel support and cannot be used]],
  initialize = [[(?:can't|unable to) initialize (?:ip6?tables )?table [`'"]?(?<table>\w+)]],
  who = [[Cannot initialize: iptables who\?]],
  extension = [[Couldn't load (?:match|target) [`'"](?<name>\w+)]],
  generation = [[(?<tool>ip6?tables\S*) v[\d.]+ \(nf_tables\): Could not fetch rule set generation id]],
  rule_failed = [[ip6?tables\S* v[\d.]+[^:]{0,20}: +RULE_(?:APPEND|INSERT) failed]],
  lock_file = [[can't open lock file /run/xtables\.lock]],
  no_tool = [[exec: "(?<tool>ip6?tables[\w-]*)": executable file not found]],
  multiport = [[too many ports specified]],
  exists = [[(?:ip6?tables[^:]{0,40}: )(?:Chain already exists|CHAIN_(?:USER_)?ADD failed \(File exists\))]],
  restore = [[ip6?tables-restore[^\n]{0,60}: line (?<line>\d+) failed]],
  counter = [[:(?<chain>PREROUTING|INPUT|OUTPUT|POSTROUTING) ACCEPT \[(?<packets>\d+)]],
  command_failed = [[(?i)(?:failed to (?:execute|run)|error running|command failed)[^\n]{0,60}?(?<tool>ip6?tables[\w-]*)]],
  plugin = [[plugin type="(?<plugin>istio-cni|aws-appmesh|consul-cni)"[^\n]{0,120}failed \(add\)]],
  no_plugin = [[failed to find plugin "(?<plugin>istio-cni|aws-appmesh|consul-cni|linkerd-cni)"]],
  fargate = [[Pod not supported on Fargate: [^\n]{0,120}NET_ADMIN]],
  validation = [[iptables validation failed; workload is not ready]],
  agent = [[(?<agent>istio-cni-node-[a-z0-9]+) +0/[0-9]+ +(?<state>(?:Init:)?(?:ImagePullBackOff|ErrImagePull|CrashLoopBackOff|CreateContainerError|CreateContainerConfigError|Error|OOMKilled|Pending|ContainerCreating))]],
}

local function init_status(ev, record)
  for status in ev:each("container_status") do
    local same_pod = not record.workload or status.workload == record.workload
    if same_pod and status.init == "yes" and (status.name == record.container or (not record.container and match(status.name or "", INIT))) then
      return status
    end
  end
  return nil
end

-- The set-up ended well after all.
local function survived(ev, record)
  local status = init_status(ev, record)
  return status and status.state == "terminated" and status.exit_code == "0"
end

local function subject_of(record)
  if record.container then return "container", record.container end
  if record.workload then return "pod", record.workload end
  return "container", "init container"
end

local function report(ev, id, record, format, ...)
  local kind, name = subject_of(record)
  local finding = ev:report(id, kind, name, format, ...):cite(record)
  if survived(ev, record) then finding:severity "info":when "before" end
  return finding
end

local function quoted(record)
  local text = record.message or ""
  return #text > 200 and text:sub(1, 200) .. "..." or text
end

local function module_of(text)
  if match(text, [[(?i)ip6tables|ip6_]]) then return "ip6_tables ip6table_nat ip6table_mangle" end
  if match(text, [[nf_tables]]) then return "nf_tables nft_chain_nat nft_compat" end
  return "ip_tables iptable_nat iptable_mangle xt_REDIRECT xt_owner xt_multiport"
end

local function no_module(ev, record)
  local modules = module_of(record.message or "")
  report(ev, "traffic-capture.kernel-module-missing", record,
    "the node's kernel lacks what the redirect rules need (%s): %s", (modules:match("^%S+")), quoted(record))
    :advise("load the modules on every node, now and at boot (/etc/modules-load.d)", "modprobe -a " .. modules)
    :advise("or, where the kernel has nf_tables alone, let the set-up use iptables-nft (Istio: ISTIO_META / global.proxy_init image of 1.17 or later)")
    :advise("where modules cannot be loaded (some managed kernels), use the mesh's CNI plugin with eBPF or ambient mode, or another node image")
end

local function setup_failed(ev, record, why, steps)
  local finding = report(ev, "traffic-capture.setup-failed", record, "the redirect could not be set up: %s (%s)", why, quoted(record))
  for _, step in ipairs(steps) do finding:advise(step[1], step[2]) end
  return finding
end

local NO_IPV6 = {
  { "let the node's kernel have IPv6 (it may stay without addresses): remove ipv6.disable=1 from its command line, and load the module",
    "modprobe ip6table_nat" },
  { "or keep the set-up from touching IPv6 (Istio: one IP family in the Service and pod CIDRs and a release that skips ip6tables without IPv6; App Mesh: APPMESH_ENABLE_IPV6=0)" },
}
local NO_ADMIN = {
  { "give the init container NET_ADMIN (and NET_RAW), and let it run as root; a PodSecurity level or SCC may forbid it" },
  { "or use the mesh's CNI plugin, which needs no right in the pod", "istioctl install --set components.cni.enabled=true" },
}

local function reason(ev, record, text)
  if match(text, IPV6_OFF) then
    setup_failed(ev, record, "the node runs without IPv6, and ip6tables was asked", NO_IPV6)
  elseif match(text, NO_RIGHT) then
    setup_failed(ev, record, "the init container may not change rules", NO_ADMIN)
  elseif match(text, NO_MODULE) then
    no_module(ev, record)
  else
    setup_failed(ev, record, "iptables failed", { { "read the whole log of the init container", "kubectl logs POD -c istio-init" } })
  end
end

local function judge_iptables(ev)
  local told = false
  for record in ev:each("event.unsupported") do
    local level = record.level
    if level == nil or level == "error" or level == "critical" then reason(ev, record, record.rest or ""); told = true end
  end
  for _, name in ipairs { "event.initialize", "event.who", "event.generation", "event.rule_failed", "event.lock_file" } do
    for record in ev:each(name) do reason(ev, record, record.rest or record.message or ""); told = true end
  end
  for record in ev:each("event.extension") do
    setup_failed(ev, record, "the image's iptables lacks its extension " .. record.name, {
      { "use the mesh's own init image: an image of one's own must hold the libraries of iptables (xtables/libxt_" .. record.name .. ".so)" },
      { "or use the mesh's CNI plugin, which needs no iptables in the pod", "istioctl install --set components.cni.enabled=true" } })
    told = true
  end
  for record in ev:each("event.no_tool") do
    setup_failed(ev, record, record.tool .. " is not in the image", { { "use the mesh's own init image, or an image with iptables" } })
    told = true
  end
  for record in ev:each("event.multiport") do
    report(ev, "traffic-capture.too-many-ignored-ports", record,
      "iptables refused the list of ports: one multiport match takes 15 ports, a range counts twice")
      :advise("leave at most 15 ports in the list of ignored ports (App Mesh on ECS: EgressIgnoredPorts; App Mesh on Kubernetes: appmesh.k8s.aws/egressIgnoredPorts)")
    told = true
  end
  return told
end

local function judge_plugins(ev)
  for record in ev:each("event.plugin") do
    setup_failed(ev, record, "the CNI plugin " .. record.plugin .. " failed", {
      { "see what the plugin's node agent says", "kubectl logs -n istio-system -l k8s-app=istio-cni-node --tail=100" },
      { "let pods wait until the agent runs on a new node (Istio: values.cni.repair.enabled and the taint cni.istio.io/not-ready)" } })
  end
  for record in ev:each("event.no_plugin") do
    setup_failed(ev, record, "the CNI configuration of the node names the plugin " .. record.plugin .. ", whose program is not there", {
      { "let the plugin's node agent run on every node: it installs the program", "kubectl get daemonsets -A | grep -i cni" },
      { "or, when the mesh was removed, take its plugin out of /etc/cni/net.d on the node" } })
  end
  for record in ev:each("event.fargate") do
    setup_failed(ev, record, "pods on Fargate may not have NET_ADMIN, which the init container of the redirect needs", {
      { "run these pods on EC2 nodes, or use a mesh whose redirect needs no right in the pod (App Mesh's controller leaves the init container out on Fargate when its platform knows of it)" } })
  end
  local agent = ev:first("event.agent")
  for record in ev:each("event.validation") do
    if agent then
      setup_failed(ev, record, "the node agent of the CNI plugin, which sets the redirect up, does not run on every node: pod " .. agent.agent .. " is in " .. agent.state, {
        { "mend that pod first: a pod that is made anew on its node before that fails again", "kubectl describe pod -n istio-system " .. agent.agent },
        { "then delete the pod whose redirect is missing", "kubectl delete pod POD" },
        { "keep pods off a node until the agent runs there (taint cni.istio.io/not-ready, Karpenter startupTaints)" } }):cite(agent)
    else setup_failed(ev, record, "the redirect that the CNI plugin should have set up is not there", {
      { "delete the pod; it is scheduled anew when the plugin runs on the node", "kubectl delete pod POD" },
      { "see that istio-cni runs on every node and is chained last in /etc/cni/net.d", "kubectl get daemonset -n istio-system istio-cni-node" } })
      ev:ask { evidence = "k8s/pods.json", why = "whether the plugin's agent runs on the pod's node", how = "kubectl get pods -n istio-system -l k8s-app=istio-cni-node -o wide" }
    end
  end
end

-- Packets that have passed the table: the pod lived before this set-up ran.
local function passed(ev)
  for record in ev:each("event.counter") do
    if (ev:number(record, "packets") or 0) > 0 then return record end
  end
  return nil
end

local function judge_repeated(ev)
  for record in ev:each("event.exists") do
    local counter, status = passed(ev), init_status(ev, record)
    local again = status and (ev:number(status, "restarts") or 0) > 0
    local finding = report(ev, "traffic-capture.setup-repeated", record,
      "the redirect was set up a second time in a pod that has it already: %s", quoted(record))
      :confidence(counter and "certain" or "likely"):cite(counter):cite(again and status or nil)
      :advise("delete the pod: a fresh one has a fresh network namespace, in which the set-up succeeds", "kubectl delete pod POD")
      :advise("find what started the init container again: a runtime or node restart, or a clean-up of stopped containers (docker system prune, kubelet garbage collection)")
    if not counter and not again then
      finding:candidate("traffic-capture.second-proxy", { ["for"] = "another set-up in the same pod (two meshes, or CNI plugin and init container) makes the same chains" })
      ev:ask { evidence = "k8s/pods.json", why = "the init container's restart count and the rules' packet counters tell a second run from a second set-up",
        how = "@definition@; kubectl logs POD -c istio-init > istio-init.log" }
    end
  end
end

-- What a mesh restores begins with making its own chains ("* nat", "-N ..."): there it fails where they are. Later lines
-- fail for what the kernel, the rights or the tool lack, which the line's number does not tell.
local function judge_restore(ev)
  for record in ev:each("event.restore") do
    if record.line == "2" then
      report(ev, "traffic-capture.setup-repeated", record, "the redirect was set up a second time in a pod that has it already: the first chain could not be made (%s)", quoted(record))
        :confidence "likely"
        :advise("delete the pod: a fresh one has a fresh network namespace, in which the set-up succeeds", "kubectl delete pod POD")
    else
      setup_failed(ev, record, "iptables-restore refused a rule", { { "read the whole log of the init container", "kubectl logs POD -c istio-init" } }):confidence "likely"
    end
    return
  end
end

-- The set-up ended badly, and nothing of what it said is here.
local function ask_silent(ev)
  for status in ev:each("container_status") do
    local code = status.exit_code or "0"
    if status.init == "yes" and match(status.name or "", INIT) and code ~= "0" then
      local space, pod = (status.workload or ""):match("^([%w.-]+)/([%w.-]+)$")
      ev:ask { evidence = "log/" .. status.name .. ".log",
        why = string.format("%s, which sets up the redirect, ended with code %s: a missing kernel module, missing rights and a second run look alike from outside", status.name, code),
        how = pod and string.format("kubectl -n %s logs %s -c %s --previous", space, pod, status.name) or "kubectl logs POD -c " .. status.name .. " --previous" }
      return
    end
  end
end

local function any_event(ev)
  for name in pairs(EVENTS) do
    if ev:count("event." .. name) > 0 then return true end
  end
  return false
end

local function run(ev)
  if not any_event(ev) then return ask_silent(ev) end
  local told = judge_iptables(ev)
  judge_plugins(ev)
  judge_repeated(ev)
  if ev:count("event.exists") == 0 and not told then judge_restore(ev) end
  for record in ev:each("event.command_failed") do
    if told or ev:count("event.exists") + ev:count("event.restore") > 0 then return end
    reason(ev, record, record.rest or "")
    return
  end
end

return debrief.check {
  id = "traffic-capture/setup",
  title = "did setting up the redirect into the proxy succeed?",
  applies = "mode != proxyless",
  tags = { "appmesh", "istio", "consul", "ecs", "kubernetes" },
  needs = { "text", "?container_status" },
  events = EVENTS,
  findings = {
    ["traffic-capture.setup-failed"] = { title = "the redirect cannot be set up", severity = "error",
      explains = { "probes.pre-initializing" } },
    ["traffic-capture.kernel-module-missing"] = { title = "the node's kernel lacks a module that the redirect needs", severity = "error" },
    ["traffic-capture.setup-repeated"] = { title = "the redirect was set up again in a living pod", severity = "error" },
    ["traffic-capture.too-many-ignored-ports"] = { title = "more ports than one redirect rule takes", severity = "error" },
  },
  run = run,
}
