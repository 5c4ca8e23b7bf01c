-- Burns the processor inside C, where no hook runs.
return debrief.check {
  id = "abi-lua-find", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    return ev, string.find(("a"):rep(40), ("a*"):rep(40) .. "b")
  end,
}
