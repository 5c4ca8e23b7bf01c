-- What ECS does for a task before it pulls any image: it reads the task's secrets, opens its log stream and fetches its
-- environment files. A task that stops there has no trouble with its images, however much its stop reason speaks of
-- "registry auth". What the text states is said; why a value is wrong, the evidence seldom holds, and it is asked for.

local match = debrief.match
local ecr, way, words = debrief.use "ecr", debrief.use "aws_way", debrief.use "pull_text"
local safe = ecr.safe

local GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
local NETWORK = [[(?i)i/o timeout|Client\.Timeout|request canceled|RequestCanceled|deadline exceeded|connection refused|no route to host|network is unreachable|timed out|handshake timeout|reset by peer|send request failed|connection issue between|maximum number of attempts|no such host]]

local function quote(text, max)
  text = text:gsub("%s+", " ")
  return #text > max and text:sub(1, max) .. " ..." or text
end

-- The role that ECS itself uses for the task: name, and how to call it in a sentence.
local function role_of(ev, record)
  local assumed = match(record.message, [[assumed-role/(?<name>[^/\s"]+)]])
  local id = not assumed and ecr.puller(ev, "ecs", record.workload, "FARGATE")
  local name = assumed and assumed.name or id and id:match("[^/]+$")
  return name, "the task execution role" .. (name and " '" .. name .. "'" or "")
end


local function failed(ev, record, format, ...)
  return ev:report("image-pull.setup-failed", "task", record.workload or "task", format, ...):cite(record):reference(GUIDE .. "stopped-task-error-codes.html")
end

-- ---- secrets ----

local function secret_named(text)
  local arn = match(text, [[(?<arn>arn:[\w-]+:(?:secretsmanager|ssm):[\w:/+=.@*-]*[\w/+=@*-])]])
  return arn and arn.arn
end

-- The only task definition that tasks name, as a command takes it.
local function family(ev)
  local only
  for task in ev:each("aws.tasks") do
    local name = task.taskDefinitionArn and task.taskDefinitionArn:match("[^/]+$")
    if only and name ~= only then return "FAMILY" end
    only = name
  end
  return safe(only, "FAMILY")
end

local function ask_definition(ev, why, what)
  ev:ask{ evidence = "aws/describe-task-definition.json", why = why,
    how = "aws ecs describe-task-definition --task-definition " .. family(ev) .. " --query 'taskDefinition.containerDefinitions[]." .. what .. "' --output json" }
end

local function report_denied(ev, record, action)
  local role, kind = role_of(ev, record)
  local by = match(record.message, [[because no (?<kind>[\w -]{1,40}?) allows]])
  local resource = match(record.message, [[on resource: (?<arn>arn:[\w:/+=.@-]*[\w/+=@-])]])
  local f = ev:report("image-pull.access-denied", "task", record.workload or "task",
    "%s may not read a secret that the task needs before any image is pulled: %s is denied%s", kind, action, by and ", because no " .. by.kind .. " allows it" or "")
  f:cite(record):when("now"):snippet("attach this policy to " .. kind, "secret.json", string.format([[
{ "Version": "2012-10-17",
  "Statement": [{ "Effect": "Allow", "Action": "%s", "Resource": "%s" }] }
]], action, resource and resource.arn or "ARN"))
    :advise("attach it; a secret under a key of your own takes kms:Decrypt on that key as well",
      string.format("aws iam put-role-policy --role-name %s --policy-name read-secret --policy-document file://secret.json", safe(role, "ROLE")))
    :reference(GUIDE .. "task_execution_IAM_role.html")
end

-- The way to the store of secrets: another service than the registry, and another endpoint.
local function report_unreachable(ev, record, service)
  local region = (match(record.message, [[:(?:secretsmanager|ssm):(?<region>[\w-]+):]]) or match(record.message, [[(?:secretsmanager|ssm)\.(?<region>[\w-]+)\.amazonaws]]) or {}).region or "REGION"
  local from = way.start(ev, record.workload)
  local decision, why, proof, reason
  if from and way.told(ev) then
    decision, why, proof, reason = ev:path{ from = from, to = string.format("%s.%s.amazonaws.com", service, region), port = 443 }
  end
  local f = ev:report("image-pull.network-unreachable", "task", record.workload or "task",
    "%s cannot be reached for a secret that the task needs before any image is pulled: no answer to the connection%s",
    service == "ssm" and "the SSM parameter store" or "Secrets Manager", decision == "closed" and ": " .. why or ""):cite(record):when("now")
  f:cite(decision ~= "undecidable" and proof or nil)
  if decision == "closed" then way.fix(f, why, reason) end
  f:advise("a task in a public subnet needs a public address (assignPublicIp ENABLED); in a private subnet, a route to a NAT gateway or the interface endpoint below", "aws ec2 describe-route-tables --filters Name=association.subnet-id,Values=SUBNET")
    :advise(string.format("without a way to the internet: the interface endpoint com.amazonaws.%s.%s with private DNS, its security group open to the task on port 443", region, service), "aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values=VPC")
    :reference("https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html")
  if decision == "undecidable" then way.ask(ev, why, reason) end
  if not decision then way.ask_all(ev, record.workload, "the text does not say which part of the way is closed: security group, route or endpoint") end
end

local function judge_secret(ev, record, service)
  local text, secret = record.message, secret_named(record.message)
  local named = secret and " (" .. secret .. ")" or ""
  local denied = match(text, [[not authorized to perform:? (?<action>(?:secretsmanager|ssm|kms):\w+)]])
  local key = match(text, [[did not contain json key (?<key>[\w.-]+)]])
  local list = "{container:name,secrets:secrets}"
  if denied then
    report_denied(ev, record, denied.action)
  elseif key then
    failed(ev, record, "the secret%s holds no key '%s', which the task definition asks for", named, key.key)
      :advise("correct the key behind the secret's ARN in valueFrom (ARN:KEY:STAGE:VERSION), or put the key into the secret",
        "aws secretsmanager get-secret-value --secret-id SECRET --query 'keys(@)'")
    ask_definition(ev, "valueFrom names the secret and the key", list)
  elseif match(text, [[(?i)invalid character .{1,40}(?:looking for|after|in (?:string|literal))|unexpected end of JSON|cannot unmarshal]]) then
    failed(ev, record, "the store answered, and the value of the secret%s is no JSON, though the task definition asks for a key of it", named)
      :advise("see whether the value is JSON, without printing it; quotes of a shell that end up in the value are the usual cause",
        "aws secretsmanager get-secret-value --secret-id " .. safe(secret, "SECRET") .. " --query SecretString --output text | python3 -m json.tool >/dev/null && echo JSON")
      :advise("write it anew from a file, or take the key out of valueFrom if the whole value is meant",
        "aws secretsmanager put-secret-value --secret-id " .. safe(secret, "SECRET") .. " --secret-string file://secret.json")
    ask_definition(ev, "valueFrom of the secret tells whether a key of it is asked for (ARN:KEY::)", list)
  elseif match(text, [[(?i)ResourceNotFound|can't find the specified secret|ParameterNotFound|invalid ssm parameters|invalid parameters]]) then
    failed(ev, record, "there is no such secret as the task definition names%s", named)
      :advise("compare valueFrom with what there is: name, region, account, and the version stage AWSCURRENT",
        service == "ssm" and "aws ssm describe-parameters" or "aws secretsmanager list-secrets")
    ask_definition(ev, "valueFrom is the name that was asked for", list)
  elseif match(text, NETWORK) then
    report_unreachable(ev, record, service)
  else
    failed(ev, record, "ECS could not read a secret that the task needs before any image is pulled: %s", quote(text, 240)):confidence("likely")
    ask_definition(ev, "valueFrom names the secret", list)
  end
end

-- ---- log streams ----

-- The containers whose log settings cannot be right: { definition, container, region }.
local function wrong_region(ev)
  for definition in ev:each("aws.task_definitions") do
    for container in ev:items(definition, "containerDefinitions") do
      local region = container['logConfiguration.options."awslogs-region"']
      if region and not region:find("$", 1, true) and not match(region, [[^[a-z]{2}(?:-[a-z]+)+-[0-9]+$]]) then
        return { record = definition, name = container.name or "?", region = region }
      end
    end
  end
end

local function judge_log(ev, record)
  local text = record.message
  local denied = match(text, [[not authorized to perform:? (?<action>logs:\w+)]])
  local f
  if denied then
    local role, kind = role_of(ev, record)
    f = failed(ev, record, "%s may not do %s, which the container's log driver needs before the container starts", kind, denied.action)
      :advise("allow logs:CreateLogStream and logs:PutLogEvents, and logs:CreateLogGroup where awslogs-create-group is true",
        string.format("aws iam attach-role-policy --role-name %s --policy-arn arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy", safe(role, "ROLE")))
  elseif match(text, [[(?i)log group does not exist|ResourceNotFoundException]]) then
    f = failed(ev, record, "the log group that the container's log driver names does not exist")
      :advise("make it, or let the driver do so (awslogs-create-group: true, and logs:CreateLogGroup for the execution role)", "aws logs create-log-group --log-group-name GROUP")
  elseif match(text, [[(?i)MissingEndpoint|'Endpoint' configuration|unknown endpoint|invalid region|MissingRegion|Could not find region]]) then
    local wrong = wrong_region(ev)
    f = failed(ev, record, wrong and "awslogs-region of container '%s' is '%s', which is no region: the log driver finds no endpoint, and the container does not start"
      or "the container's log driver finds no endpoint for the region that it was given: the container does not start", wrong and wrong.name, wrong and wrong.region)
      :cite(wrong and wrong.record):advise("write the name of a region into awslogs-region (us-east-1), and register the definition anew")
  elseif match(text, NETWORK) then
    f = failed(ev, record, "CloudWatch Logs cannot be reached, and the container's log driver needs it before the container starts")
      :advise("in a private subnet: a NAT gateway, or the interface endpoint com.amazonaws.REGION.logs with private DNS; security groups must let 443 out", "aws ec2 describe-vpc-endpoints")
    way.ask_all(ev, record.workload, "the text does not say which part of the way is closed")
  else
    f = failed(ev, record, "the container's log driver could not be set up: %s", quote(text, 240)):confidence("likely")
  end
  ask_definition(ev, "logConfiguration tells which region, group and driver the container was given", "{container:name,logConfiguration:logConfiguration}")
end

-- ---- environment files ----

local function judge_files(ev, record)
  local text = record.message
  local why = match(text, [[(?i)AccessDenied|\b403\b|not authorized]]) and "the task execution role may not read it (s3:GetObject, s3:GetBucketLocation)"
    or match(text, [[(?i)NoSuchKey|NotFound|\b404\b|does not exist]]) and "there is none of that name" or match(text, NETWORK) and "S3 cannot be reached" or quote(text, 200)
  failed(ev, record, "an environment file of the task could not be fetched from S3: %s", why)
    :advise("compare environmentFiles with what the bucket holds, in the task's own region", "aws s3 ls s3://BUCKET/KEY")
  ask_definition(ev, "environmentFiles names the bucket and the file", "{container:name,environmentFiles:environmentFiles}")
end

local function judge(ev, record)
  local text = record.message or ""
  local store = words.secret_store(text)
  if store then
    judge_secret(ev, record, store)
  elseif match(text, [[(?i)logger args|logging driver|Cloudwatch log]]) then
    judge_log(ev, record)
  elseif match(text, [[(?i)env files?]]) then
    judge_files(ev, record)
  end
end

return debrief.check {
  id = "image-pull/start",
  title = "does ECS get as far as pulling the task's images?",
  version = "0.1.0",
  tags = { "ecs" },
  applies = "platform = ecs|docker",
  needs = {
    "text | container_status", "?container_status", "?containers", "?aws.task_definitions", "?aws.roles",
    -- whether the way to the secrets is open
    "?aws.tasks", "?aws.services", "?aws.container_instances", "?aws.instances", "?aws.network_interfaces", "?aws.subnets",
    "?aws.security_groups", "?aws.security_group_rules", "?aws.network_acls", "?aws.route_tables", "?aws.vpc_endpoints", "?aws.prefix_lists",
  },
  events = {
    failed = { caseless = true, pattern = [[unable to (?:pull secrets|retrieve secrets? |get registry auth from asm)|cannot pull secrets|failed to (?:validate logger args|initialize logging driver|create Cloudwatch log|download env files)]] },
  },
  findings = {
    ["image-pull.access-denied"] = { title = "the pulling role may not read the registry", severity = "error" },
    ["image-pull.network-unreachable"] = { title = "the registry cannot be reached", severity = "error" },
    ["image-pull.setup-failed"] = { title = "ECS could not set the task up, before any image was pulled", severity = "warning" },
  },
  run = function(ev)
    for record in ev:each("event.failed") do judge(ev, record) end
  end,
}
