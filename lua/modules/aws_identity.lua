-- Who a proxy is to AWS: what a refusal names, as which role the proxy runs, what the policies at hand say of the refused
-- action, and whether the role's trust policy lets the pod's service account take it. A check that calls decide() declares,
-- each as an optional need, containers, env{AWS_ROLE_ARN}, env{APPMESH_RESOURCE_ARN}, proxy, k8s.service_accounts,
-- aws.roles, aws.policies, aws.policy_names, aws.attached_policies and aws.repository_policies; trust() needs of these
-- containers, env{AWS_ROLE_ARN}, k8s.service_accounts, aws.roles and aws.policies; source() and ask() besides these
-- aws.task_definitions.

local match = debrief.match

local identity = {}

local ROLE = [[^arn:aws[a-z-]*:iam::\d+:role/]]
local WEB = "sts:AssumeRoleWithWebIdentity"

-- The action, the resource and the caller that an AWS refusal names; the ARN may end a sentence, and has no full stop of its own.
function identity.denial(text)
  local found = match(text, [[(?i)authorized to perform:?\s+(?<action>[\w-]+:\w+)(\s+(for|on resource:?)\s+(?<arn>arn:[^\s{},"']*[^\s{},"'.;:]))?]]) or {}
  local user = match(text, [[User:\s+(?<user>arn:\S+)]])
  return { action = found.action, arn = found.arn, user = user and user.user }
end

-- The role that all policies and role descriptions at hand belong to, when it is one.
local function role_of_documents(ev)
  local only, several
  for _, name in ipairs { "aws.roles", "aws.policies" } do
    for record in ev:each(name) do
      local role = record.RoleName
      several = several or only and role and role ~= only
      only = only or role
    end
  end
  return not several and only or nil
end

-- The role as the pod's variables, its service account or the task definition tell it.
local function role_of_workload(ev)
  for record in ev:each("env") do
    if record.name == "AWS_ROLE_ARN" and match(record.value or "", ROLE) then return record.value end
  end
  for record in ev:each("k8s.service_accounts") do
    local role = record['metadata.annotations."eks.amazonaws.com/role-arn"']
    if match(role or "", ROLE) then return role end
  end
  for record in ev:each("containers") do
    if match(record.task_role or "", ROLE) then return record.task_role end
  end
  return nil
end

-- The role that the proxy runs as: named by the refusal, by what describes the workload, or by the documents that somebody
-- thought worth giving. A refused user of IAM has none.
function identity.role(ev, user)
  local assumed = match(user or "", [[:assumed-role/(?<role>[^/]+)/]])
  if assumed then return assumed.role end
  if user then return nil end
  return role_of_workload(ev) or role_of_documents(ev)
end

-- ---- where the role is told, and what to ask for next ----

-- A registered definition has everything; one that somebody wrote down may lack its roles.
local function source_of_task(ev)
  local declared
  for record in ev:each("containers") do
    if match(record.task_role or "", ROLE) then return { role = record.task_role, from = "the task definition", record = record } end
    declared = declared or record.platform == "ecs" and record
  end
  local definition = declared and ev:count("aws.task_definitions") == 1 and ev:first("aws.task_definitions")
  if not definition or definition.taskRoleArn then return nil end
  return { lacks = string.format("task definition %s names no task role (taskRoleArn)", definition.family or declared.workload or ""),
    sure = definition.taskDefinitionArn ~= nil, record = definition }
end

-- The account that the pods at hand run as, when it is one: name, namespace, record, and whether the pod says so.
local function account_of_pod(ev)
  local found
  for record in ev:each("containers") do
    if record.platform == "kubernetes" and record.init ~= "yes" then
      local space, name = (record.workload or ""):match("^([^/]+)/"), record.service_account or "default"
      if found and (found.name ~= name or found.space ~= space) then return nil end
      found = found or { name = name, space = space, record = record }
    end
  end
  return found
end

local function source_of_pod(ev)
  local pod = account_of_pod(ev)
  if not pod then return nil end
  for record in ev:each("k8s.service_accounts") do
    if record["metadata.name"] == pod.name and (not pod.space or record["metadata.namespace"] == pod.space) then
      local role = record['metadata.annotations."eks.amazonaws.com/role-arn"']
      if match(role or "", ROLE) then return { role = role, from = "service account " .. pod.name, record = record } end
      return { lacks = string.format("the pod runs as service account %s, which is bound to no role (annotation eks.amazonaws.com/role-arn)", pod.name),
        sure = true, record = record }
    end
  end
  return { account = pod.name, space = pod.space, record = pod.record }
end

-- { role =, from =, record = }, { lacks =, sure =, record = }, { account =, space =, record = } where the account itself is
-- not given, or {}. What is lacking is told only where LACKING counts: an instance's role may stand behind it.
function identity.source(ev, lacking)
  for record in ev:each("env") do
    if record.name == "AWS_ROLE_ARN" and match(record.value or "", ROLE) then return { role = record.value, from = "AWS_ROLE_ARN", record = record } end
  end
  local found = source_of_task(ev) or source_of_pod(ev) or {}
  return (lacking or not found.lacks) and found or {}
end

-- The same as part of a sentence that tells the refusal; the verdict of policies says it by itself.
function identity.shown(said, source)
  if not source then return "" end
  if source.lacks then return ": " .. source.lacks end
  local name = not said and source.role and source.role:match("([%w+=,.@_-]+)$")
  return name and string.format(" (it runs as role %s, by %s)", name, source.from) or ""
end

-- Asks for the next piece that tells more of who the proxy is: what it runs as, the account's role, the role's policies.
function identity.ask(ev, source, why)
  local name = identity.name(source.role)
  if source.account then
    ev:ask { evidence = "k8s/serviceaccounts.json", why = "which role the service account " .. source.account .. " is bound to",
      how = string.format("kubectl get serviceaccount %s -n %s -o json > serviceaccount.json", source.account:match("^[%w.-]+$") or "NAME",
        (source.space or ""):match("^[%w.-]+$") or "NAMESPACE") }
  elseif name and ev:count("aws.roles") + ev:count("aws.policies") + ev:count("aws.attached_policies") == 0 then
    ev:ask { evidence = "aws/iam.json", why = why or "whether the policies of role " .. name .. " allow it",
      how = string.format("aws iam get-role --role-name %s --output json > role.json; aws iam list-attached-role-policies --role-name %s --output json > "
        .. "attached.json; aws iam list-role-policies --role-name %s, and for each of these aws iam get-role-policy --role-name %s --policy-name POLICY "
        .. "--output json > policy.json", name, name, name, name) }
  elseif not name and not source.lacks then
    ev:ask { evidence = "k8s/pods.json or aws/describe-task-definition.json", why = "it names who the proxy runs as (ECS: the task role; Kubernetes: the service account)",
      how = "@definition@" }
  end
end

-- Names come from evidence and go into commands that people paste: nothing but names may pass.
function identity.name(role) return role and role:match("([%w+=,.@_-]+)$") end

-- The resource that a proxy of App Mesh asks for, as it names itself: an ARN, or nil. Reads proxy and env.
function identity.own_resource(ev)
  local proxy = ev:first("proxy")
  local texts = { proxy and proxy.node_id or "" }
  for record in ev:each("env") do
    if record.name == "APPMESH_RESOURCE_ARN" then texts[#texts + 1] = record.value or "" end
  end
  for _, text in ipairs(texts) do
    if match(text, [[^arn:aws[a-z-]*:appmesh:]]) then return text end
  end
  return nil
end

-- IAM takes one text where a list may stand.
local function values(ev, record, path)
  local list = {}
  for item in ev:items(record, path) do
    if type(item) == "string" then list[#list + 1] = item end
  end
  if #list == 0 and record[path] and not record[path]:match("^[%[{]") then list[1] = record[path] end
  return list
end

-- Statements of a document, as paths below the record; a single one may stand without a list.
local function statements(ev, record, path)
  local list, at = {}, 0
  if record[path .. ".Effect"] then return { path } end
  for _ in ev:items(record, path) do
    list[#list + 1], at = string.format("%s[%d]", path, at), at + 1
  end
  return list
end

-- A trust policy names who may take the role; what a role may do names nobody.
local function is_permission(ev, record)
  for _, path in ipairs { "Statement", "Statement[0]" } do
    if record[path .. ".Principal"] or #ev:keys(record, path .. ".Principal") > 0 then return false end
  end
  return true
end

-- What the documents given allow at all, for a sentence: the actions, at most five.
local function granted(ev)
  local list, seen = {}, {}
  for record in ev:each("aws.policies") do
    for _, path in ipairs(is_permission(ev, record) and { "PolicyDocument.Statement", "Statement", "Document.Statement" } or {}) do
      for _, statement in ipairs(statements(ev, record, path)) do
        for _, action in ipairs(record[statement .. ".Effect"] == "Allow" and values(ev, record, statement .. ".Action") or {}) do
          if not seen[action] then list[#list + 1], seen[action] = action, true end
        end
      end
    end
  end
  local more = #list > 5 and string.format(" and %d more", #list - 5) or ""
  return #list > 0 and table.concat(list, ", ", 1, math.min(#list, 5)) .. more or nil
end

local function any_permission(ev)
  if ev:count("aws.roles") + ev:count("aws.attached_policies") > 0 then return true end
  for record in ev:each("aws.policies") do
    if is_permission(ev, record) then return true end
  end
  return false
end

-- What the policies at hand say of the refusal TEXT: action, arn, role (a name; nil when no document names one), decision,
-- why, reason and record as ev:iam gives them; `only` is where they do allow the action, `grants` what they allow when it
-- is something else. nil when nobody gave any, or nothing names action and resource.
function identity.decide(ev, mesh, text)
  local what = identity.denial(text)
  if not what.action and mesh == "appmesh" then
    what.action, what.arn = "appmesh:StreamAggregatedResources", identity.own_resource(ev)
  end
  local role = identity.role(ev, what.user)
  if not what.action or not what.arn or not any_permission(ev) or what.user and not role then return nil end
  local decision, why, record, reason = ev:iam { role = role or "ROLE", action = what.action, resource = what.arn }
  local said = { decision = decision, why = why, record = record, reason = reason, role = identity.name(role), action = what.action, arn = what.arn }
  if record and record.Effect == "Allow" and (reason == "other-resource" or reason == "more-policies") then
    said.only = values(ev, record, "Resource")
    said.near = why:match("^(.-) allows the action")
  elseif reason == "not-granted" or reason == "more-policies" then
    said.grants = granted(ev)
  end
  return said
end

-- The same as the end of a sentence that tells the refusal.
function identity.verdict(said)
  if not said then return "" end
  local whose = said.role and "the policies of " .. said.role or "the policy that was given"
  if said.only and #said.only > 0 then
    return string.format("; %s%s allows it on %s only", said.near, said.role and " of " .. said.role or "", table.concat(said.only, ", "))
  elseif said.grants then
    return string.format("; %s, as given, allow%s %s and not this", whose, said.role and "" or "s", said.grants)
  end
  local format = said.decision == "denied" and "; so %s say%s: %s" or said.decision == "granted"
    and "; %s say%s otherwise: %s" or "; what %s say%s cannot be decided: %s"
  local why = (said.why or "nothing"):gsub(" of role 'ROLE'", ""):gsub(" for role 'ROLE'", "")
  return string.format(format, whose, said.role and "" or "s", why)
end

-- ---- trust: may the service account take the role? ----

-- "NAMESPACE:NAME" of each service account that the proxy may run as: those bound to the role, those of the pods at hand,
-- or what is both.
local function accounts_of(ev, role)
  local bound, pods, any_bound, both = {}, {}, false, {}
  for record in ev:each("k8s.service_accounts") do
    local space, name = record["metadata.namespace"], record["metadata.name"]
    if space and name and record['metadata.annotations."eks.amazonaws.com/role-arn"'] == role then
      bound[space .. ":" .. name], any_bound = record, true
    end
  end
  for record in ev:each("containers") do
    local space = record.platform == "kubernetes" and record.service_account and (record.workload or ""):match("^([^/]+)/")
    if space then pods[space .. ":" .. record.service_account] = record end
  end
  for id, record in pairs(pods) do
    if bound[id] or not any_bound then both[id] = record end
  end
  return next(both) and both or bound
end

local function trust_document(ev, name)
  for record in ev:each("aws.roles") do
    if record.RoleName == name then return record, "AssumeRolePolicyDocument.Statement" end
  end
  local only, several
  for record in ev:each("aws.policies") do
    if not is_permission(ev, record) then only, several = record, only ~= nil end
  end
  return not several and only or nil, "Statement"
end

local function fits(list, pattern, like)
  for _, value in ipairs(list) do
    if value == pattern or like and debrief.glob(value, pattern) then return true end
  end
  return false
end

-- One statement: whom it lets in, and whether SUBJECT is among them; nil when a condition is none of the usual ones.
local function judge_statement(ev, record, path, subject)
  local lets = { federated = record[path .. ".Principal.Federated"], subjects = {}, fits = true }
  for _, operator in ipairs(ev:keys(record, path .. ".Condition")) do
    local like = operator == "StringLike"
    if not like and operator ~= "StringEquals" then return nil end
    for _, key in ipairs(ev:keys(record, path .. ".Condition." .. operator)) do
      local wanted = values(ev, record, string.format('%s.Condition.%s."%s"', path, operator, key))
      if key:match(":sub$") then
        lets.subjects, lets.key = wanted, key
        lets.fits = lets.fits and fits(wanted, subject, like)
      elseif key:match(":aud$") then
        lets.audience, lets.fits = wanted, lets.fits and fits(wanted, "sts.amazonaws.com", like)
      else
        return nil
      end
    end
  end
  return lets
end

-- Of the trust policy: `takes` tells whether a statement lets SUBJECT in; the first one for web identities is `lets`.
local function judge_trust(ev, record, path, subject)
  local first, takes, unsure
  for _, statement in ipairs(statements(ev, record, path)) do
    local actions = values(ev, record, statement .. ".Action")
    if record[statement .. ".Effect"] == "Allow" and (fits(actions, WEB, true)) then
      local lets = judge_statement(ev, record, statement, subject)
      unsure = unsure or not lets
      takes = takes or lets and lets.fits
      first = first or lets
    end
  end
  return { takes = takes, unsure = unsure and not takes, lets = first }
end

-- Whether the role that the pod is to take trusts its service account, for a pod whose credentials come from a token: nil
-- where role, trust policy or account is not told; else role (a name), account ("NAMESPACE:NAME"), takes, lets and record.
function identity.trust(ev)
  local role = role_of_workload(ev)
  local name = identity.name(role)
  local record, path = trust_document(ev, name)
  if not role or not record then return nil end
  local said
  for account, source in pairs(accounts_of(ev, role)) do
    local judged = judge_trust(ev, record, path, "system:serviceaccount:" .. account)
    if judged.unsure or judged.takes and said and not said.takes or said and said.takes and not judged.takes then return nil end
    said = { role = name, account = account, takes = judged.takes, lets = judged.lets, record = record, source = source }
  end
  return said
end

-- The same as the end of a sentence that tells of the missing credentials.
function identity.distrust(said)
  if not said or said.takes then return "" end
  local lets = said.lets and #said.lets.subjects > 0 and "lets in only " .. table.concat(said.lets.subjects, ", ")
    or said.lets and "does not fit the token's audience" or "lets in no service account at all"
  return string.format("; the trust policy of role %s %s, the pod runs as system:serviceaccount:%s", said.role, lets, said.account)
end

-- Whether the workload gets its role by a service account's token.
function identity.is_web(ev)
  for record in ev:each("env") do
    if record.name == "AWS_ROLE_ARN" then return true end
  end
  return ev:count("k8s.service_accounts") > 0
end

-- The trust policy that lets the account in, in place of the one that does not.
function identity.trust_policy(said)
  local lets = said.lets or {}
  local provider = lets.federated or "arn:aws:iam::ACCOUNT:oidc-provider/ISSUER"
  local issuer = provider:match("oidc%-provider/(.+)$") or "ISSUER"
  return string.format([[{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": { "Federated": "%s" },
    "Action": "%s",
    "Condition": { "StringEquals": {
      "%s:sub": "system:serviceaccount:%s",
      "%s:aud": "sts.amazonaws.com" } }
  }]
}
]], provider, WEB, issuer, said.account, issuer)
end

return identity
