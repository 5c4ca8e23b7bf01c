-- A check that is a table: the first row that matches a record reports it.
return debrief.check {
  id = "abi-lua-lines", title = "what do the markers mean?",
  events = { marker = [[abi marker (?<word>[a-z]+)]] },
  findings = {
    ["abi-lua-lines.red"] = { title = "Red", severity = "error" },
    ["abi-lua-lines.any"] = { title = "Any", severity = "warning" },
  },
  lines = {
    { event = "marker", when = { word = "^red$" }, finding = "abi-lua-lines.red",
      subject = { kind = "container", name = "%{container|word}" },
      message = "the marker is %{word} in %{image}",
      fix = { { text = "paint it, not %{word}", command = "paint %{word}" }, { text = "or", path = "p", snippet = "not %{word}" } },
      references = { "https://example.org/%" }, candidates = { { id = "abi-lua-lines.any", ["for"] = "%{word}" } },
      ask = { evidence = "paint", why = "who painted %{word}?", how = "ask around" } },
    { event = "marker", finding = "abi-lua-lines.any", severity = "info", confidence = "possible",
      subject = { kind = "proxy", name = "envoy" }, message = "some marker" },
  },
}
