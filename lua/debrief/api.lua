---@meta debrief
-- What a check in Lua can call, for editors that understand LuaLS annotations (lua-language-server: add this
-- folder to workspace.library). The program never reads this file; a test compares it with what there is.

---A piece of evidence: its columns as text, nil where not known. A document is read by path:
---`record["spec.containers[0].image"]`. docs/evidence.md lists the columns of every name.
---@class debrief.Record
---@field [string] string?

---@alias debrief.Severity "error" | "warning" | "info"
---@alias debrief.Confidence "certain" | "likely" | "possible"
---@alias debrief.When "now" | "before" | "unknown"

---The evidence of one target, as far as the check's `needs` and `events` name it; anything else is an error.
---@class debrief.Evidence
local Evidence = {}

---Records in time or source order. The check's own events are named "event.NAME". With a field (column, or path
---into a document): those alone in which it holds the value; nil: of which it is not known.
---@param name string
---@param field? string
---@param value? string
---@return fun(): debrief.Record?
function Evidence:each(name, field, value) end

---@param name string
---@return debrief.Record?
function Evidence:first(name) end

---@param name string
---@return debrief.Record?
function Evidence:last(name) end

---How many there were in all, kept or not.
---@param name string
---@return integer
function Evidence:count(name) end

---@param name string
---@return "absent" | "partial" | "complete"
function Evidence:state(name) end

---@param record debrief.Record
---@param column string
---@return number?
function Evidence:number(record, column) end

---Seconds since the epoch.
---@param record debrief.Record
---@return number?
function Evidence:time(record) end

---The elements of an array in a document: records for objects and arrays, else text.
---@param record debrief.Record
---@param path string
---@return fun(): debrief.Record | string | nil
function Evidence:items(record, path) end

---The member names of an object of a document.
---@param record debrief.Record
---@param path string
---@return string[]
function Evidence:keys(record, path) end

---A statistic: its value (text for readouts) and its record; nil when it is not known, which is not zero.
---@param name string
---@return number | string | nil value, debrief.Record? record
function Evidence:stat(name) end

---The value of a parameter; a duration in seconds.
---@param name string
---@return string | number | boolean
function Evidence:param(name) end

---When the evidence was gathered, in seconds since the epoch, and whether something was asked then (else this is only
---when its files were read), and the time of this run: for what has happened since, never for a verdict.
---@return number, boolean, number
function Evidence:now() end

---May the role do this to that, by the policies given? docs/lua-checks.md lists reasons and the needs to declare.
---@param question { role: string?, action: string, resource: string, endpoint: string? }
---@return "granted" | "denied" | "undecidable" decision, string why, debrief.Record? record, string? reason
function Evidence:iam(question) end

---Is the network open from here to there? docs/lua-checks.md lists reasons and the needs to declare.
---@param question { from: string, to: string, port: integer, protocol: string? }
---@return "open" | "closed" | "undecidable" decision, string why, debrief.Record? record, string? reason
function Evidence:path(question) end

---What is known of where the proxy runs, as `applies` names it; nil: not known.
---@param name "mesh" | "mode" | "platform"
---@return string?
function Evidence:fact(name) end

---Of several values the one for the mesh and platform at hand: keys are a mesh, a platform, or both ("appmesh ecs"), the
---most exact one first; [1] where none fits.
---@generic T
---@param words table<string | integer, T>
---@return T?
function Evidence:pick(words) end

---What would decide a question that the evidence leaves open.
---@param ask { evidence: string, why: string, how: string }
function Evidence:ask(ask) end

---@class debrief.Hop
---@field kind "listener" | "filter-chain" | "http-filter" | "route-config" | "virtual-host" | "route" | "cluster" | "endpoints"
---@field name string
---@field why string
---@field record debrief.Record?

---@class debrief.Walk
---@field ends "forwarded" | "answered" | "refused" | "reset" | "unknown"
---@field status integer? nil: the upstream decides, or nobody can tell
---@field flag string? response flag in the access log
---@field hops debrief.Hop[]
---@field broke debrief.Hop?
---@field unknown string? why nobody can tell beyond the last hop
---@field depends string? what else may decide
---@field number integer which of the check's walks it is

