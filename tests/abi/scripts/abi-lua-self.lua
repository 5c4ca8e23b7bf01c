-- Calls a method on the wrong thing.
return debrief.check {
  id = "abi-lua-self", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    return ev.first({}, "proxy")
  end,
}
