-- Section image-pull: what the node cannot keep or run of an image that the registry gave. Disk, the node's own store,
-- layers that contradict the image, and programs for another CPU architecture.

local match = debrief.match
local pulls, safe = debrief.use "pulls", debrief.use("ecr").safe
local what = pulls.what

local REPORT = {}

REPORT["wrong-platform"] = function(ev, pull, report)
  local started = match(pull.text, [[exec format error]])
  local f = report("wrong-platform", started and "%s holds a program for another CPU architecture: exec format error" or "%s does not exist for this node's CPU architecture", what(pull))
  if started then f:confidence("likely") end
  f:advise("see for which platforms it was built", "docker manifest inspect " .. safe(pull.image, "IMAGE"))
    :advise("build it for this platform as well, or run it where it fits (ECS: runtimePlatform.cpuArchitecture; Kubernetes: nodeSelector kubernetes.io/arch)", "docker buildx build --platform linux/amd64,linux/arm64 ...")
end

REPORT["disk-full"] = function(ev, pull, report)
  report("disk-full", "there is no space left on the node to pull %s", what(pull))
    :advise("see what fills the disk, and remove images that nobody uses", "df -h && docker system df && docker image prune -a")
    :advise("make the volume larger, or let old images go by themselves (ECS_IMAGE_CLEANUP_INTERVAL, the kubelet's imageGCHighThresholdPercent)")
end

-- What the node has of the image is not whole: the registry's copy is another matter.
REPORT["store-damaged"] = function(_, pull, report)
  report("corrupt-layers", "the node's own store lacks content of %s that it believes to have: the image in the registry need not be at fault", what(pull)):confidence("likely")
    :advise("remove the image and its leftovers from the node, then pull anew", "crictl rmi " .. safe(pull.image, "IMAGE") .. "; ctr -n k8s.io content prune references")
    :advise("a node that lost power, or whose disk was full, is better replaced")
end

REPORT["corrupt-layers"] = function(ev, pull, report)
  report("corrupt-layers", "the layers of %s do not fit its configuration", what(pull))
    :advise("build and push it anew with one compression for all layers (gzip and zstd mixed do this), and pull without the node's cached layers", "docker buildx build --output type=image,compression=gzip,force-compression=true,push=true ...")
end

local ECS_GUIDE = pulls.ECS_GUIDE
local REFERENCES = {
  ["wrong-platform"] = { "https://docs.docker.com/build/building/multi-platform/" },
  ["disk-full"] = { ECS_GUIDE .. "automated_image_cleanup.html" },
  ["corrupt-layers"] = { "https://docs.docker.com/build/exporters/image-registry/" },
}

return debrief.check {
  id = "image-pull/node",
  title = "can the node keep and run the images that it pulls?",
  applies = "any",
  version = "0.1.0",
  tags = { "ecs", "kubernetes", "appmesh" },
  needs = pulls.needs(),
  events = pulls.events(),
  findings = {
    ["image-pull.wrong-platform"] = { title = "the image is not made for this CPU architecture", severity = "error" },
    ["image-pull.disk-full"] = { title = "no space is left to pull the image", severity = "error" },
    ["image-pull.corrupt-layers"] = { title = "the image's layers are inconsistent", severity = "error" },
  },
  run = function(ev) pulls.report(ev, REPORT, REFERENCES) end,
}
