-- Takes all the memory there is.
return debrief.check {
  id = "abi-lua-hog", title = "?", needs = { "proxy" }, findings = {},
  run = function(ev)
    local all = { ev }
    while true do all[#all + 1] = ("x"):rep((4 << 20) + #all) end
  end,
}
