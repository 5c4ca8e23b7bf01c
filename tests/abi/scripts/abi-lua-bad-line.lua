return debrief.check {
  id = "abi-lua-bad-line", title = "?", events = { marker = "marker" },
  findings = { ["abi-lua-bad-line.x"] = { title = "X", severity = "info" } },
  lines = { { event = "marker", finding = "abi-lua-bad-line.x", subject = { kind = "proxy", name = "%{colour}" }, message = "x" } },
}
