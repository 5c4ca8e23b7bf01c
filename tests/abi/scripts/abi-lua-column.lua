-- Asks for a column that there is not.
return debrief.check {
  id = "abi-lua-column", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    return ev:first("proxy").colour
  end,
}