---The way of a request through the configuration: what the proxy would do with it. Reads those of xds.listeners,
---xds.filter_chains, xds.virtual_hosts, xds.routes, xds.clusters, clusters and hosts that the check's needs name.
---@param request { listener: string?, address: string?, port: integer?, direction: "inbound" | "outbound" | nil, method: string?, host: string?, path: string?, tls: boolean?, sni: string?, alpn: string?, tcp: boolean? }
---@return debrief.Walk
function Evidence:walk(request) end

---The check has no business here; findings given before are dropped.
---@param reason string
function Evidence:not_applicable(reason) end

---Starts a finding; the same id and subject again is the same finding. Severity is the declared one until said
---otherwise, confidence certain. Without further values `format` is taken as it is, '%' included.
---@param id string
---@param subject_kind string
---@param subject_name string?
---@param format string
---@param ... any
---@return debrief.Finding
function Evidence:report(id, subject_kind, subject_name, format, ...) end

---A finding under construction; every method returns it.
---@class debrief.Finding
local Finding = {}

---Never above the declared severity.
---@param severity debrief.Severity
---@return debrief.Finding
function Finding:severity(severity) end

---@param confidence debrief.Confidence
---@return debrief.Finding
function Finding:confidence(confidence) end

---@param when debrief.When
---@return debrief.Finding
function Finding:when(when) end

---Proof; also widens first, last and count. nil is ignored.
---@param record debrief.Record?
---@return debrief.Finding
function Finding:cite(record) end

---The report shows the walk that the finding rests on, hop by hop.
---@param walk debrief.Walk
---@return debrief.Finding
function Finding:walked(walk) end

---How often it happened and when (seconds), where that is more than what is cited.
---@param span { first: number?, last: number?, count: number? }
---@return debrief.Finding
function Finding:span(span) end

---A step that mends it.
---@param text string
---@param command string?
---@return debrief.Finding
function Finding:advise(text, command) end

---A step with a file to paste.
---@param text string
---@param path string
---@param content string
---@return debrief.Finding
function Finding:snippet(text, path, content) end

---@param url string
---@return debrief.Finding
function Finding:reference(url) end

---A possible cause of this symptom; again with the same id adds more.
---@param id string
---@param speaks { for: string?, against: string? }?
---@return debrief.Finding
function Finding:candidate(id, speaks) end

---@class debrief.EventPattern
---@field pattern string
---@field caseless boolean?

---@class debrief.FindingType
---@field title string
---@field severity debrief.Severity
---@field explains string[]?

---@class debrief.Param
---@field type "string" | "number" | "bool" | "duration"
---@field default string | number | boolean
---@field help string

---A row of a check without a function: the first row that matches a record reports it. "%{a|b}" in a text is the
---first of these columns that is known.
---@class debrief.Line
---@field event string
---@field when table<string, string>?
---@field finding string
---@field subject { kind: string, name: string }
---@field message string
---@field confidence debrief.Confidence?
---@field severity debrief.Severity?
---@field fix { text: string, command: string?, path: string?, snippet: string? }[]?
---@field references string[]?
---@field candidates { id: string, for: string?, against: string? }[]?
---@field ask { evidence: string, why: string, how: string }?

---@class debrief.Check
---@field id string
---@field title string
---@field version string?
---@field tags string[]?
---@field applies string?
---@field needs string[]?
---@field events table<string, string | debrief.EventPattern>?
---@field findings table<string, debrief.FindingType>
---@field params table<string, debrief.Param>?
---@field run fun(ev: debrief.Evidence)?
---@field lines debrief.Line[]?

debrief = {}

---Says what the check is. A script returns one, or a list of them.
---@param check debrief.Check
---@return debrief.Check
function debrief.check(check) end

---A module that comes with the program (lua/modules): what it returns. Each module says at its head what a check
---that calls it must declare.
---@param name string
---@return table
function debrief.use(name) end

---Named and numbered groups of the first match (0: the whole of it), or nil. PCRE2, bounded in time. nil for nil.
---@param text string?
---@param pattern string
---@return table<string | integer, string>?
function debrief.match(text, pattern) end

---'*' any run, '?' one character. false for nil.
---@param glob string
---@param text string?
---@return boolean
function debrief.glob(glob, text) end

---Where App Mesh publishes its images for a region. Given an account instead: the row of that account (its region is
---"*" for the one that most regions share), `account` alone when AWS publishes other images of the mesh from it, else nil.
---@param region string
---@return { account: string, region: string?, host: string?, arn: string?, own: boolean? }?
function debrief.registry(region) end
