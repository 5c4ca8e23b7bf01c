-- Catches everything, in a loop of its own.
return debrief.check {
  id = "abi-lua-pcall", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    while true do pcall(error, ev) end
  end,
}
