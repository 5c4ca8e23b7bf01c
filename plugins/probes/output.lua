-- What a health check itself printed: the output of a container's health command as the runtime keeps it, and what an
-- agent beside the proxy says of its readiness check. Names the tool that is not there, and the admin page that listens
-- elsewhere than where it is asked. Checks of the kubelet are container.lua's; a check that merely fails is a symptom.

local match = debrief.match

-- ---- the health command ----

local function report_missing(ev, record, tool)
  local name = record.container
  ev:report("probes.command-broken", "container", name or "container", "the health command of %s cannot run: %s is not in the image",
    name and "container " .. name or "the container", tool):cite(record)
    :advise("use a tool that the image has, or put this one into it; slim and distroless images have neither curl nor a shell")
    :advise("see what the image has", string.format("docker run --rm --entrypoint sh IMAGE -c 'command -v %s curl wget bash'", tool:match("[^/]+$") or tool))
end

local function judge_output(ev)
  local said = {}
  for record in ev:each("event.missing") do
    local tool = record.tool or record.program
    local key = (record.container or "") .. " " .. (tool or "")
    if tool and record.origin == "health" and not said[key] then
      said[key] = true
      report_missing(ev, record, tool)
    end
  end
  for record in ev:each("event.printed") do
    if not next(said) then
      said.printed = true
      report_missing(ev, record, record.tool or record.program)
    end
  end
end

-- ---- the admin page that an agent asks ----

local function is_socket(address) return address:match("^unix:") ~= nil or address:match("^[/@]") ~= nil end

local function admin_of(ev)
  local record = ev:first("bootstrap")
  if record and record.admin_address then return record.admin_address, record end
  record = ev:last("event.admin")
  return record and record.address, record
end

local function judge_asked(ev)
  local address, proof = admin_of(ev)
  local record = ev:last("event.asked")
  if not address or not record then return end
  local port = address:match(":(%d+)$")
  if not is_socket(address) and (not port or port == record.port) then return end
  ev:report("probes.wrong-address", "proxy", "envoy", "the readiness check asks %s:%s, and the admin page listens on %s alone", record.host,
    record.port, address):cite(record):cite(proof)
    :advise(is_socket(address) and "have the check ask the socket, or give the admin page the address that is asked (ECS Service Connect: the agent's "
      .. "variables decide both, so an agent of another version than its Envoy's set-up disagrees: take the current one)"
      or "have the check ask the port that the admin page listens on", is_socket(address)
      and "curl --unix-socket " .. address:gsub("^unix:/*", "/") .. " http://localhost/ready" or "curl -s http://" .. address .. "/ready")
end

return debrief.check {
  id = "probes/output",
  title = "what do the health checks themselves print?",
  applies = "any",
  version = "0.1.0",
  tags = { "appmesh", "ecs" },
  needs = { "text", "?bootstrap" },
  events = {
    missing = [[(?:^|[\s:])(?:(?<tool>[\w./+-]+): (?:command )?not found\b|exec: \\?"(?<program>[^"\\\s]+)\\?": (?:executable file not found|stat [^\n:]+: no such file))]],
    printed = [["Output": "[^\n]{0,160}?(?:(?<tool>[\w./+-]+): (?:command )?not found\b|exec: \\\\?"(?<program>[^"\\\s]+)\\\\?": executable file not found)]],
    admin = [[\badmin address: (?<address>\S+)]],
    asked = [[(?i)(?:readiness|health|liveness) check[^\n]{0,60}https?://(?<host>127\.0\.0\.1|localhost|\[::1\]):(?<port>\d+)/(?:ready|server_info|stats)[^\n]{0,40}: ]],
  },
  findings = {
    ["probes.command-broken"] = { title = "the health command cannot work", severity = "error", explains = { "lb-health.backend-unready", "lb-health.no-listener" } },
    ["probes.wrong-address"] = { title = "the health check asks the wrong place", severity = "error", explains = { "lb-health.backend-unready", "lb-health.no-listener" } },
  },
  run = function(ev)
    judge_output(ev)
    judge_asked(ev)
  end,
}
