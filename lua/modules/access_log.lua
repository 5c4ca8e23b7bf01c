-- What a line of the access log says of the way that a request went: for checks that judge access.error, which they
-- declare. The details of the answer and the failure of the transport are there in Istio's format and in most formats
-- of JSON, not in Envoy's own default format: then the response flag alone speaks. groups() and at_start() also want
-- log.start as an optional need.

local match = debrief.match

local access = {}

local function known(text)
  return text and text ~= "" and text ~= "-" and text or nil
end

-- Whoever asks all the time to see whether the proxy answers.
function access.is_checker(record)
  return match(record.user_agent or "", [[(?i)health|kube-probe|googlehc|prometheus|probe]]) ~= nil
end

function access.has_flag(record, flag)
  return ("," .. (record.flags or "") .. ","):find("," .. flag .. ",", 1, true) ~= nil
end

-- The cluster that the line names, where its format has it.
function access.cluster(record)
  return known(record.cluster)
end

function access.host(record)
  return known(record.upstream)
end

-- Details and transport failure as one text, blanks as blanks.
function access.words(record)
  local text = (known(record.details) or "") .. " " .. (known(record.transport) or "")
  return (text:gsub("_", " "))
end

local REFUSED_FOR = {
  { "certificate has expired", "it has expired" }, { "not yet valid", "it is not yet valid" },
  { "unable to get local issuer", "its authority is not trusted" }, { "self[- ]signed", "it is signed by itself" },
  { "SAN matcher", "it has none of the names that are expected" },
}

-- What the system said of a connect, in numbers of Linux and macOS or in words.
local ERRNO = {
  { kind = "refused", numbers = { 111, 61, 10061 }, words = "connection refused", "%s refuses connections: nothing listens there",
    "see whether the application listens on that port, and on more than loopback", "ss -ltn (in the application's container); nc -vz HOST PORT" },
  { kind = "timeout", numbers = { 110, 60 }, words = "time", "%s does not accept connections in time: packets are dropped on the way, or the address is not there",
    "see from the proxy's own host whether the address answers; then security groups, network policies, routes, and whether the endpoint "
      .. "is of a pod or task that still lives", "nc -vz -w 5 HOST PORT" },
  { kind = "unreachable", numbers = { 113, 65 }, words = "no route to host", "%s cannot be reached (no route to host): a firewall on the way rejects it, or no host has that address",
    "see the firewall of the target's host (firewalld and iptables answer so for a port that they do not allow), and whether the address is still in use",
    "firewall-cmd --list-all; iptables -S | grep -i reject; ip route get HOST; nc -vz HOST PORT" },
  { kind = "unreachable", numbers = { 101, 51, 99, 97 }, words = "network is unreachable", "%s cannot be reached: this host has no route or address of its own for it",
    "see the proxy's own routes and addresses, of that family (IPv4, IPv6)", "ip route get HOST; ip address" },
  { kind = "reset", numbers = { 104, 54 }, words = "reset by peer", "%s resets connections while they are made",
    "see what stands in front of that port (a load balancer, a firewall, a proxy without backend), and whether it expects TLS", "nc -vz HOST PORT" },
  { kind = "forbidden", numbers = { 13, 1 }, words = "permi", "the system does not let the proxy connect to %s (permission denied)",
    "see which rule forbids it: owner rules of iptables, SELinux, the rights of a Unix socket", "iptables -S OUTPUT; ausearch -m avc -ts recent; ls -l PATH" },
}

-- The sentence about HOST, what to do, the command, and one word for the kind; nil when ERROR is none of these.
function access.errno(error)
  local text = (error or ""):lower()
  for _, row in ipairs(ERRNO) do
    local hit = not text:match("^%d+$") and text:find(row.words, 1, true) ~= nil
    for _, number in ipairs(row.numbers) do hit = hit or text == tostring(number) end
    if hit then return row[1], row[2], row[3], row.kind end
  end
end

