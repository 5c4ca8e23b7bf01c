-- A list of checks that are all well, and use every part of the API.
local function run(ev)
  local total = 0
  for record in ev:each "event.marker" do
    local found = debrief.match(record.message, [[marker (?<word>\w+)]])
    ev:report("abi-lua-good.marked", "container", found.word, "the log holds '%s' (%d, %s)", found[1],
        ev:param "least", record.word)
      :severity "error" :confidence "likely" :when "before" :cite(record) :cite(nil)
      :span { count = 7 } :advise("remove it", "sed") :snippet("or so", "marker.yaml", "marker: no")
      :reference "https://example.org" :candidate("abi-lua-good.other", { ["for"] = "it looks alike" })
      :candidate("abi-lua-good.other", { against = "it does not" })
    total = total + 1
  end
  assert(total == ev:count "event.marker" and ev:state "event.marker" == "complete")
  assert(ev:first("event.marker") and ev:last("event.marker").word == "blue")
  assert(ev:time(ev:first "event.marker") > 1e9 and ev:now() > 1e9)
  assert(ev:number(ev:first "event.marker", "word") == nil)
  local value, record = ev:stat "server.live"
  assert(value == 1 and record.name == "server.live" and ev:stat "cluster.none" == nil)
  assert(debrief.glob("a*c", "abc") and not debrief.glob("a", nil) and debrief.match(nil, "x") == nil)
  assert(ev:fact "mesh" == "istio" and ev:fact "mode" == "sidecar" and ev:fact "platform" == "kubernetes")
  assert(ev:pick { "any", istio = "mesh", kubernetes = "platform" } == "mesh" and ev:pick { "any", ecs = "no" } == "any")
  assert(ev:pick { istio = "mesh", ["istio kubernetes"] = { "both" } }[1] == "both" and ev:pick { consul = "no" } == nil)
  assert(not pcall(ev.pick, ev, { istoi = "no" }) and not pcall(ev.fact, ev, "colour"))
  assert(ev:param "loud" == true and ev:param "patience" == 90)
end

local function sandboxed(ev)
  local _ = ev
  for _, name in ipairs { "io", "os", "debug", "package", "require", "load", "loadfile", "dofile", "coroutine" } do
    assert(_G[name] == nil, name)
  end
  assert(string.dump == nil and math.random == nil and getmetatable(ev) == "protected")
  local keys = {}
  for key in pairs { b = 1, a = 1, c = 1, [2] = 1, [1] = 1 } do keys[#keys + 1] = tostring(key) end
  assert(table.concat(keys) == "12abc")
end

return {
  debrief.check {
    id = "abi-lua-good", title = "is there a marker?", version = "2.0.0", tags = { "abi" },
    needs = { "event.marker", "stats{server.*} | certs" },
    events = { marker = { pattern = [[ABI marker (?<word>[a-z]+)]], caseless = true } },
    findings = { ["abi-lua-good.marked"] = { title = "A marker", severity = "warning", explains = { "abi-good.marked" } } },
    params = {
      least = { type = "number", default = 3, help = "how many" },
      loud = { type = "bool", default = true, help = "whether" },
      patience = { type = "duration", default = "1m30s", help = "how long" },
    },
    run = run,
  },
  debrief.check { id = "abi-lua-good/sandbox", title = "is it a sandbox?", needs = { "proxy" }, findings = {}, run = sandboxed },
}
