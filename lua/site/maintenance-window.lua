-- Example of a check without a function: a line that only this company's filter prints.
return debrief.check {
  id = "maintenance-window",
  title = "did the maintenance filter answer instead of the service?",
  needs = { "text" },
  events = { answered = [[maintenance filter answered for (?<service>[\w.-]+)]] },
  findings = { ["maintenance-window.active"] = { title = "the maintenance page is on", severity = "info" } },
  lines = {
    { event = "answered", finding = "maintenance-window.active", subject = { kind = "service", name = "%{service}" },
      message = "requests to %{service} are answered by the maintenance filter",
      fix = { { text = "end the maintenance window", command = "platformctl maintenance end %{service}" } } },
  },
}
