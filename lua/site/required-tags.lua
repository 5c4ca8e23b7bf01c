-- Example of a site check: every workload that runs a proxy must say who owns it.
-- Try it: debrief check --plugin-path lua/site --select required-tags deployment.yaml
return debrief.check {
  id = "required-tags",
  title = "do the containers that run a proxy carry our mandatory variables?",
  needs = { "env", "containers" },
  params = { names = { type = "string", default = "OWNER,TIER", help = "variables that must be there, separated by commas" } },
  findings = { ["required-tags.missing"] = { title = "a mandatory variable is missing", severity = "warning" } },
  run = function(ev)
    local seen = {}
    for variable in ev:each("env") do
      seen[(variable.workload or "") .. " " .. (variable.name or "")] = true
    end
    for container in ev:each("containers") do
      if (container.image or ""):find("envoy", 1, true) then
        for name in ev:param("names"):gmatch("[^,]+") do
          if not seen[(container.workload or "") .. " " .. name] then
            ev:report("required-tags.missing", "container", container.name or "?", "%s of %s has no variable %s",
                      container.name or "a container", container.workload or "this manifest", name)
              :advise("set " .. name .. " in the manifest"):cite(container)
          end
        end
      end
    end
  end,
}
