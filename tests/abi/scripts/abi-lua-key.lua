return debrief.check { id = "abi-lua-key", title = "?", need = { "proxy" }, findings = {}, run = function() end }
