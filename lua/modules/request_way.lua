-- The way of a request through the proxy, for reports: in words, and through the listener that is meant where its port is
-- not the one that the request names (a gateway's port is mapped to another one). A check that uses it declares, each as
-- an optional need, what ev:walk reads (docs/lua-checks.md).

local way = {}

-- "listener 'a' (listens on 0.0.0.0:80) > filter-chain (...)"
function way.words(walk)
  local steps = {}
  for _, hop in ipairs(walk.hops) do
    local name = hop.name ~= "" and " '" .. hop.name .. "'" or ""
    steps[#steps + 1] = hop.kind .. name .. " (" .. hop.why .. ")"
  end
  return table.concat(steps, " > ")
end

-- How it ends, as the caller sees it.
function way.ending(walk)
  if walk.ends == "answered" then return string.format("the proxy answers %d%s", walk.status or 0, walk.flag and " " .. walk.flag or "") end
  if walk.ends == "forwarded" then return "it reaches hosts that may take it" end
  if walk.ends == "unknown" then return "what follows cannot be told: " .. (walk.unknown or "") end
  return "the connection is " .. walk.ends
end

-- The first cluster on the way; nil.
function way.cluster(walk)
  for _, hop in ipairs(walk.hops) do
    if hop.kind == "cluster" then return hop.name end
  end
end

-- How much a walk through a listener speaks for that listener being the one that is meant.
local function fitness(walk)
  if walk.ends == "forwarded" then return 4 end
  if walk.ends == "answered" and not walk.broke then return 3 end
  local last = walk.hops[#walk.hops]
  if last and (last.kind == "endpoints" or last.kind == "cluster") then return 2 end
  return walk.ends == "unknown" and 1 or 0
end

local function is_open(listener)
  return listener.name and (listener.state == "active" or listener.state == "static") and listener.bind_to_port ~= "no"
end

local function serves(walk)
  return not walk.broke and walk.ends ~= "refused" and walk.ends ~= "reset"
end

-- A sidecar takes redirected connections of both sides: what the application sends, and what comes in for it.
local function other_side(ev, request, walk)
  if not (walk.broke and walk.depends and walk.depends:find("are redirected", 1, true)) or request.direction then return walk end
  request.direction = "inbound"
  local other = ev:walk(request)
  request.direction = nil
  if not serves(other) then return walk end
  return other, string.format("As a request that comes in; one that the application sends ends otherwise (%s: %s): ", way.ending(walk), walk.broke.why)
end

-- Through the port, or, where nothing listens there and the port was not given by the caller, through the listener that
-- knows the request. If none does and there are several, also a sentence that names them, since nobody can tell which.
function way.through(ev, request, port_known)
  local walk = ev:walk(request)
  if walk.ends ~= "refused" or port_known then return other_side(ev, request, walk) end
  local best, most, names = walk, -1, {}
  for listener in ev:each("xds.listeners") do
    if is_open(listener) then
      request.listener = listener.name
      local other = ev:walk(request)
      names[#names + 1] = string.format("%s (port %s)", listener.name, listener.port or "?")
      if fitness(other) > most then best, most = other, fitness(other) end
    end
  end
  if most > 0 or #names < 2 then return best end
  return best, string.format("Nothing listens on port %d, and none of the %d listeners serves it: %s; through the first of them: ", request.port or 80,
    #names, table.concat(names, ", ", 1, math.min(#names, 5)))
end

return way
