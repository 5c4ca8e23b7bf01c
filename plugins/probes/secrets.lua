-- Secrets that a gateway asks its control plane for and does not get: what Istio's secret server says of them, in the
-- gateway's own agent (up to 1.5) or in istiod. Only secrets that a proxy waits for count: the old one complained of each
-- secret of its namespace that is no certificate. Reads log lines alone; counters and warming listeners are probes.c's.

local match = debrief.match

-- Why a secret that exists cannot be used; the first row that matches decides.
local REASONS = {
  { [[not authorized|not accessible]], "the gateway's service account may not read secrets of that namespace" },
  { [[found key(s)? .*empty|is empty]], "the secret is there, and its certificate or key is empty or has another name than tls.crt and tls.key (or cert and key)" },
  { [[expected keys|fail to extract]], "the secret is there, and has not the keys that are wanted: tls.crt and tls.key (or cert and key; for the authority ca.crt or cacert)" },
  { [[not found|cannot find]], "there is no such secret in the namespace where it is looked for: that of the gateway's pods" },
}

local function plain(name) return (name:gsub("^kubernetes://", ""):gsub("[:,;.]+$", "")) end

-- What was said of each secret: by name, the newest record of each event.
local function collect(ev, event)
  local found = {}
  for record in ev:each(event) do
    if record.name then found[plain(record.name)] = record end
  end
  return found
end

local function reason_of(text)
  for _, row in ipairs(REASONS) do
    if match(text:lower(), row[1]) then return row[2] end
  end
  return nil
end

local function is_over(ev, pushed, record)
  local time, at = ev:time(record), pushed and ev:time(pushed)
  return time ~= nil and at ~= nil and at > time
end

local function report(ev, name, record, why, over)
  local finding = ev:report("probes.secret-unanswered", "secret", name, "the gateway waits for secret %s: %s%s", name, why,
    over and "; it was sent since" or ""):cite(record)
  if over then
    finding:severity("info"):when("before")
    return finding
  end
  local space, secret = name:match("^([^/]+)/(.+)$")
  finding:advise("see where the secret is and which keys it has", string.format("kubectl get secret -A | grep %s; kubectl -n %s get secret %s -o json | jq '.data | keys'",
    secret or name, space or "istio-system", secret or name))
    :advise("make it of the right kind, in the namespace of the gateway's pods", string.format("kubectl -n %s create secret tls %s --cert=tls.crt --key=tls.key",
      space or "istio-system", secret or name))
    :advise("or correct credentialName of the Gateway")
  return finding
end

return debrief.check {
  id = "probes/secrets",
  title = "are the secrets there that gateways ask for?",
  version = "0.1.0",
  tags = { "istio", "gateway" },
  applies = "mesh = istio",
  needs = { "text" },
  events = {
    wanted = [[(?:[cC]annot find secret (?<name>[\w./:-]+) and cannot find fallback|RESOURCE NAME: (?<asked>[\w./:-]+), EVENT: waiting for|resource:(?<waited>[\w./:-]+) waiting for gateway secret)]],
    unusable = [[(?:[fF]ail to extract secret|[fF]ailed (?:to )?load server cert/key pair from secret) (?<name>[\w./-]+)]],
    refused = [[failed to fetch (?:key and certificate|ca certificate) for (?<name>[\w./:-]+?)(?:$|: )]],
    denied = [[requested secret (?<name>[\w./:-]+) not accessible for proxy]],
    pushed = [[RESOURCE NAME: (?<name>[\w./:-]+), EVENT: pushed]],
  },
  findings = {
    ["probes.secret-unanswered"] = { title = "a secret has not come", severity = "error",
      explains = { "probes.pre-initializing", "probes.initializing", "lb-health.no-listener", "lb-health.backend-unready" } },
  },
  run = function(ev)
    local unusable, pushed, said = collect(ev, "event.unusable"), collect(ev, "event.pushed"), {}
    for record in ev:each("event.wanted") do
      local name = plain(record.name or record.asked or record.waited or "")
      if name ~= "" and not said[name] then
        said[name] = true
        local bad = unusable[name]
        report(ev, name, bad or record, reason_of(bad and bad.message or "not found"), is_over(ev, pushed[name], record))
      end
    end
    for _, event in ipairs { "event.refused", "event.denied" } do
      for name, record in pairs(collect(ev, event)) do
        if not said[name] then report(ev, name, record, reason_of((record.rest or "") .. (event == "event.denied" and " not accessible" or ""))
          or "the control plane cannot read it", false) end
      end
    end
  end,
}
