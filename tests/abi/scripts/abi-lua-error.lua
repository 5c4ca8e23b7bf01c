-- Goes wrong at a line that can be named, two calls deep.
return debrief.check {
  id = "abi-lua-error", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    local function deeper(t) return t.x.y end
    local all = deeper {}
    return all, ev
  end,
}
