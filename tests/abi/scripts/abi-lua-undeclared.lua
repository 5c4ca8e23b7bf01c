-- Reads what it did not say it needs.
return debrief.check {
  id = "abi-lua-undeclared", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    return ev:first "certs"
  end,
}
