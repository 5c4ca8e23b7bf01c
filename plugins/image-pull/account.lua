-- App Mesh publishes its images from one account per region: a known account in the wrong region has none of them. An
-- account that is not among the publishers may be a mirror of one's own, and is left alone.

local ecr = debrief.use "ecr"

local function judge(ev, name, record)
  local image = ecr.of(name)
  local publisher = image and ecr.publisher(image)
  if not publisher or publisher == image.account or not ecr.publishes(image.account) then return end
  local host = image.host:gsub("^[^.]+", publisher)
  ev:report("image-pull.wrong-registry-account", "image", name, "account %s does not publish App Mesh images in %s: there it is %s", image.account, image.region, publisher)
    :cite(record)
    :advise("use the account of the region", "docker pull " .. ecr.safe(host .. name:match("/.*$"), "IMAGE"))
    :advise("rights of the pulling role must name that account too", "arn:" .. image.partition .. ":ecr:" .. image.region .. ":" .. publisher .. ":repository/" .. image.repository)
    :reference("https://docs.aws.amazon.com/app-mesh/latest/userguide/envoy.html")
end

local function run(ev)
  for _, name in ipairs{ "containers", "container_status" } do
    for record in ev:each(name) do judge(ev, record.image, record) end
  end
  for record in ev:each("event.named") do judge(ev, record.ref, record) end
end

return debrief.check {
  id = "image-pull/account",
  title = "do the App Mesh images come from the account of their region?",
  applies = "mesh = appmesh|service-connect",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = { "containers | container_status | text", "?containers", "?container_status", "?text" },
  events = {
    named = [[(?<ref>[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/aws-appmesh-(?:envoy|proxy-route-manager)[:@][\w.-]+)]],
  },
  findings = {
    ["image-pull.wrong-registry-account"] = {
      title = "the image's account is not that of its region", severity = "warning",
      explains = { "image-pull.access-denied", "image-pull.repository-not-found" },
    },
  },
  run = run,
}
