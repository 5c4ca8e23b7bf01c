-- How the proxy's process fares: how it ended, what it ran out of, what it clashed with, who can command it. Reads the
-- log, the statuses of containers, counters, and what the admin page is bound to. A process that came back is history;
-- what a platform only guesses is told as a guess. A start that fails for its configuration is config-rejected's.

local HOT_RESTART_DOCS = "https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-base-id"
local OVERLOAD_DOCS = "https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager"
local ADMIN_DOCS = "https://www.envoyproxy.io/docs/envoy/latest/operations/admin"

local PROXY_CONTAINERS = { "envoy", "istio%-proxy", "proxyv2", "consul%-dataplane", "sidecar%-proxy", "kuma%-sidecar", "kuma%-dp",
  "linkerd%-proxy", "appmesh", "contour", "gateway%-proxy" }

local DOWN = { "probes.pre-initializing", "probes.initializing", "probes.wrong-address", "lb-health.no-listener",
  "lb-health.backend-unready", "ems-connection.not-connected" }

local function proxy_name(ev)
  local proxy = ev:first("proxy")
  return proxy and proxy.node_id or "envoy"
end

local function is_proxy_container(name, image)
  for _, pattern in ipairs(PROXY_CONTAINERS) do
    if (name or ""):find(pattern) or (image or ""):find(pattern) then return true end
  end
  return false
end

-- The main loop began after RECORD: the process came back.
local function came_back(ev, record)
  local time = ev:time(record)
  for other in ev:each("log.start") do
    local later = ev:time(other)
    local same = record.container == other.container and record.workload == other.workload
    if time and later and later > time and same and (other.step or ""):find("dispatch", 1, true) then return true end
  end
  return false
end

-- Trouble that the process left behind by starting anew is told, and is no error any more.
local function past(finding, over)
  if over then finding:severity("warning"):when("before") end
  return finding
end

-- ---- files ----

-- An inotify watch that cannot be had says the same words; it has a limit of its own.
local function is_about_files(record)
  local text = (record.message or ""):lower()
  return not text:find("notify", 1, true)
end

local function raised_limit(ev)
  local record = ev:last("event.nofile")
  return record and ev:number(record, "limit"), record
end

local function files(ev)
  local last, first, count
  for record in ev:each("event.files") do
    if is_about_files(record) then
      first, last, count = first or record, record, (count or 0) + 1
    end
  end
  if not last then return end
  local limit, said = raised_limit(ev)
  local finding = past(ev:report("proxy-process.file-descriptors", "proxy", proxy_name(ev),
    "the proxy cannot open any more files or sockets: its limit is reached%s",
    limit and string.format(" (%d)", limit) or ""), came_back(ev, last)):cite(first):cite(last):cite(said)
  finding:advise("raise the limit of open files of the proxy's process: two per connection that passes through, and some hundred",
      "grep 'open files' /proc/$(pidof envoy)/limits; ls /proc/$(pidof envoy)/fd | wc -l")
    :snippet("where the limit is set: ECS task definition, container envoy (docker: --ulimit nofile=65536:65536; systemd: LimitNOFILE=)",
      "task-definition.json", '"ulimits": [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}]')
    :advise("if the number of connections is not what the traffic needs, look for clients or upstream hosts that never close them",
      "curl -s 'http://ADMIN/stats?filter=(downstream|upstream)_cx_active'")
end

-- ---- ends ----

local function memory_advice(finding)
  return finding:advise("give the proxy's container more memory, or let it need less: fewer listeners and clusters (Istio: a Sidecar "
    .. "resource), smaller buffers, lower concurrency", "curl -s http://ADMIN/memory; curl -s 'http://ADMIN/stats?filter=server.memory'")
    :advise("an overload manager refuses work before the kernel ends the process"):reference(OVERLOAD_DOCS)
end

local function is_memory(status)
  local text = (status.reason or "") .. " " .. (status.last_reason or "") .. " " .. (status.message or "")
  return text:find("OOMKilled", 1, true) or text:find("OutOfMemory", 1, true)
end

