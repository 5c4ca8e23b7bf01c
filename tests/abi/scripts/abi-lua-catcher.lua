-- Catches the error that the deadline raises, again and again.
return debrief.check {
  id = "abi-lua-catcher", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    local function spin() while true do end end
    local function catch() while true do pcall(pcall, spin) end end
    while true do pcall(pcall, catch, ev) end
  end,
}
