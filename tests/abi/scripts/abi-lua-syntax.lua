return debrief.check {
  id = "abi-lua-syntax", title = "is it Lua?"
  run = nil,
}