local function statuses(ev)
  local found, only = {}, nil
  for status in ev:each("container_status") do
    if (status.name or "") ~= "" then
      only = only == nil and status or false
      if is_proxy_container(status.name, status.image) then found[#found + 1] = status end
    end
  end
  return found, only
end

-- Running again, and not for the third time: told, but over.
local function runs_again(ev, status)
  return (status.state == "running" or status.state == "RUNNING") and (ev:number(status, "restarts") or 0) < 3
end

local function memory(ev, list, facts)
  for _, status in ipairs(list) do
    if is_memory(status) then
      facts.ended = true
      memory_advice(past(ev:report("proxy-process.oom-killed", "container", status.name,
        "container %s was ended by the kernel because it used more memory than it may", status.name), runs_again(ev, status)):cite(status))
    end
  end
  local killed = ev:last("event.oom")
  local invoked, group = ev:last("event.invoked"), ev:last("event.group")
  -- Who asks for the memory is not always who is ended; but a group's limit is met by its own members.
  if not killed and invoked and group and not ev:last("event.victim") then
    facts.ended = true
    memory_advice(past(ev:report("proxy-process.oom-killed", "proxy", proxy_name(ev),
      "the memory limit of the proxy's container was reached, and the kernel ended a process of it"), came_back(ev, invoked)):confidence("likely")
      :cite(invoked):cite(group))
  end
  if killed then
    facts.ended = true
    memory_advice(past(ev:report("proxy-process.oom-killed", "proxy", proxy_name(ev),
      "the kernel ended the proxy's process because memory ran out"), came_back(ev, killed)):cite(killed))
  end
end

local function ask_killer(ev)
  ev:ask { evidence = "k8s/pods.json, host/dmesg.txt", why = "the proxy was ended by SIGKILL; whether memory or a stop that took too long sent it is not in the evidence",
    how = "@status@ (last state and memory limit); or the kernel log of its host: dmesg -T | grep -i -E 'killed process|oom', or journalctl -k" }
end

-- Istio's agent writes its guess after every SIGKILL.
local function report_killed(ev, record, guess)
  return past(ev:report("proxy-process.crashed", "proxy", proxy_name(ev),
    "the proxy was ended by SIGKILL; who sent it is not in the evidence"), came_back(ev, record))
    :severity("warning"):confidence("possible"):cite(record)
    :candidate("proxy-process.oom-killed", { ["for"] = guess and "the agent guesses so" or "the kernel ends a process so when memory runs out",
      against = guess and "it guesses so after every SIGKILL" or nil })
    :candidate("probes.terminating", { ["for"] = "a pod that does not end in its grace period is killed the same way" })
end

local function guessed(ev, facts)
  local record = ev:last("event.guess")
  if not record or facts.ended then return end
  report_killed(ev, record, true)
  ask_killer(ev)
end

local SIGNALS = { ["139"] = "SIGSEGV", ["134"] = "SIGABRT", ["132"] = "SIGILL", ["135"] = "SIGBUS", ["136"] = "SIGFPE" }

local function crash_advice(ev, finding)
  local proxy = ev:first("proxy")
  return finding:advise("keep the whole backtrace with the version, search Envoy's issues for its frames, and try the newest patch release of "
      .. (proxy and proxy.version and "the line of " .. proxy.version or "this line"),
    "curl -s http://ADMIN/server_info | grep version")
    :advise("note what changed just before: configuration pushes, an extension (Wasm, Lua), the kind of traffic")
    :reference("https://github.com/envoyproxy/envoy/blob/main/SECURITY.md")
end

-- Other programs panic too: only Envoy's words for a signal need no level to be known for Envoy's.
local function last_crash(ev)
  local found
  for record in ev:each("event.crash") do
    if record.level == "critical" or record.origin == "envoy" or (record.what or ""):find("^Caught") then found = record end
  end
  return found
end

-- The signal that follows an assertion says less than the assertion.
local function told_before(ev, crash)
  local time, found = ev:time(crash), crash
  if not (crash.what or ""):find("^Caught") then return crash end
  for record in ev:each("event.crash") do
    local at = ev:time(record)
    local near = time and at and at <= time and time - at < 2
    if near and not (record.what or ""):find("^Caught") then found = record end
  end
  return found
end

local function advise_inotify(finding, record)
  if (record.message or ""):find("inotify", 1, true) then
    finding:advise("raise the number of inotify instances of the node: every Envoy that watches files takes one, and they are counted per user",
      "sysctl fs.inotify.max_user_instances; sysctl -w fs.inotify.max_user_instances=8192")
  end
end

-- An assertion about a descriptor that could not be had names no reason; the limit of open files is the usual one.
local function doubt_descriptors(ev, finding, record)
  if not (record.message or ""):match("assert failure: fd != %-1") and not (record.message or ""):find("SOCKET_VALID", 1, true) then return end
  finding:candidate("proxy-process.file-descriptors", { ["for"] = "a socket could not be opened, most often because the limit of open files is reached",
    against = "the line does not name the reason" })
  ev:ask { evidence = "host/limits.txt", why = "the limit of the shell is not that of the process: systemd, docker and the task definition set their own",
    how = "grep 'open files' /proc/$(pidof -s envoy)/limits; systemctl show -p LimitNOFILE UNIT; and the whole backtrace of the crash" }
end

-- A code of the process's own: why it gave up stands at the end of its log.
local function ask_last_words(ev, status)
  local code = status.exit_code or "0"
  local silent = ev:count("log") == 0 and not runs_again(ev, status) and status.init ~= "yes"
  if code == "0" or code == "143" or code == "137" or not silent then return end
  local space, pod = (status.workload or ""):match("^([%w.-]+)/([%w.-]+)$")
  local name = debrief.match(status.name or "", [[^[\w.-]+$]]) and status.name or "CONTAINER"
  ev:ask { evidence = "log/envoy.log", why = string.format("container %s ended with code %s, and its own log, which tells why, is not given", status.name, code),
    how = pod and string.format("kubectl -n %s logs %s -c %s --previous", space, pod, name)
      or status.platform == "ecs" and "aws logs tail GROUP (the log group of container " .. name .. "'s logConfiguration) --since 1h"
      or "docker logs " .. name }
end

local function crashes(ev, list, facts)
  local record = last_crash(ev)
  if record and not facts.ended then
    facts.ended = true
    local said = told_before(ev, record)
    local finding = past(ev:report("proxy-process.crashed", "proxy", proxy_name(ev), "the proxy crashed: %s",
      ((said.what or "") .. " " .. ((said.rest or ""):match("^[^\n]*"))):gsub("%s+", " ")), came_back(ev, record)):cite(said):cite(record)
    advise_inotify(finding, said)
    doubt_descriptors(ev, finding, said)
    crash_advice(ev, finding)
  end
  for _, status in ipairs(list) do
    local signal = SIGNALS[status.exit_code or ""]
    if signal and not is_memory(status) then
      local finding = past(ev:report("proxy-process.crashed", "container", status.name,
        "container %s ended with code %s (%s)", status.name, status.exit_code, signal), runs_again(ev, status)):cite(status)
      local limit, said = raised_limit(ev)
      if signal == "SIGSEGV" and not facts.ended then
        finding:candidate("proxy-process.file-descriptors", { ["for"] = limit and limit <= 1024
          and string.format("the limit of open files is %d: older Envoys crash when it is reached", limit)
          or "older Envoys crash when the limit of open files is reached" }):cite(said)
        ev:ask { evidence = "log/envoy.log", why = "the end of the log of the process that crashed holds the backtrace, or names the limit",
          how = "@log-before@" }
      end
      crash_advice(ev, finding)
      facts.ended = true
    elseif status.exit_code == "137" and not is_memory(status) and not facts.ended and (ev:number(status, "restarts") or 0) > 0 then
      ev:ask { evidence = "host/dmesg.txt", why = "code 137 is a SIGKILL; whether memory or a stop that took too long sent it is not in the evidence",
        how = "dmesg -T | grep -i -E 'killed process|oom', or the pod's events" }
    else
      ask_last_words(ev, status)
    end
  end
end

-- The agents of App Mesh and Istio tell how their child ended.
local function children(ev, facts)
  local record = ev:last("event.child")
  if not record or facts.ended then return end
  local code = record.code or record.code2
  if code == "0" or code == "143" then return end
  local signal = (record.signal or record.signal2 or ""):gsub("%s+$", "")
  if signal:find("killed", 1, true) then
    ask_killer(ev)
    if not ev:last("event.aborting") and not ev:last("log.stop") then report_killed(ev, record):severity "info" end
  end
  for _, word in ipairs { "terminated", "interrupt", "killed" } do -- orders, the last one of whomever
    if signal:find(word, 1, true) then return end
  end
  crash_advice(ev, past(ev:report("proxy-process.crashed", "proxy", proxy_name(ev), "the agent tells that its Envoy ended %s",
    code and "with code " .. code or "by a signal: " .. signal), came_back(ev, record)):cite(record))
  if code == "1" then
    ev:ask { evidence = "log/envoy.log", why = "code 1 is an end at start-up, for a reason that Envoy's own lines name",
      how = "@log-before@" }
  end
end

-- systemd tells how the main process of a unit ended.
local function units(ev, facts)
  local last, memory_said
  for record in ev:each("event.unit") do
    last = record
    if record.killer or record.result == "oom-kill" then memory_said = record end
  end
  if not last or facts.ended then return end
  facts.ended = true
  if memory_said then
    memory_advice(past(ev:report("proxy-process.oom-killed", "proxy", proxy_name(ev),
      "the kernel ended %s.service because memory ran out", memory_said.unit), came_back(ev, memory_said)):cite(memory_said))
  elseif last.result == "core-dump" or SIGNALS[tostring(128 + (tonumber(last.status) or 0))] then
    crash_advice(ev, past(ev:report("proxy-process.crashed", "proxy", proxy_name(ev), "%s.service ended by a crash%s", last.unit,
      last.status and string.format(" (signal %s)", last.status) or ""), came_back(ev, last)):cite(last))
  elseif last.status == "9" then
    ev:ask { evidence = "host/dmesg.txt", why = "signal 9 is a SIGKILL; whether memory or a stop that took too long sent it is not in the evidence",
      how = "dmesg -T | grep -i -E 'killed process|oom'; journalctl -u " .. last.unit }
  end
end

-- ---- a binary that this host cannot run ----

local UNFIT = {
  { "library", "the C library of this image or host is too old for this Envoy: it needs %s",
    "run the official image, or a build for this system (static, or made on the same distribution); a binary that was copied from "
      .. "another system needs that system's C library", "ldd --version; ldd $(command -v envoy)" },
  { "missing", "a shared library that this Envoy needs is not there: %s",
    "run the official image, or install the package that holds the library", "ldd $(command -v envoy)" },
  { "space", "the memory allocator gets no addresses where it asks for them (%s): this is the layout of the address space, not a want of memory",
    "tcmalloc needs a kernel with 48 bits of virtual addresses (many ARM boards have 39), and no ulimit -v: change the kernel or the "
      .. "limit, or run a build without tcmalloc", "getconf LONG_BIT; ulimit -v; zcat /proc/config.gz | grep VA_BITS" },
  { "thread", "the proxy may not start threads (%s): a system call filter or a limit of processes forbids it",
    "an old seccomp profile does not know clone3, which images with glibc 2.34 and later use: update the container runtime and "
      .. "libseccomp (Docker 20.10.10 and later), run an image on an older base, or try without the profile to make sure; else raise "
      .. "the limit of processes (pids)", "docker run --security-opt seccomp=unconfined ... ; cat /sys/fs/cgroup/pids.max; ulimit -u" },
}

local function unfit(ev, facts)
  local record = ev:last("event.start")
  if not record then return end
  for _, row in ipairs(UNFIT) do
    local said = record[row[1]] or row[1] == "thread" and (record.thread2 or record.thread3)
    if said then
      facts.ended = true
      past(ev:report("proxy-process.crashed", "proxy", proxy_name(ev), "the proxy cannot run here: " .. row[2], said), came_back(ev, record)):cite(record)
        :advise(row[3], row[4])
      return
    end
  end
end

-- ---- two of them ----

local function clashes(ev)
  local record = ev:last("event.clash")
  if not record then return end
  local socket = (record.message or ""):find("domain socket", 1, true)
  local foreign = (record.message or ""):find("check user permissions", 1, true)
  past(ev:report("proxy-process.hot-restart-clash", "proxy", proxy_name(ev),
    record.base and "another Envoy with base id %s runs on this host: this one cannot start"
      or socket and "another Envoy with the same base id runs on this host: this one cannot start"
      or foreign and "the shared memory of an Envoy that another user started is still there: this one may not open it and cannot start"
      or "the proxy cannot take over from an Envoy that is not ready for it, or not the same: it cannot start",
    record.base or ""), came_back(ev, record)):cite(record)
    :advise("where no hot restart is wanted (containers), switch it off; two proxies on one host need base ids of their own",
      "envoy --disable-hot-restart ..., or envoy --use-dynamic-base-id ... (or --base-id N)")
    :advise("see that no Envoy of before still runs", "pgrep -a envoy; ss -xlp | grep envoy_domain_socket")
    :reference(HOT_RESTART_DOCS)
end

local process = debrief.check {
  id = "proxy-process",
  title = "does the proxy's process live, and why did it end?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "process" },
  needs = { "log | text | container_status", "?log.start", "?log.stop", "?container_status", "?proxy" },
  events = {
    files = [[(?:got error|accept failure|accept\(\) failed|[fF]ailed|error|unable to|errno)[^\n]{0,120}(?:Too many open files|errno[=: ]24\b)]],
    nofile = [[(?:Raised file descriptor limits? from \d+ to|[oO]pen files[^\n0-9]{0,24}|nofile[^\n0-9]{0,24}) ?(?<limit>\d+)]],
    oom = [[(?:Killed process \d+,? \(?(?<task>envoy)\b|oom-kill:[^\n]*task=(?<victim>envoy)\b)]],
    invoked = [[envoy invoked oom-killer]],
    group = [[(?:mem_cgroup_out_of_memory|Memory cgroup out of memory|constraint=CONSTRAINT_MEMCG|Task in /\S+ killed as a result of limit)]],
    victim = [[(?:[Kk]illed process \d+,? \(?(?<task>[\w.-]+)|oom-kill:[^\n]*task=(?<other>[\w.-]+))]],
    aborting = [[(?:Aborting epoch|Agent draining|Graceful termination|[Rr]eceived signal)]],
    guess = [[may have been out of memory killed]],
    crash = [[(?<what>Caught (?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception), suspect faulting address|assert failure: |panic: |terminat(?:e called after throwing an instance of|ing (?:due to|with) uncaught exception of type) |stuck for more than watchdog_(?:multi)?kill_timeout)]],
    child = [[(?:\[Envoy process \d+\] (?:Exited with code \[(?<code>-?\d+)\]|[^\n]{0,40}was terminated by signal:? ?\[?(?<signal>[^\]\n]+))|(?i:(?:epoch \d+|envoy|envoy process|envoy proxy) (?:exited|terminated))[^\n]{0,24}error\W{1,8}(?:signal: (?<signal2>[a-z ]+)|exit status (?<code2>\d+)))]],
    unit = [[(?<unit>[\w@.\\-]*(?i:envoy|istio|consul|kuma|proxy)[\w@.\\-]*)\.service: (?:Main process exited, code=(?:killed|dumped), status=(?<status>\d+)|Failed with result '(?<result>oom-kill|core-dump)'|A process of this unit has been killed by the (?<killer>OOM) killer)]],
    start = [[(?:(?:^|[ /:])envoy[\w.-]*: [^\n]{0,80}version `(?<library>GLIBC(?:XX)?_[\d.]+)' not found|envoy[^\n]{0,40}error while loading shared libraries: (?<missing>[^:\n]+)|(?<space>MmapAligned\(\) failed)|pthread_create failed: (?<thread>[A-Z][a-z ]+)|(?<thread2>Unable to create a thread with return code: \d+)|thread_impl\.cc:\d+\W+(?<thread3>assert failure: rc == 0))]],
    clash = [[(unable to bind domain socket with (?:base_id=(?<base>\d+), )?id=\d+(?:, errno=98| \(see)|previous envoy process is still initializing|cannot open shared memory region|hot restart version mismatch|Hot restart version mismatch)]],
  },
  findings = {
    ["proxy-process.file-descriptors"] = { title = "the limit of open files is reached", severity = "error",
      explains = { "proxy-process.crashed", "upstreams.connect-fail", "upstreams.no-healthy-host", "lb-health.backend-unready" } },
    ["proxy-process.oom-killed"] = { title = "the kernel ended the proxy for its memory", severity = "error", explains = DOWN },
    ["proxy-process.crashed"] = { title = "the proxy crashed", severity = "error", explains = DOWN },
    ["proxy-process.hot-restart-clash"] = { title = "two Envoys share a base id", severity = "error",
      explains = { "proxy-process.crashed", "probes.wrong-address", "lb-health.no-listener" } },
  },
  run = function(ev)
    local list, only = statuses(ev)
    if not list[1] and only then list = { only } end
    local facts = {}
    files(ev)
    memory(ev, list, facts)
    unfit(ev, facts)
    units(ev, facts)
    crashes(ev, list, facts)
    guessed(ev, facts)
    children(ev, facts)
    clashes(ev)
  end,
}

-- ---- overload ----

-- The names of those that are on, a record that says so, and whether any gauge is known.
local function active_actions(ev)
  local names, first, known = {}, nil, false
  for record in ev:each("stats") do
    local action = (record.name or ""):match("^overload%.envoy%.overload_actions%.(.+)%.active$")
    known = known or action ~= nil
    if action and (ev:number(record, "value") or 0) > 0 then
      names[#names + 1], first = action, first or record
    end
  end
  return names, first, known
end

local function refused_requests(ev)
  local sum, first = 0, nil
  for record in ev:each("stats") do
    if (record.name or ""):match("%.downstream_rq_overload_close$") or (record.name or ""):match("%.downstream_cx_overload_reject$") then
      local value = ev:number(record, "value") or 0
      sum, first = sum + value, value > 0 and (first or record) or first
    end
  end
  return sum, first
end

-- The pressure on fixed_heap is what Envoy reserved and did not give back, of what it may reserve.
local function report_heap(ev)
  local memory, on, proof = ev:first("memory"), {}, nil
  local size = memory and ev:number(memory, "heap_size")
  local used = size and size - (ev:number(memory, "unmapped") or 0)
  for record in ev:each("overload") do
    local most, threshold = ev:number(record, "max_heap_bytes"), ev:number(record, "threshold")
    if used and most and most > 0 and threshold and used / most >= threshold then
      on[#on + 1] = string.format("%s (from %g)", (record.action or ""):gsub("^envoy%.overload_actions%.", ""), threshold)
      proof = record
    end
  end
  if not proof then return false end
  local most = ev:number(proof, "max_heap_bytes")
  ev:report("proxy-process.overload", "proxy", proxy_name(ev), "the heap holds %d of the %d bytes that fixed_heap allows (%d %%): on are %s", used, most,
    math.floor(100 * used / most), table.concat(on, ", ")):confidence("likely"):when("now"):cite(memory):cite(proof):reference(OVERLOAD_DOCS)
    :advise("raise max_heap_size_bytes (below the container's memory limit), or see what takes the heap: connections, buffers, clusters and routes that nobody needs; "
      .. "an Envoy that does nothing has 10 MB and more", "curl -s http://ADMIN/memory; curl -s 'http://ADMIN/stats?filter=overload'")
  return true
end

-- The answer of a proxy that takes no more requests: whoever called got it then.
local function report_answer(ev)
  local said = ev:last("event.answer")
  if not said then return end
  ev:report("proxy-process.overload", "proxy", proxy_name(ev), "the proxy answers 'envoy overloaded': its overload manager takes no more requests"):confidence("likely")
    :cite(said):reference(OVERLOAD_DOCS):advise("see which resource is short (heap, connections), and give the proxy more of it or fewer connections",
      "curl -s 'http://ADMIN/stats?filter=overload'; curl -s http://ADMIN/memory")
  ev:ask { evidence = "admin/stats.txt, admin/memory.json", why = "which action is on and which resource pressed for it, and whether it still does",
    how = "curl -s 'http://ADMIN/stats?filter=overload' > stats.txt; curl -s http://ADMIN/memory > memory.json, then --evidence" }
end

local function report_overload(ev)
  local names, record, known = active_actions(ev)
  local refused, counter = refused_requests(ev)
  local line = ev:last("event.overload")
  local ends = line and line.change == "inactive"
  if not names[1] and refused == 0 and not line then return not known and report_heap(ev) or report_answer(ev) end
  local now = names[1] ~= nil or line and not ends and ev:state("stats") == "absent"
  local finding = ev:report("proxy-process.overload", "proxy", proxy_name(ev), "the overload manager %s%s",
    now and "acts: " .. (names[1] and table.concat(names, ", ") or line.action or "") or "acted, and does so no more",
    refused > 0 and string.format("; %d requests or connections were refused", refused) or "")
    :cite(record or line):cite(counter)
  if not now then
    finding:severity("info"):when("before")
    return
  end
  finding:when("now"):reference(OVERLOAD_DOCS)
    :advise("see which resource is short, and give the proxy more of it or fewer connections; requests that are refused have no upstream in the access log",
      "curl -s 'http://ADMIN/stats?filter=overload'")
end

local function report_watchdog(ev)
  local long, record = ev:stat("server.watchdog_mega_miss")
  if (tonumber(long) or 0) == 0 then return end
  local growing = (ev:number(record, "change") or 0) > 0
  ev:report("proxy-process.overload", "proxy", proxy_name(ev),
    "a thread of the proxy did not answer the watchdog for a long time (%s times)", long):cite(record)
    :severity(growing and "warning" or "info"):when(growing and "now" or "before")
    :advise("see what blocks a thread: too little CPU (throttling), a large configuration push, a filter that computes for long",
      "cat /sys/fs/cgroup/cpu.stat; curl -s 'http://ADMIN/stats?filter=watchdog'")
end

local overload = debrief.check {
  id = "proxy-process/overload",
  title = "does the proxy refuse work to save itself?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "process" },
  needs = { "stats{overload.*} | stats{server.watchdog_*} | stats{*.downstream_rq_overload_close} | text | overload", "?stats{*.downstream_cx_overload_reject}", "?memory", "?overload", "?proxy" },
  events = { overload = [[Overload action (?<action>\S+) became (?<change>active|inactive)]], answer = [[\b[eE]nvoy overloaded\b]] },
  findings = {
    ["proxy-process.overload"] = { title = "the proxy is overloaded", severity = "warning",
      explains = { "lb-health.backend-unready", "probes.too-strict" } },
  },
  run = function(ev)
    report_overload(ev)
    report_watchdog(ev)
  end,
}

-- ---- the admin page ----

local function is_everywhere(host)
  return host == "0.0.0.0" or host == "::" or host == "[::]" or host == "*"
end

local function admin_address(ev)
  for record in ev:each("bootstrap") do
    local host, port = (record.admin_address or ""):match("^(.*):(%d+)$")
    if host then return host, port, record end
  end
end

local function opened_by_socket(ev, port)
  for socket in ev:each("host.sockets") do
    local mine = socket.port == port and (not socket.process or socket.process:find("envoy", 1, true) or socket.process == "-")
    if mine and is_everywhere(socket.address or "") then return socket end
  end
end

local function opened_by_service(ev, port)
  for service in ev:each("k8s.services") do
    for each in ev:items(service, "spec.ports") do
      local target = each.targetPort or each.port
      if tostring(target) == port then return service end
    end
  end
end

local function covers(ev, rule, port)
  local from, to = tonumber(rule.FromPort), tonumber(rule.ToPort)
  local protocol = rule.IpProtocol
  if protocol ~= "tcp" and protocol ~= "-1" and protocol ~= "6" then return false end
  return not from or from <= tonumber(port) and tonumber(port) <= (to or from)
end

local function opened_by_group(ev, port)
  for group in ev:each("aws.security_groups") do
    for rule in ev:items(group, "IpPermissions") do
      for _, family in ipairs { { "IpRanges", "CidrIp", "0.0.0.0/0" }, { "Ipv6Ranges", "CidrIpv6", "::/0" } } do
        for range in ev:items(rule, family[1]) do
          if range[family[2]] == family[3] and covers(ev, rule, port) then return group end
        end
      end
    end
  end
end

local function report_admin(ev)
  local host, port, record = admin_address(ev)
  if not host or not is_everywhere(host) then return end
  local service, group, socket = opened_by_service(ev, port), opened_by_group(ev, port), opened_by_socket(ev, port)
  local how = service and "service " .. (service.id or "") .. " leads to it"
    or group and "security group " .. (group.id or "") .. " lets the whole internet reach the port"
    or socket and "the socket is open on every address"
  local finding = ev:report("proxy-process.admin-exposed", "address", host .. ":" .. port,
    "the admin page listens on every address (%s:%s): %s", host, port,
    how and how .. ", and whoever reaches it can stop or drain the proxy" or "it is as safe as the network around it"):cite(record)
    :cite(service or group or socket)
  if not how then
    finding:severity("info")
    return
  end
  if group then finding:confidence("likely") end
  finding:advise("bind the admin page to loopback, or to a Unix socket (App Mesh: ENVOY_ADMIN_MODE=uds)")
    :snippet("in the bootstrap", "envoy.yaml", "admin:\n  address:\n    socket_address: {address: 127.0.0.1, port_value: " .. port .. "}")
    :advise("until then close the port: take it out of the service, the security group or the network policy")
    :reference(ADMIN_DOCS)
end

local admin = debrief.check {
  id = "proxy-process/admin",
  title = "can strangers reach the admin page?",
  applies = "mode != proxyless",
  version = "0.1.0",
  tags = { "security" },
  needs = { "bootstrap", "?host.sockets", "?k8s.services", "?aws.security_groups" },
  findings = { ["proxy-process.admin-exposed"] = { title = "the admin page can be reached from outside", severity = "warning" } },
  run = report_admin,
}

return { process, overload, admin }
