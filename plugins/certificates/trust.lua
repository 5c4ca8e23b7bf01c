-- Why one side refuses the other's certificate: another root, an unknown or self-signed issuer, dates. Compares the chain
-- that a host showed (openssl s_client, a probe) with the authorities that the cluster trusts, reads the reason that Envoy
-- from 1.37 on prints, and what App Mesh was told. A counter alone names no cause: upstreams reports that, and this check asks
-- for what would decide. Names that do not match are upstreams.tls-verify-failed; the management server is ems-connection's.

local match, dates = debrief.match, debrief.use "dates"

local DOCS = "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/security/ssl#certificate-selection"

-- Lines about the link to the management server.
local XDS_LINE = [[config stream|gRPC config|Stream(Aggregated|Clusters|Listeners|Secrets|Routes|Runtime|Endpoints)|Delta(Aggregated|Secrets|Clusters|Listeners)|\bxds\b|XDS|ADS:|xdsproxy|\bistiod\b]]

-- "CN = Known CA", "CN=Known CA" and "/CN=Known CA" are one name.
local function plain(name)
  return ((name or ""):gsub("^/", ""):gsub("/(%u[%w.]*=)", ", %1"):gsub("%s*=%s*", "="):gsub(",%s*", ", "))
end

-- ---- whom a cluster trusts ----

