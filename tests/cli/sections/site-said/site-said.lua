-- A site check for the tests of the command line: texts say what it shall find.
--   SITE error|warning|info NAME     a finding of that severity about NAME
--   SITE unsure                      it asks for more
return debrief.check {
  id = "site-said",
  title = "what does the text say?",
  version = "1.2.3",
  tags = { "test" },
  needs = { "text" },
  events = { said = [[SITE (?<level>error|warning|info|unsure)]] },
  params = { prefix = { type = "string", default = "said", help = "what messages begin with" } },
  findings = {
    ["site-said.thing"] = { title = "a thing was said", severity = "error" },
    ["site-said.other"] = { title = "another thing was said", severity = "warning" },
  },
  run = function(ev)
    for r in ev:each("event.said") do
      if r.level == "unsure" then
        ev:ask { evidence = "log/more.log", why = "the text is unsure", how = "debrief check more.log" }
      else
        local id = r.level == "warning" and "site-said.other" or "site-said.thing"
        ev:report(id, "container", r.rest or "it", "%s: %s", ev:param("prefix"), r.message)
          :severity(r.level):cite(r):advise("say something else", "echo else")
      end
    end
  end,
}
