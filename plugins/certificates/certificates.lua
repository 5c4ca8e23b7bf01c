-- Are the certificates that the proxy holds valid, and will they be? Reads /certs, the certificates in the configuration
-- dump, expiry times in statistics and in AWS's description of a certificate. Dates are judged against the time that the
-- evidence was taken, never against today; a workload's certificate that lives for a day and is rotated at its half is in
-- order with hours left. What peers show is trust.lua's.

local match, dates = debrief.match, debrief.use "dates"

local DAY = 86400
local SHORT = 8 * DAY     -- a certificate of so short a life is rotated by a machine
local LEFT_SHORT = 0.10   -- Istio and SPIRE rotate at half of the life, Consul at nine tenths at the latest
local LEFT_LONG = 0.15    -- of a longer life; renewal by ACME, cert-manager and ACM begins well before
local LEFT_MAX = 30 * DAY

-- Bundles of public authorities: one of them may well have ended, and Envoy shows the first only.
local PUBLIC_BUNDLE = [[ca-certificates\.crt$|ca-bundle\.(crt|pem|trust\.crt)$|tls-ca-bundle\.pem$|/etc/ssl/cert\.pem$|/etc/pki/tls/cert\.pem$|cacert\.pem$]]

-- ---- who uses a certificate ----

-- "file:PATH", "secret:NAME", "inline:TEXT" -> list of { "listener ingress" ... }
local function read_users(ev)
  local users = {}
  local function add(list, text, record)
    for part in (list or ""):gmatch("[^,]+") do
      users[part] = users[part] or {}
      users[part][#users[part] + 1] = { text = text, record = record }
    end
  end
  for record in ev:each("xds.filter_chains") do
    if record.listener then
      add(record.certificate, "listener " .. record.listener, record)
      add(record.trust, "listener " .. record.listener, record)
    end
  end
  for record in ev:each("xds.clusters") do
    if record.name then
      add(record.certificate, "cluster " .. record.name, record)
      add(record.trust, "cluster " .. record.name, record)
    end
  end
  return users
end

local function users_text(users)
  local seen, list = {}, {}
  for _, user in ipairs(users or {}) do
    if not seen[user.text] then list[#list + 1] = user.text end
    seen[user.text] = true
  end
  if #list > 3 then return string.format("%s, %s and %d more", list[1], list[2], #list - 2) end
  return table.concat(list, ", ")
end

-- ---- the certificates, each once ----

-- Adds what RECORD and the fields in WHERE tell to the list, or to what is known of the same certificate from elsewhere.
local function take(list, record, where)
  local begins, ends = dates.seconds(record.valid_from), dates.seconds(record.expires)
  if not begins or not ends or ends <= begins then return end -- old Envoys print dates after 2038 wrong
  local key = table.concat({ record.role or "", record.valid_from, record.expires, record.names or "" }, " ")
  local one = list[key]
  if not one then
    one = { begins = begins, ends = ends, role = record.role, names = record.names, serial = record.serial, records = {}, groups = {} }
    list[key], list[#list + 1] = one, one
  end
  one.records[#one.records + 1] = record
  one.groups[#one.groups + 1] = where.group
  for name, value in pairs(where) do one[name] = one[name] or value end
end

local function from_page(record)
  local file = record.path ~= "<inline>" and record.path or nil
  return { group = "entry " .. (record.entry or "?"), file = file, holder = file and "file:" .. file, days = tonumber(record.days or ""), valid = record.valid }
end

local function from_dump(record)
  local kind, name = record.kind or "?", record.name or "?"
  local secret = kind == "secret" and name or nil
  return { group = kind .. " " .. name, secret = secret, holder = secret and "secret:" .. secret or "inline:" .. (record.text or ""), within = not secret and kind .. " " .. name or nil,
    subject = record.subject, upper = record.role == "leaf" and record.position ~= "0" }
end

-- Several authorities of one context: any of them may be trusted. group -> how many, how many not ended
local function count_authorities(list, now)
  local groups = {}
  for _, one in ipairs(list) do
    for _, group in ipairs(one.role == "ca" and one.groups or {}) do
      groups[group] = groups[group] or { all = 0, living = 0 }
      groups[group].all = groups[group].all + 1
      if one.ends > now.high then groups[group].living = groups[group].living + 1 end
    end
  end
  return groups
end

local function read_certificates(ev)
  local list = {}
  for record in ev:each("certs") do take(list, record, from_page(record)) end
  for record in ev:each("xds.certificates") do take(list, record, from_dump(record)) end
  return list
end

local function is_short(one)
  return one.ends - one.begins <= SHORT
end

local function name_of(one)
  local first = (one.names or ""):match("^[^,]+")
  return first or one.file or one.secret or one.subject or one.serial or "certificate"
end

-- A sentence's subject: what it is, where it stands, who uses it.
local function describe(one, users)
  local what = one.role == "ca" and "the trusted authority" or one.upper and "a certificate of the chain" or "the certificate"
  local where = one.file and "file " .. one.file or one.secret and "secret " .. one.secret or one.within
  local used = users_text(users[one.holder or ""])
  return string.format("%s %s%s%s", what, name_of(one), where and where ~= name_of(one) and " (" .. where .. ")" or "", used ~= "" and ", used by " .. used or "")
end

local function cite(finding, one, users)
  for nth, record in ipairs(one.records) do
    if nth <= 3 then finding:cite(record) end
  end
  for nth, user in ipairs(users[one.holder or ""] or {}) do
    if nth <= 2 then finding:cite(user.record) end
  end
  return finding
end

-- ---- what to do ----

local function identity(ev, one)
  local proxy = ev:first("proxy") or {}
  local spiffe = (one.names or ""):find("spiffe://", 1, true)
  if proxy.mesh == "istio" or (one.names or ""):match("^spiffe://[^,]*/ns/[^/]+/sa/") then return "istio" end
  if proxy.mesh == "consul" or (one.names or ""):match("/ns/[^/]+/dc/") then return "consul" end
  return spiffe and "spire" or proxy.mesh == "appmesh" and "appmesh" or nil
end

local ROTATION = {
  istio = { "see why the agent gets no new certificate: it must reach istiod (port 15012) and be allowed to sign there",
    "istioctl proxy-config secret POD.NAMESPACE; kubectl logs POD -n NAMESPACE -c istio-proxy | grep -iE 'secret|csr|istiod'" },
  consul = { "see why the agent renews no leaf certificate, and that the CA answers", "consul debug -duration=10s; curl -s http://127.0.0.1:8500/v1/agent/connect/ca/roots" },
  spire = { "see why the SPIRE agent does not rotate: it must reach the server and have an entry for this workload",
    "spire-agent healthcheck; spire-server entry show -spiffeID ID" },
}

local function advise_renewal(ev, finding, one)
  local how = ROTATION[identity(ev, one) or ""]
  if one.role == "ca" then
    finding:advise("give the proxy the authority that signs today (both while they change), then whatever the old one signed must be issued anew")
  elseif how and (one.secret or not one.file) then
    finding:advise(how[1], how[2])
  elseif one.secret then
    finding:advise("issue it anew where secret " .. one.secret .. " comes from; the secret discovery service sends it, the proxy needs no restart")
  else
    finding:advise("issue it anew: cert-manager, ACME, or your authority (App Mesh: with ACM, see the certificate's renewal)",
      "kubectl get certificate -A; aws acm describe-certificate --certificate-arn ARN")
  end
  if one.file then
    finding:advise("put it into its file and let the proxy load it: Envoy reads files of static configuration when it starts, and only files that come by SDS "
      .. "(path_config_source with watched_directory) again", string.format("openssl x509 -in %s -noout -subject -issuer -dates", one.file))
  end
  finding:reference("https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret")
end

-- Lines and counters that say why no new certificate comes.
local function rotation_trouble(ev)
  local record = ev:last("event.rotation")
  if record then return record end
  for stat in ev:each("stats") do
    local failed = (stat.name or ""):match("^sds%..*%.key_rotation_failed$") or (stat.name or ""):match("^sds%..*%.update_rejected$")
    if failed and (ev:number(stat, "value") or 0) > 0 then return stat end
  end
  return nil
end

-- ---- the verdicts ----

local EXPIRED_WORDS = {
  shown = "%s has expired: it ended on %s, and who looked at it says that it is not valid",
  certain = "%s has expired: it ended on %s, %s before this evidence was taken",
  likely = "%s has expired: it ended on %s, %s before these files were read",
}

-- "certain", "likely", or nil: whether it had ended when the evidence was taken.
local function has_ended(one, now)
  if one.ends <= now.low then return "certain" end
  if one.valid == "no" and one.ends <= now.high then return "certain" end -- what the tool that printed it found
  if one.ends > now.high or one.valid == "yes" or (one.days or 0) > 0 then return nil end
  if now.high - now.low <= DAY and not is_short(one) then return "likely" end
  return one.days == 0 and not is_short(one) and "likely" or nil
end

local function report_expired(ev, one, users, now, sure)
  local at = sure == "certain" and now.low or now.high
  local finding = ev:report("certificates.expired", "certificate", name_of(one), EXPIRED_WORDS[one.valid == "no" and "shown" or sure], describe(one, users),
    one.records[1].expires, dates.span(at - one.ends))
  cite(finding, one, users):when("now"):span { first = one.ends }:confidence(one.role == "ca" and "likely" or sure)
  if sure == "likely" then
    finding:candidate("certificates.expired", { ["for"] = "less than a day was left when the proxy was asked, and it has ended by the clock of this machine" })
      :candidate("certificates.expiring", { ["for"] = "files that were saved before " .. one.records[1].expires .. " show the same" })
  end
  local trouble = rotation_trouble(ev)
  if trouble then finding:cite(trouble) end
  advise_renewal(ev, finding, one)
end

local function report_early(ev, one, users, now)
  local finding = ev:report("certificates.not-yet-valid", "certificate", name_of(one),
    "%s is not yet valid: it begins on %s, %s after this evidence was taken", describe(one, users), one.records[1].valid_from, dates.span(one.begins - now.high))
  cite(finding, one, users):when("now")
    :candidate("certificates.not-yet-valid", { ["for"] = "it was issued for a later time, or by an authority whose clock is ahead" })
    :candidate("ems-connection.clock-skew", { ["for"] = "this host's clock may be behind", against = (ev:first("host.clock") or {}).synchronized == "yes" and "the kernel says that its clock is kept right" or nil })
    :advise("compare the clocks of this host and of the authority with a reference", "date -u; chronyc tracking || timedatectl")
    :advise("if both are right, keep the old certificate until then, or have it issued with an earlier notBefore")
  if ev:state("host.clock") == "absent" then
    ev:ask { evidence = "host/clock.txt", why = "whether the certificate is early or the clock behind", how = "date -u; timedatectl > clock.txt on the proxy's host, then --evidence clock.txt" }
  end
end

-- How much was left when the evidence was taken; of older evidence also what became of that since.
local function left_words(ev, one, now)
  local _, _, today = ev:now()
  local left = dates.span(one.ends - now.high)
  if today - now.high < DAY then return "in " .. left end
  return left .. " after this evidence was taken; by this machine's clock " .. (today < one.ends and "in " .. dates.span(one.ends - today)
    or "that was " .. dates.span(today - one.ends) .. " ago")
end

local function report_expiring(ev, one, users, now, trouble)
  local left = one.ends - now.high
  local finding = ev:report("certificates.expiring", "certificate", name_of(one), "%s ends on %s, %s%s", describe(one, users), one.records[1].expires,
    left_words(ev, one, now), is_short(one) and string.format(", and was not rotated: %d %% of its %s are over", math.floor(100 * (1 - left / (one.ends - one.begins))),
      dates.span(one.ends - one.begins)) or "")
  cite(finding, one, users):when("now")
  if trouble then finding:cite(trouble) end
  advise_renewal(ev, finding, one)
end

local function is_expiring(one, now, trouble)
  local life, left = one.ends - one.begins, one.ends - now.high
  if now.high - now.low > DAY and not one.days then return false end -- nobody knows what was left
  if is_short(one) then
    local fresh = now.high - now.low <= life / 20
    return fresh and (left < life * LEFT_SHORT or trouble ~= nil and left < life * 0.45)
  end
  return left < math.min(life * LEFT_LONG, LEFT_MAX)
end

local function judge(ev, one, users, now, groups)
  if one.role == "ca" then
    for _, group in ipairs(one.groups) do
      if groups[group].all > 1 and groups[group].living > 0 then return end
    end
    if match(one.file or "", PUBLIC_BUNDLE) then return end
  end
  local sure, trouble = has_ended(one, now), nil
  if not sure and one.ends > now.high then trouble = rotation_trouble(ev) end
  if sure then
    report_expired(ev, one, users, now, sure)
  elseif one.begins > now.high + 60 then
    report_early(ev, one, users, now)
  elseif one.ends > now.high and one.role ~= "ca" and is_expiring(one, now, trouble) then
    report_expiring(ev, one, users, now, trouble)
  elseif one.ends <= now.high and one.days == 0 then
    ev:ask { evidence = "the time at which /certs was saved", why = string.format("%s lives for %s only: whether it had ended then depends on the hour",
        describe(one, users), dates.span(one.ends - one.begins)), how = "@debrief@; or @log@" }
  end
end

-- ---- statistics, where nothing else tells ----

local function is_rotated(ev)
  local proxy = ev:first("proxy") or {}
  if proxy.mesh then return true end
  for stat in ev:each("stats") do
    -- Consul's agent gives certificates of three days anew, whoever's page it is.
    if (stat.name or ""):match("^cluster%.local_agent%.") or (stat.name or ""):match("^cluster%.consul%-dataplane%.") then return true end
    if (stat.name or ""):match("^sds%.") or (stat.name or ""):match("ssl_context_update_by_sds$") and (ev:number(stat, "value") or 0) > 0 then return true end
  end
  return false
end

local function judge_statistics(ev, now)
  local told
  for stat in ev:each("stats") do
    local owner = match(stat.name or "", [[^(?<kind>listener|cluster)\.(?<name>.+)\.ssl\.certificate\..+\.expiration_unix_time_seconds$]])
    local ends = owner and ev:number(stat, "value")
    told = told or ends
    if ends and ends > 0 and ends <= now.low and not is_rotated(ev) then
      ev:report("certificates.expired", "certificate", owner.kind .. " " .. owner.name, "a certificate of %s %s has expired: it ended %s before this evidence was taken",
        owner.kind, owner.name, dates.span(now.low - ends)):cite(stat):when("now"):span { first = ends }
        :advise("see which one it is, and issue it anew", "curl -s http://ADMIN/certs")
    end
  end
  if told or is_rotated(ev) then return end
  local days, record = ev:stat("server.days_until_first_cert_expiring")
  days = tonumber(days)
  if not days or days >= 14 then return end
  if days > 0 then
    ev:report("certificates.expiring", "proxy", (ev:first("proxy") or {}).node_id or "envoy", "the first of the proxy's certificates ends %d days after these statistics were taken", days)
      :confidence("likely"):cite(record):advise("see which one it is, and when it was issued", "curl -s http://ADMIN/certs")
  end
  ev:ask { evidence = "admin/certs.json", why = "it names the first certificate to end and both its dates: 0 days are ordinary for one that lives for a day, and an end for any other",
    how = "curl -s http://ADMIN/certs > certs.json, then --evidence certs.json" }
end

-- ---- AWS Certificate Manager ----

local function judge_acm(ev, now)
  for record in ev:each("aws.certificates") do
    local name = record.DomainName or record.id
    local ends = dates.seconds(record.NotAfter) or tonumber(record.NotAfter or "")
    if record.Status == "EXPIRED" or ends and ends <= now.low then
      ev:report("certificates.expired", "certificate", name or "certificate", "the certificate %s of ACM has expired%s", name or "", record.NotAfter and " (" .. record.NotAfter .. ")" or "")
        :span { first = ends }:cite(record):advise("renew or replace it; an imported certificate is never renewed by ACM", "aws acm describe-certificate --certificate-arn " .. (record.id or "ARN"))
    end
  end
end

local function run(ev)
  local now, users, list = dates.now(ev), read_users(ev), read_certificates(ev)
  local groups = count_authorities(list, now)
  for _, one in ipairs(list) do judge(ev, one, users, now, groups) end
  if #list == 0 then judge_statistics(ev, now) end
  judge_acm(ev, now)
end

local BROKEN = {
  "upstreams.tls-verify-failed", "upstreams.connect-fail", "upstreams.no-healthy-host", "ems-connection.client-certificate-refused",
  "ems-connection.tls-unverified", "ems-connection.tls-expired", "ems-connection.clock-skew", "ems-connection.not-connected",
  "grpc-codes.identity-rejected", "grpc-codes.no-credentials", "lb-health.protocol-mismatch", "lb-health.backend-unready",
}

return debrief.check {
  id = "certificates",
  title = "are the proxy's certificates valid, and for how long?",
  applies = "any",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "gateway" },
  needs = { "certs | xds.certificates | stats{*.ssl.certificate.*} | stats{server.days_until_first_cert_expiring} | aws.certificates", "?certs", "?xds.certificates",
    "?stats{*.ssl.certificate.*}", "?stats{server.days_until_first_cert_expiring}", "?stats{sds.*}", "?stats{*.ssl_context_update_by_sds}", "?stats{cluster.local_agent.membership_total}",
    "?stats{cluster.consul-dataplane.membership_total}", "?xds.filter_chains",
    "?xds.clusters", "?proxy", "?log", "?host.clock", "?aws.certificates" },
  events = {
    rotation = [[(?i)failed to (generate|warm|fetch|rotate|renew|sign)[^\n]{0,60}(certificate|secret|csr|svid)|(unable|failed) to (renew|rotate) x509-?svid|csr (request|signing)[^\n]{0,40}(fail|error)]],
  },
  findings = {
    ["certificates.expired"] = { title = "a certificate has expired", severity = "error", explains = BROKEN },
    ["certificates.expiring"] = { title = "a certificate is about to expire", severity = "warning" },
    ["certificates.not-yet-valid"] = { title = "a certificate is not yet valid", severity = "error", explains = BROKEN },
  },
  run = run,
}
