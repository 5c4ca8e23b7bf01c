-- Would slip the hook, if there were coroutines.
return debrief.check {
  id = "abi-lua-coroutine", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    coroutine.wrap(function() while ev do end end)()
  end,
}