-- Why a connection to the upstream failed: the finding's id, what to say of HOST, and what to do.
function access.failure(record)
  local text = access.words(record)
  if text == " " then text = (record.message or ""):gsub("_", " ") end
  if text:find("CERTIFICATE VERIFY FAILED", 1, true) then
    local why = ""
    for _, row in ipairs(REFUSED_FOR) do
      if match(text, row[1]) then why = " (" .. row[2] .. ")" end
    end
    return "upstreams.tls-verify-failed", "the certificate of %s is refused" .. why,
      "compare the certificate that the host shows with the authority and the names that the cluster demands",
      "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null"
  end
  if text:find("WRONG VERSION NUMBER", 1, true) then
    return "upstreams.connect-fail", "the proxy speaks TLS to %s, which speaks plain text there",
      "let both sides speak TLS or none: no TLS for this cluster (Istio: DestinationRule tls.mode DISABLE, or ISTIO_MUTUAL only where the "
        .. "target has a sidecar; a ServiceEntry port 443 that is called with http), or TLS at the target's port", "openssl s_client -connect HOST:PORT </dev/null"
  end
  if match(text, [[(ALERT|HANDSHAKE FAILURE|NO SHARED|CERTIFICATE REQUIRED)]]) then
    return "upstreams.connect-fail", "%s breaks off the TLS handshake: it does not accept what this proxy offers",
      "see what the target demands: a client certificate from an authority that it trusts, a server name, a TLS version",
      "openssl s_client -connect HOST:PORT -servername NAME </dev/null"
  end
  local word = match(text, [[connect(ion)? error: (?<errno>\d+|[A-Z][A-Za-z ]*[a-z])|(?<told>connection timeout|[Cc]onnection (refused|timed out)|No route to host|Network is unreachable)]])
  if word then
    local words, fix, command = access.errno(word.errno or word.told)
    if words then return "upstreams.connect-fail", words, fix, command end
  end
  return "upstreams.connect-fail", "connections to %s fail",
    "see from the proxy's own host whether that address and port are open, and which protocol they speak", "nc -vz HOST PORT"
end

-- ---- lines of one kind together ----

local FLAGS = "https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#config-access-log-format-response-flags"

local function add_group(groups, key, record)
  if not groups[key] then
    groups[key] = { record = record, count = 0, list = {} }
    groups[#groups + 1] = groups[key]
  end
  local group = groups[key]
  group.count = group.count + 1
  group.last = record
  if #group.list < 3 then group.list[#group.list + 1] = record end
  return group
end

-- Errors with one of these flags, by flag and by what was asked; checkers' requests belong to lb-health. Each group:
-- { flag, record (the first one), last, count, list (up to three of them) }.
function access.groups(ev, flags)
  local groups = {}
  for record in ev:each("access.error") do
    local counts = not access.is_checker(record) and not match(access.cluster(record) or "", [[^(BlackHoleCluster|block_?all)$]])
    for _, flag in ipairs(flags) do
      if counts and access.has_flag(record, flag) then
        local key = flag .. " " .. (record.authority or "-") .. (flag == "NR" and " " .. (record.path or ""):gsub("%?.*$", "") or "")
        add_group(groups, key, record).flag = flag
      end
    end
  end
  return groups
end

-- The request of a line, as ev:walk takes it.
function access.request(record)
  local authority = known(record.authority)
  return { method = known(record.method), host = authority, path = known(record.path), port = math.tointeger(tonumber((authority or ""):match(":(%d+)$") or "")) }
end

-- The first lines of a group as proof; the last one tells until when.
function access.cite(ev, finding, group)
  for _, record in ipairs(group.list) do finding:cite(record) end
  return finding:span { count = group.count, last = ev:time(group.last) }:reference(FLAGS)
end

-- Start-up: what nobody could answer within the first minute says nothing of the rest.
function access.at_start(ev, record)
  local time = ev:time(record)
  for start in ev:each("log.start") do
    local began = ev:time(start)
    if time and began and time >= began - 5 and time - began < 60 and start.step and start.step:find("epoch", 1, true) then return true end
  end
  return false
end

return access
