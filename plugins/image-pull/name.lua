-- Section image-pull: names that cannot be parsed fail before any registry is asked. A line means this and
-- nothing else, so the check is a table.

return debrief.check {
  id = "image-pull/name",
  title = "can the names of the images be parsed?",
  version = "0.1.0",
  tags = { "ecs", "kubernetes" },
  needs = { "text" },
  events = {
    unparsed = [[couldn't parse image (?:reference|name) "(?<ref>[^"]+)"|invalid reference format|repository name must be lowercase]],
    short = [[short-name "?(?<ref>[\w./:@-]+)"? did not resolve]],
    enforced = [[(?:image "(?<ref>[^"]+)".{0,200})?short-name resolution enforced]],
    pods = [[(?<pod>[\w.-]+) +[0-9]+/[0-9]+ +(?:Init:)?InvalidImageName]],
  },
  findings = { ["image-pull.invalid-name"] = { title = "an image's name cannot be parsed", severity = "error" } },
  lines = {
    { event = "unparsed", finding = "image-pull.invalid-name",
      subject = { kind = "image", name = "%{ref|image|container|origin}" },
      message = "the image reference %{ref|image|container|origin} cannot be parsed",
      fix = { { text = "write it as REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST: lower case, no scheme, no blanks, no variable left unreplaced" } },
      references = { "https://docs.docker.com/reference/cli/docker/image/tag/" } },
    { event = "short", finding = "image-pull.invalid-name",
      subject = { kind = "image", name = "%{ref}" },
      message = "the short name %{ref} stands for no image: no registry is set in which to look for it",
      fix = { { text = "write the registry in front, as in docker.io/library/%{ref}, or list registries in /etc/containers/registries.conf (unqualified-search-registries)" } },
      references = { "https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md" } },
    { event = "enforced", finding = "image-pull.invalid-name",
      subject = { kind = "image", name = "%{ref|image|container|origin}" },
      message = "the short name %{ref|image|container|origin} stands for several images, and nobody is there to choose",
      fix = { { text = "write the registry in front, as in docker.io/library/NAME, or set short-name-mode in /etc/containers/registries.conf" } },
      references = { "https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md" } },
    { event = "pods", finding = "image-pull.invalid-name",
      subject = { kind = "pod", name = "%{pod}" },
      message = "an image reference of pod %{pod} cannot be parsed",
      fix = { { text = "see which one, and write it as REGISTRY/REPOSITORY:TAG", command = "kubectl get pod %{pod} -o jsonpath='{..image}'" } },
      references = { "https://kubernetes.io/docs/concepts/containers/images/" } },
  },
}