-- { names, keys, records, text, whole }: the authorities of the trust "inline:TEXT", "secret:NAME", "file:PATH".
local function read_trust(ev, cluster)
  local trust = { names = {}, keys = {}, records = {}, text = cluster.trust, whole = false }
  local text, secret = (cluster.trust or ""):match("inline:([^,]+)") or "", (cluster.trust or ""):match("secret:([^,]+)")
  local file = (cluster.trust or ""):match("file:([^,]+)")
  for record in ev:each("xds.certificates") do
    local mine = record.role == "ca" and (record.text == text or record.kind == "secret" and record.name == secret)
    if mine then
      trust.names[plain(record.subject)] = true
      if record.key_id then trust.keys[record.key_id] = true end
      trust.records[#trust.records + 1] = record
      trust.list = (trust.list and trust.list .. "; " or "") .. (record.subject or "?")
    end
  end
  -- A file of one authority, printed by hand beside the chain.
  local by_hand
  for record in ev:each("net.tls") do
    if file and not record.host and record.subject and plain(record.subject) == plain(record.issuer) then
      by_hand = by_hand == nil and record or false
    end
  end
  if by_hand and #trust.records == 0 then
    trust.names[plain(by_hand.subject)], trust.records[1], trust.list, trust.by_hand = true, by_hand, by_hand.subject, true
  end
  return #trust.records > 0 and trust or nil
end

-- ---- whose chain was shown ----

local function endpoints_of(ev, cluster)
  local places = {}
  for place in (cluster.endpoints or ""):gmatch("[^,]+") do places[place] = true end
  for host in ev:each("hosts") do
    if host.cluster == cluster.name then
      if host.address then places[host.address] = true end
      if host.hostname then places[host.hostname] = true end
    end
  end
  return places
end

local function is_of(shown, cluster, places)
  local port = shown.port and ":" .. shown.port or ""
  for _, host in ipairs { shown.address or false, shown.host or false } do
    if host and (places[host .. port] or places[host]) then return true end
  end
  for name in (cluster.accepts or ""):gmatch("[^,]+") do
    if shown.host and name:lower() == shown.host:lower() then return true end
  end
  return false
end

local function shown_by(ev, cluster)
  local places, last = endpoints_of(ev, cluster), nil
  for record in ev:each("net.tls") do
    if record.subject and is_of(record, cluster, places) then last = record end
  end
  return last
end

-- ---- the verdict on a chain ----

local function is_self_signed(shown)
  return shown.verify_code == "18" or shown.subject ~= nil and plain(shown.subject) == plain(shown.issuer)
end

-- id, sentence, confidence, candidates; nil when what was shown fits.
local function judge_chain(shown, trust, now)
  local begins, ends = dates.seconds(shown.valid_from), dates.seconds(shown.chain_expires) or dates.seconds(shown.expires)
  if ends and ends <= now.high then
    local own = shown.expires == (shown.chain_expires or shown.expires)
    return "expired", string.format("has expired: %s ended on %s", own and "it" or "a certificate of its chain", own and shown.expires or shown.chain_expires), ends <= now.low and "certain" or "likely"
  end
  if begins and begins > now.high then return "not-yet-valid", "is not yet valid: it begins on " .. shown.valid_from, "certain" end
  local key, issuer = shown.chain_key_id, plain(shown.chain_issuer or shown.issuer)
  local known = trust and (key and trust.keys[key] or trust.names[issuer])
  if is_self_signed(shown) then
    if trust and trust.names[plain(shown.subject)] then return nil end
    return "untrusted", "is signed by itself, and not one of the authorities that are trusted" .. (trust and " (" .. trust.list .. ")" or ""), trust and "certain" or "likely"
  end
  if not trust then return nil end
  if trust.names[issuer] and key and next(trust.keys) and not trust.keys[key] then
    return "root-mismatch", string.format("leads to %s, and the proxy trusts an authority of that name with another key: the root was replaced under the same name", shown.chain_issuer), "certain"
  end
  if known then return nil end
  if shown.chain_rooted == "yes" or shown.verify_code == "19" then
    return "root-mismatch", string.format("leads to %s, and the proxy trusts %s", shown.chain_issuer, trust.list), trust.by_hand and "likely" or "certain"
  end
  return "root-mismatch", string.format("was issued by %s, and the proxy trusts %s", shown.chain_issuer or shown.issuer, trust.list), "likely",
    "the server may not send the intermediate certificate that leads from one to the other"
end

local STEPS = {
  ["root-mismatch"] = {
    { "give the proxy the root that the server's chain ends in (App Mesh: clientPolicy.tls.validation.trust; Istio: one root for all meshes, or caCertificates of the DestinationRule), "
      .. "or have the server's certificate issued under the root that is trusted" },
    { "while a root changes, trust both: first the new root everywhere, then new certificates, then drop the old root" },
  },
  ["untrusted"] = {
    { "have the certificate issued by an authority that the proxy trusts, or add its issuer to trusted_ca of the cluster" },
    { "see that the server sends its intermediate certificates too", "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null" },
  },
  ["expired"] = { { "renew the certificate where the server has it, and have the server load it" } },
  ["not-yet-valid"] = { { "compare the clocks of both hosts with a reference", "date -u; chronyc tracking || timedatectl" },
    { "if both are right, have the certificate issued with an earlier begin" } },
}

local function advise(finding, slug)
  for _, step in ipairs(STEPS[slug]) do finding:advise(step[1], step[2]) end
  return finding:reference(DOCS)
end

-- ---- clusters whose handshakes fail ----

-- cluster or listener -> { failed, change, handshakes, record }
local function read_failures(ev, kind)
  local failures = {}
  for record in ev:each("stats") do
    local name, leaf = (record.name or ""):match("^" .. kind .. "%.(.+)%.ssl%.([%w_]+)$")
    local value = ev:number(record, "value")
    if name and value and (leaf == "fail_verify_error" or leaf == "handshake") then
      failures[name] = failures[name] or { failed = 0, handshakes = 0 }
      local one = failures[name]
      if leaf == "handshake" then
        one.handshakes = value
      else
        one.failed, one.change, one.record = value, ev:number(record, "change"), record
      end
    end
  end
  return failures
end

-- Verification does not fail by chance: where no handshake ever succeeded it fails still.
local function fails_now(one)
  return one ~= nil and one.failed > 0 and ((one.change or 0) > 0 or one.change == nil and one.handshakes == 0)
end

local function report_chain(ev, cluster, one, shown, trust, now)
  local slug, why, confidence, instead = judge_chain(shown, trust, now)
  if not slug then return false end
  local finding = ev:report("certificates." .. slug, "cluster", cluster.name, "the certificate that the hosts of cluster %s show%s %s", cluster.name,
    shown.subject and " (" .. shown.subject .. ")" or "", why):when("now"):confidence(confidence):cite(shown)
  for nth, record in ipairs(trust and trust.records or {}) do
    if nth <= 3 and (slug == "root-mismatch" or slug == "untrusted") then finding:cite(record) end
  end
  finding:cite(one.record)
  if instead then
    finding:candidate("certificates.root-mismatch", { ["for"] = "the names of the two authorities differ" }):candidate("certificates.untrusted", { ["for"] = instead })
  end
  if slug == "not-yet-valid" then finding:candidate("ems-connection.clock-skew", { ["for"] = "this host's clock may be behind" }) end
  advise(finding, slug)
  return true
end

local function ask_chain(ev, cluster)
  local file = (cluster.trust or ""):match("file:([^,]+)")
  local place = (cluster.endpoints or ""):match("^[^,]+") or "HOST:PORT"
  local name = (cluster.accepts or ""):match("^[^,*]+") or place:match("^(%a.*):%d+$") or "NAME"
  ev:ask { evidence = "the chain that cluster " .. cluster.name .. " is shown, and whom it trusts", why = "the counter is one for another root, a self-signed certificate and wrong dates",
    how = string.format("openssl s_client -connect %s -servername %s -showcerts </dev/null > s_client.txt 2>&1%s, then --evidence", place, name,
      file and "; openssl x509 -in " .. file .. " -noout -subject -issuer -dates > trusted.txt" or "") }
end

-- The clusters that fail, for texts that name none.
local function judge_clusters(ev, failures, now)
  local failing = {}
  for cluster in ev:each("xds.clusters") do
    local one = failures[cluster.name or ""]
    if fails_now(one) then
      local shown, trust = shown_by(ev, cluster), read_trust(ev, cluster)
      failing[#failing + 1] = { name = cluster.name, record = one.record, told = shown ~= nil and report_chain(ev, cluster, one, shown, trust, now) }
      if not shown then ask_chain(ev, cluster) end
    end
  end
  return failing
end

-- ---- texts ----

local TEXTS = {
  { [[certificate has expired(?! or is not yet valid)]], "expired", "has expired" },
  { [[certificate is not yet valid]], "not-yet-valid", "is not yet valid" },
  { [[self[- ]signed certificate in (the )?certificate chain]], "root-mismatch", "leads to a root of its own that is not trusted" },
  { [[self[- ]signed certificate]], "untrusted", "is signed by itself" },
  { [[unable to get (local )?issuer certificate|unable to verify the first certificate]], "untrusted", "is from an authority that is not trusted" },
}

local ALERTS = {
  SSLV3_ALERT_CERTIFICATE_EXPIRED = { "expired", "or a certificate of its chain, has expired, says the peer" },
  TLSV1_ALERT_UNKNOWN_CA = { "untrusted", "is from an authority that the peer does not trust" },
}

local function text_of(record)
  return ((record.message or "") .. " " .. (record.rest or "")):gsub("_", " ")
end

-- Who refuses, as far as counters tell: the one cluster that fails, else a listener whose clients' certificates fail.
local function refused_side(ev, failing, record)
  if #failing == 1 then return "cluster", failing[1].name, failing[1].record, "the certificate that the hosts of cluster " .. failing[1].name .. " show" end
  if #failing == 0 then
    for name, one in pairs(read_failures(ev, "listener")) do
      if one.failed > 0 and not name:find("^admin") then return "listener", name, one.record, "the certificate that clients show to listener " .. name end
    end
  end
  return "workload", record.workload or record.container or "upstream", nil, "the certificate that the peer shows"
end

local function ask_text(ev)
  ev:ask { evidence = "net.tls: openssl s_client output, and the trusted authority", why = "whether it is another root, or a missing intermediate",
    how = "openssl s_client -connect HOST:PORT -servername NAME -showcerts </dev/null > s_client.txt 2>&1, then --evidence s_client.txt" }
end

-- Whether the link to the management server fails in TLS: then a line that names no connection may be about that one.
local function xds_fails_in_tls(ev)
  for record in ev:each("log.xds_closed") do
    if match(record.message or "", [[TLS[ _]error|CERTIFICATE_VERIFY_FAILED|x509:]]) then return true end
  end
  return false
end

local function judge_texts(ev, failing, failures)
  if #failing == 1 and failing[1].told then return end
  local unnamed = not xds_fails_in_tls(ev)
  for record in ev:each("event.verify") do
    local text = text_of(record)
    local other = not match(text .. (record.message or ""), XDS_LINE) and (unnamed or match(text, "CERTIFICATE VERIFY FAILED"))
    for _, row in ipairs(other and TEXTS or {}) do
      if match(text, row[1]) then
        local kind, name, proof, what = refused_side(ev, failing, record)
        local over = kind == "workload" and next(failures) ~= nil -- no cluster fails any more, or another proxy wrote it
        local finding = ev:report("certificates." .. row[2], kind, name, "%s %s, and is refused", what, row[3]):cite(record):cite(proof)
        if over then finding:severity("info"):when("before") elseif kind == "listener" then finding:severity("warning") end
        if row[2] == "untrusted" then
          finding:candidate("certificates.untrusted", { ["for"] = "its issuer is none that is trusted, or an intermediate is not sent" })
            :candidate("certificates.root-mismatch", { ["for"] = "the server's chain may end in another root than the one that is trusted: the same text" })
          if #failing == 0 then ask_text(ev) end
        end
        advise(finding, row[2])
        break
      end
    end
  end
end

-- One line of a long log may be a scanner's. In a short text somebody chose it, and an answer that quotes the alert is about
-- a request that failed by it.
local function counts(ev, record)
  if ev:count("log.tls_error") >= 3 or match(record.message or "", [[reset reason|upstream connect error]]) then return true end
  local lines = 0
  for each in ev:each("log") do lines = lines + (ev:number(each, "lines") or 0) end
  return lines <= 60
end

-- The peer's word about our own certificate.
local function judge_alerts(ev)
  for record in ev:each("log.tls_error") do
    local row = ALERTS[record.error or ""]
    if row and not match(record.message or "", XDS_LINE) and counts(ev, record) then
      local finding = ev:report("certificates." .. row[1], "proxy", (ev:first("proxy") or {}).node_id or "envoy", "the certificate that the proxy shows %s (alert %s)", row[2], record.error)
        :severity("warning"):confidence("likely"):cite(record)
        :advise("look at the proxy's own certificates, and at what the peer trusts", "curl -s http://ADMIN/certs")
      if row[1] == "expired" then
        finding:candidate("certificates.expired", { ["for"] = "it was not renewed, or the proxy still shows the old one: a proxy that renews by files or SDS must load the new one" })
          :candidate("ems-connection.clock-skew", { ["for"] = "the peer's clock may be ahead" })
        ev:ask { evidence = "admin/certs.json", why = "it tells the dates of the certificate that this proxy shows", how = "curl -s http://ADMIN/certs > certs.json, then --evidence certs.json" }
      end
      if row[1] == "untrusted" then finding:candidate("certificates.root-mismatch", { ["for"] = "the peer may trust another root" }) end
    end
  end
end

-- `consul troubleshoot proxy` has looked at the proxy's own.
local function judge_consul(ev)
  local record = ev:last("event.consul_expired")
  if record then
    advise(ev:report("certificates.expired", "proxy", (ev:first("proxy") or {}).node_id or "envoy", "%s of the proxy has expired, says consul troubleshoot",
      match(record.what or "", "(?i)^ca") and "a trusted authority" or "the certificate"):when("now"):cite(record)
      :advise("see why the agent sends no new one", "consul debug -duration=10s; curl -s http://127.0.0.1:8500/v1/agent/connect/ca/roots"), "expired")
  end
end

-- ---- certificates that somebody printed ----

local function fails_somewhere(ev)
  if ev:count("log.tls_error") > 0 or ev:count("event.verify") > 0 then return true end
  for record in ev:each("access.error") do
    if ("," .. (record.flags or "") .. ","):find(",UF,", 1, true) then return true end
  end
  return false
end

-- openssl's output beside a failure, where no cluster's configuration tells whose certificate it is. The output says no time of
-- its own: by the dates of the other lines it had ended, or else by the clock of whoever reads it now.
local function judge_printed(ev, failing, now)
  if #failing > 0 or not fails_somewhere(ev) then return end
  for record in ev:each("net.tls") do
    local ends, begins = dates.seconds(record.expires), dates.seconds(record.valid_from)
    local sure = ends and (ends <= now.low and "certain" or ends <= now.high and "likely")
    local early = begins and begins > now.high
    local name = record.subject or record.host or "that was printed"
    if sure then
      advise(ev:report("certificates.expired", "certificate", record.subject or "certificate", "the certificate %s has expired: it ended on %s%s", name, record.expires,
        sure == "certain" and ", " .. dates.span(now.low - ends) .. " before the last line of the log" or ""):confidence("likely"):cite(record), "expired")
    elseif early then
      advise(ev:report("certificates.not-yet-valid", "certificate", record.subject or "certificate", "the certificate %s is not yet valid: it begins on %s", name, record.valid_from)
        :confidence("likely"):cite(record), "not-yet-valid")
    end
  end
end

-- ---- App Mesh, as declared ----

-- The issuer of an ACM certificate, from its description.
local function issuers(ev)
  local by_arn = {}
  for record in ev:each("aws.certificates") do
    if record.CertificateArn and record.CertificateAuthorityArn then by_arn[record.CertificateArn] = record end
  end
  return by_arn
end

local function judge_app_mesh(ev)
  local by_arn, clients = issuers(ev), {}
  if next(by_arn) == nil then return end
  for record in ev:each("aws.appmesh") do
    if record.kind == "virtualNode" or record.kind == "virtualGateway" then
      local trusted = {}
      for arn in ev:items(record, "spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityArns") do trusted[#trusted + 1] = arn end
      if #trusted > 0 then clients[#clients + 1] = { record = record, trusted = trusted } end
    end
  end
  for record in ev:each("aws.appmesh") do
    for listener in ev:items(record, "spec.listeners") do
      local certificate = by_arn[listener["tls.certificate.acm.certificateArn"] or ""]
      for _, client in ipairs(certificate and clients or {}) do
        local known = false
        for _, arn in ipairs(client.trusted) do known = known or tostring(arn) == certificate.CertificateAuthorityArn end
        if not known and client.record ~= record then
          advise(ev:report("certificates.root-mismatch", "virtual-node", client.record.id or "virtual node",
            "the client policy of %s trusts %s, and the certificate of %s is issued by %s", client.record.id or "?", table.concat(client.trusted, ", "), record.id or "?",
            certificate.CertificateAuthorityArn):severity("warning"):confidence("likely"):cite(client.record):cite(record):cite(certificate), "root-mismatch")
        end
      end
    end
  end
end

local function run(ev)
  local now, failures = dates.now(ev), read_failures(ev, "cluster")
  local failing = judge_clusters(ev, failures, now)
  judge_texts(ev, failing, failures)
  judge_alerts(ev)
  judge_consul(ev)
  judge_printed(ev, failing, now)
  judge_app_mesh(ev)
end

local REFUSED = { "upstreams.tls-verify-failed", "upstreams.connect-fail", "upstreams.no-healthy-host" }

return debrief.check {
  id = "certificates/trust",
  title = "why does one side refuse the other's certificate?",
  applies = "any",
  version = "0.1.0",
  tags = { "xds", "appmesh", "istio", "consul", "gateway" },
  needs = { "text | stats{*.ssl.fail_verify_error} | log.tls_error | aws.certificates", "?stats{*.ssl.fail_verify_error}", "?stats{*.ssl.handshake}", "?log.tls_error", "?log.xds_closed", "?net.tls", "?access.error",
    "?xds.clusters", "?xds.certificates", "?hosts", "?certs", "?log", "?proxy", "?aws.certificates", "?aws.appmesh" },
  events = {
    consul_expired = [[(?i)! ((?<what>ca cert(ificate)?|cert(ificate)? chain) is expired)]],
    verify = [[(?i)verify[ _]cert[ _]failed[^\n]{0,120}(has[ _]expired|not[ _]yet[ _]valid|issuer[ _]certificate|self[-_ ]signed[ _]certificate([ _]in[ _](the[ _])?certificate[ _]chain)?)]],
    consul_expired = [[(?i)! ((?<what>ca cert(ificate)?|cert(ificate)? chain) is expired)]],
  },
  findings = {
    ["certificates.root-mismatch"] = { title = "the peer's certificate leads to another root than the trusted one", severity = "error", explains = REFUSED },
    ["certificates.untrusted"] = { title = "a certificate is from an authority that is not trusted", severity = "error", explains = REFUSED },
    ["certificates.expired"] = { title = "a certificate has expired", severity = "error", explains = REFUSED },
    ["certificates.not-yet-valid"] = { title = "a certificate is not yet valid", severity = "error", explains = REFUSED },
  },
  run = run,
}
