-- An image that nobody may pull, and that the node does not have. A line means this and nothing else, so the check is
-- a table.

local FIX = {
  { text = "bring it to the node: kind and minikube have a copy of their own, apart from the local Docker's", command = "kind load docker-image %{ref|image}, or minikube image load %{ref|image}" },
  { text = "or let it be pulled: set imagePullPolicy to IfNotPresent" },
}
local GUIDE = { "https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy" }

return debrief.check {
  id = "image-pull/absent",
  title = "are the images there that may not be pulled?",
  version = "0.1.0",
  tags = { "kubernetes" },
  applies = "any",
  needs = { "text | container_status" },
  events = {
    absent = [[image "(?<ref>[^"]+)" is not present with pull policy of Never]],
    pods = [[(?<pod>[\w.-]+) +[0-9]+/[0-9]+ +(?:Init:)?ErrImageNeverPull]],
  },
  findings = { ["image-pull.not-present"] = { title = "an image that may not be pulled is not on the node", severity = "error" } },
  lines = {
    { event = "absent", finding = "image-pull.not-present", subject = { kind = "image", name = "%{ref}" },
      message = "image %{ref} is not on the node, and its pull policy Never forbids to fetch it", fix = FIX, references = GUIDE },
    { event = "pods", finding = "image-pull.not-present", subject = { kind = "pod", name = "%{pod}" },
      message = "an image of pod %{pod} is not on the node, and its pull policy Never forbids to fetch it",
      fix = { { text = "see which image it is", command = "kubectl get pod %{pod} -o jsonpath='{..image}'" }, FIX[2] }, references = GUIDE },
  },
}
