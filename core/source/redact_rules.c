/* Source: the table of secrets. Reads text, writes where a secret stands. A libhs pass picks the
 * few stretches worth a look, PCRE2 finds the secret in them. Deliberately keeps identifiers
 * (access key ids, ARNs, file names): they tell whose secret it was, and checks compare them. */
#include "source/redact_rules.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/regex.h"
#include "source/redact_random.h"

#include <hs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Between a name and its value: `="`, `": "`, `\": \"`, YAML, and the pairs of name and value that
 * task definitions and pods hold. */
#define QUOTE "(?:\\\\{0,7}[\"'])?"
#define ASSIGN                                                                                     \
    "(?:" QUOTE "[ \\t]{0,8}(?:=>|[:=])[ \\t]{0,80}"                                               \
    "|\\\\{0,7}\"\\s{0,20},\\s{0,60}\\\\{0,7}\"value\\\\{0,7}\"\\s{0,4}:\\s{0,4}"                  \
    "|\"[ \\t]{0,8},?\\s{0,60}value\\s{0,8}=\\s{0,8}"                                              \
    "|[\"']?[ \\t\\r]{0,8}\\n[ \\t]{0,60}value:[ \\t]{0,8})"
/* Between a header and its value; Envoy's own logs print `'name', 'value'`, its configuration has
 * pairs of key and value. */
#define PAIR                                                                                       \
    "\\\\{0,7}\"\\s{0,20},\\s{0,60}\\\\{0,7}\"(?:raw_)?value\\\\{0,7}\"\\s{0,4}:\\s{0,4}\\\\{0,7}" \
    "\""
#define HEADER                                                                                     \
    "(?:" PAIR "|'[ \\t]{0,8},[ \\t]{0,8}'|" QUOTE                                                 \
    "[ \\t]{0,8}[:=][ \\t]{0,8}(?:\\[(?!redacted[:\\]]))?" QUOTE ")"
/* Between two words of a command line, also as members of a list in JSON or YAML. */
#define NEXT_WORD                                                                                  \
    "(?:\\\\{0,7}\"\\s{0,4},\\s{0,60}\\\\{0,7}\"|[ \\t]{1,8}|=|[\"']?[ \\t\\r]{0,8}\\n[ "          \
    "\\t]{0,60}-[ \\t]{1,8}[\"']?)"
#define FRESH "(?!\\[redacted[:\\]])" /* Envoy writes "[redacted]" itself */
/* Behind the colon of YAML: an anchor or a tag. */
#define ANCHOR "(?:[&!][\\w!-]{1,40}[ \\t]{1,8}){0,2}"
/* References to a secret, which say where it is kept and are no secret; and keys, which have a rule
 * that knows where they end. */
#define REFERENCE                                                                                  \
    "arn:|\\$[({]|/(?:var|run|etc|tmp|opt|usr|home|mnt|secrets?|certs?)/|true\\b|false\\b|null\\b" \
    "|-----BEGIN"
#define WORD "[^\\s\\x00\"'\\\\,;&<>{}()\\[\\]]"
/* In double quotes, plain or escaped, up to the closing one, in single quotes likewise, else one
 * word. */
#define VALUE                                                                                      \
    ANCHOR                                                                                         \
    "(?|\"(?![,}\\]:\\s]|\\[redacted[:\\]]|" REFERENCE ")((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\n])++)"  \
    "|'(?![,}\\]:\\s]|\\[redacted[:\\]]|" REFERENCE ")([^'\"\\\\\\r\\n]+)"                         \
    "|\\\\{1,7}\"(?![,}\\]:\\s\\\\]|\\[redacted[:\\]]|" REFERENCE ")([^\"\\\\\\r\\n]+)"            \
    "|" QUOTE "(?![|>][+-]?[ \\t\\r]*\\n|" REFERENCE ")(" WORD "+))"
/* Names that end so say that a secret stands behind them. */
#define TELLING "(?:password|passwd|passphrase|secret|token|_pass|_pwd|api[_-]?key|secret[_-]?key)"
/* Names of headers that carry one. */
#define SECRET_HEADER                                                                              \
    "(?:x-[\\w-]{0,30}(?:token|api-?key|secret|signature|auth|session)|(?:proxy-)?authorization"   \
    "|(?:set-)?cookie|api-?key|private-token)"
/* A secret of one line behind `name: |`. */
#define BLOCK "[ \\t]{0,8}:[ \\t]{0,8}[|>][+-]?[ \\t\\r]{0,8}\\n[ \\t]{1,60}(?!" REFERENCE ")"
/* What separates the members of a query, also escaped. */
#define MEMBER "(?:[?&]|&amp;|\\\\{1,7}u0026|%26)"

#define WORD_STOPS " \t\r\n\"'\\,;&<>{}()[]"
#define LINE_STOPS "\"'\\\r\n"

static const struct rule {
    enum redact_kind kind;
    const char *stops;
    const char *pattern; /* exactly one group */
} rules[] = {
    {REDACT_PRIVATE_KEY, NULL, "(?-i:-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)()"},
    {REDACT_PRIVATE_KEY, WORD_STOPS,
     "(?-i:(LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVkFU|BFQyBQUklWQVRF|BPUEVOU1NI|BFTkNSWVBURUQ)"
     "[A-Za-z0-9+/=]+))"},
    {REDACT_AWS_KEY, WORD_STOPS,
     "(?:secret_?access_?key|session_?token|aws_security_token)" ASSIGN QUOTE
     "([A-Za-z0-9/+=%_-]{16,})"},
    {REDACT_AWS_KEY, WORD_STOPS, "\"Token\\\\{0,7}\"\\s{0,4}:\\s{0,4}\\\\{0,7}\"([\\w/+=]{100,})"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "authorization" HEADER
     "(?:bearer|basic|digest|negotiate|ntlm|token|apikey|aws4-hmac-sha256)[ \\t]{1,8}+" FRESH
     "([^\"'\\\\\\r\\n]+)"},
    {REDACT_AUTHORIZATION, WORD_STOPS,
     "authorization" HEADER "(?!aws4-hmac-)([\\w.~+/=-]{16,})(?=[\"'\\\\\\s]|$)"},
    {REDACT_AUTHORIZATION, WORD_STOPS, "bearer[ \\t]{1,8}((?=[a-z._~+/=-]*[0-9])[\\w.~+/=-]{20,})"},
    {REDACT_AUTHORIZATION, WORD_STOPS,
     "x-[\\w-]{0,30}(?:token|api-?key|secret|signature|auth|session)" HEADER FRESH
     "([^\\s\"'\\\\,;&<>\\[]{8,})"},
    {REDACT_AUTHORIZATION, WORD_STOPS,
     "basic[ \\t]{1,8}((?=[A-Za-z0-9+/]*[0-9A-Z])[A-Za-z0-9+/]{16,}={0,2})(?=[\"'\\\\\\s,]|$)"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "cookie" HEADER FRESH "([^\\s\"'\\\\=;:,{}\\[\\]]+=[^\"'\\\\\\r\\n]+)"},
    {REDACT_JWT, WORD_STOPS, "(?-i:(eyJ[\\w-]{8,}\\.[\\w-]{8,}\\.[\\w-]*))"},
    {REDACT_URL_PASSWORD, WORD_STOPS,
     "[a-z][a-z0-9+.-]{1,20}:\\\\?/\\\\?/[^/\\s:@\"'\\\\\\[]{0,64}:" FRESH
     "([^@\\s/\"'\\\\]{1,512})@"},
    /* Up to the end of the quotes or of the line around the pair: any character can be in a password. */
    {REDACT_PASSWORD, "\"\r\n",
     "(?|(?<!\\\\)\"(?!aws_)[\\w.]{0,60}?" TELLING "=(?![\"'\\\\]|\\[redacted[:\\]]|" REFERENCE
     ")((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\nnr])++)(?=\"|\\\\[nr])"
     "|\\\\{1,7}\"(?!aws_)[\\w.]{0,60}?" TELLING "=(?![\"'\\\\]|\\[redacted[:\\]]|" REFERENCE
     ")([^\"\\\\\\r\\n]+)(?=\\\\))"},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?<![^\\n])[ \\t]{0,40}(?:-[ \\t]{1,4})?(?:export[ "
     "\\t]{1,4})?(?-i:(?!AWS_)[A-Z][A-Z0-9_]{0,60}?(?:"
     "PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|_PASS|_PWD|API_?KEY|SECRET_?KEY))=(?![\"'\\\\]|"
     "\\[redacted[:\\]]|" REFERENCE ")([^\\r\\n\\x00=\"\\\\]+)(?=[\\r\\n]|$)"},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?<![^\\n])[ \\t]{0,60}(?:-[ \\t]{1,4})?[\"']?[\\w.-]{0,60}?" TELLING
     "[\"']?:[ \\t]{1,80}+(?![\"'|>{\\[&!*$<\\\\]|\\[redacted[:\\]]|" REFERENCE
     ")([^\\r\\n\\x00:=\"\\\\]{4,})(?=[\\r\\n]|$)"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "\\b(?:key|name):[ \\t]{0,4}[\"']?" SECRET_HEADER
     "[\"']?[ \\t]{0,4}(?:,|\\r?\\n)[ \\t]{0,60}(?:raw_)?value:[ \\t]{0,4}+[\"']?+"
     "(?![%$\"']|\\[redacted[:\\]]|" REFERENCE ")([^\\r\\n\"'{}]{4,})"},
    {REDACT_PASSWORD, "\"\r\n",
     "\"value\"\\s{0,4}:\\s{0,4}\"(?![%$\"]|\\[redacted[:\\]]|" REFERENCE
     ")((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\n])++)\"\\s{0,4},\\s{0,60}\"(?:key|name)\"\\s{0,4}:\\s{0,4}"
     "\""
     "(?:[\\w.-]{0,60}?" TELLING "|" SECRET_HEADER ")\""},
    {REDACT_PASSWORD, "<\r\n",
     "<[\\w.:-]{0,40}?" TELLING ">" FRESH "(?!" REFERENCE ")([^<\\r\\n]+)</"},
    {REDACT_PASSWORD, "\"\r\n",
     "name=\"[\\w.-]{0,60}?" TELLING "\"[ \\t]{1,8}value=\"" FRESH "(?!" REFERENCE
     ")([^\"\\r\\n]+)"},
    {REDACT_PASSWORD, "\"\r\n",
     "\"(?:-u|--user|--proxy-user)\"\\s{0,4},\\s{0,60}\"[^\\s:\"'\\\\]{1,64}:" FRESH
     "([^\"\\\\\\r\\n]{3,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "-token" ASSIGN QUOTE "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?<!\\w:)(?:password|passwd|passphrase|client[_-]?secret|api[_-]?key|access[_-]?token|"
     "refresh[_-]?"
     "token|id[_-]token|secret[_-]?key|secretid|account_?key|webhook_?url)" ASSIGN VALUE},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?:password|passwd|passphrase|token|secret|api[_-]?key)" BLOCK "([^\\s][^\\r\\n]{3,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "\"(?:pass|pwd|encrypt)\\\\{0,7}\"[ \\t]{0,8}:[ \\t]{0,8}(?=\\\\{0,7}\")" VALUE},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?:password|passwd|secret|private_?key|keys?|token|credentials?|users)\\\\{0,7}[\"']?\\s{0,4}"
     "[:=]\\s{0,"
     "60}[\\[{]?\\s{0,60}[{-]?\\s{0,60}\\\\{0,7}[\"']?inline_(?:string|bytes)" ASSIGN VALUE},
    {REDACT_PASSWORD, WORD_STOPS,
     "\\blogin[ \\t]{1,8}\\S{1,80}[ \\t]{1,8}password[ \\t]{1,8}" FRESH "([^\\s\"'\\\\]+)"},
    {REDACT_PASSWORD, WORD_STOPS,
     "identified[ \\t]{1,8}by[ \\t]{1,8}\\\\{0,7}[\"']" FRESH "([^'\"\\\\\\r\\n]+)"},
    {REDACT_PASSWORD, WORD_STOPS,
     "\\bcurl\\b[^\\r\\n]{0,200}?[ \\t](?:-u|--user)[ "
     "=]{1,4}\\\\{0,7}[\"']?[^\\s:\"'\\\\]{1,64}:" FRESH "([^\\s\"'\\\\]{3,})"},
    {REDACT_PASSWORD, WORD_STOPS, "(\\$(?-i:2[aby]|apr1|argon2id?)\\$[\\w./$,=+-]{20,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?-i:_(?:SECRET|TOKEN|(?<!PUBLIC_)KEY|PASS|PASSPHRASE|PWD|CREDENTIALS?|AUTH))" ASSIGN VALUE},
    {REDACT_PASSWORD, WORD_STOPS,
     "--[\\w-]{0,40}?(?:password|passwd|token|secret|api-?key)" NEXT_WORD
     "(?!-|\\[redacted:|" REFERENCE ")(" WORD "{4,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?<![\\w-])token" ASSIGN QUOTE "((?=[a-z._~+/=-]*[0-9])[\\w.~+/=-]{20,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?<=[\\s\"'])-token" NEXT_WORD "(?!-|\\[redacted:|" REFERENCE ")(" WORD "{4,})"},
    {REDACT_PASSWORD, WORD_STOPS, "client-key-data" ASSIGN VALUE},
    {REDACT_PASSWORD, WORD_STOPS,
     "\"auth\\\\{0,7}\"\\s{0,4}:\\s{0,4}\\\\{0,7}\"([\\w/+]{8,}={0,2})"},
    {REDACT_SECRET, "\"\r\n",
     "\"(?:Secret(?:String|Binary)|authorizationToken)\\\\{0,7}\"\\s{0,4}:\\s{0,4}\\\\{0,7}\"" FRESH
     "((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\n])++)"},
    {REDACT_SECRET, "\"\r\n",
     "\"SecureString\\\\{0,7}\"\\s{0,4},\\s{0,60}\\\\{0,7}\"Value\\\\{0,7}\"\\s{0,4}:\\s{0,4}\\\\{"
     "0,3}\"" FRESH "((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\n])++)"},
    {REDACT_PRESIGNED, "&\"'\\ \t\r\n",
     MEMBER "(?:sig|signature|x-(?:amz|goog|oss|ms)-(?:signature|credential|security-token))(?:=|%"
            "3D)" FRESH "([^&\\s\"'\\\\]{4,})"},
    {REDACT_PASSWORD, "&\"'\\ \t\r\n",
     MEMBER "(?:token|secret|code_verifier|client_assertion)=" FRESH "([^&\\s\"'\\\\]{4,})"},
    {REDACT_TOKEN, WORD_STOPS,
     "(?-i:\\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\\w{30,}|x(?:ox[a-z]|app)-[A-Za-z0-9-]{20,}|"
     "gl(?:pat|rt|dt|cbt)"
     "-[\\w-]{18,}|whsec_[A-Za-z0-9]{20,}|dckr_pat_[\\w-]{20,}|glsa_\\w{20,}|pypi-[\\w-]{30,}|"
     "ATATT3x[\\w=-]{30,}|AGE-SECRET-KEY-1[A-Z0-9]{40,}|"
     "[srp]k_(?:live|test)_[A-Za-z0-9]{16,}|AIza[\\w-]{35}|npm_[A-Za-z0-9]{30,}|SG\\.[\\w-]{16,}\\."
     "[\\w-]{16,}|"
     "ya29\\.[\\w-]{20,}|dop_v1_[a-f0-9]{40,}|sk-(?:ant-|proj-)?[\\w-]{32,}|shpat_[a-f0-9]{24,}|hf_"
     "[A-Za-z0-9]{30,}|"
     "hv[sbr]\\.[\\w-]{20,}))"},
    {REDACT_TOKEN, WORD_STOPS, "(?-i:(?:^|(?<=[\\s=:\"'\\\\(,]))(s\\.[A-Za-z0-9]{24})(?![\\w.]))"},
    {REDACT_TOKEN, WORD_STOPS, /* of Consul's agents */
     "\\b(?:agent|default|master|initial_management|agent_(?:master|recovery)|replication)" ASSIGN
         QUOTE "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"},
    {REDACT_TOKEN, WORD_STOPS, "hooks\\.slack\\.com/services/([\\w/]{20,})"},
    {REDACT_RANDOM, WORD_STOPS,
     "(?:key|token|secret|credential|signature|auth|passw|pwd)[\\w.-]{0,20}?" ASSIGN ANCHOR QUOTE
         FRESH "(?!" REFERENCE ")([\\w+/=~.-]{20,})"},
};

/* The coarse look: one of these ends near every announcement. */
static const struct {
    const char *pattern;
    unsigned flags;
} coarse[] = {
    {"-----BEGIN [A-Z0-9 ]*PRIVATE KEY", 0},
    {"LS0tLS1CRUdJTi", 0},
    {"eyJ[A-Za-z0-9_-]{8}", 0},
    {"(key|token|secret|secretid|webhook_?url|passwd|password|_PASS|PASSPHRASE|_PWD|_AUTH|"
     "CREDENTIALS?|key-data)[\\x5c\"']{0,8}"
     "[ \\t\\r]{0,8}[=:,\\n]",
     HS_FLAG_CASELESS},
    {"--[A-Za-z-]*(password|passwd|token|secret|api-?key)[ \\t\"'\\x5c]", 0},
    {"\"(auth|Secret(String|Binary)|SecureString)[\\x5c]{0,7}\"", 0},
    {"(authorization|cookie|signature|-auth|-session)[\\x5c\"']{0,8}[ \\t]{0,8}[=:,]",
     HS_FLAG_CASELESS},
    {"bearer[ \\t]", HS_FLAG_CASELESS},
    {":\\x5c?/\\x5c?/[^\\s/@\"'\\x5c]*@", 0},
    {"([?&;]|u0026|%26)sig(=|%3D)", HS_FLAG_CASELESS},
    {"(signature|-credential|-security-token|code_verifier|client_assertion)(=|%3D)",
     HS_FLAG_CASELESS},
    {"(gh[pousr]_|github_pat_|xox[a-z]-|xapp-|gl(pat|rt|dt|cbt|sa_)-?|whsec_|dckr_pat_|pypi-|"
     "ATATT3x|"
     "AGE-SECRET-KEY-1|[srp]k_(live|test)_|AIza|npm_|SG\\.|ya29\\.|dop_v1_|"
     "sk-|"
     "shpat_|hf_|hv[sbr]\\.)[A-Za-z0-9_-]{16}",
     0},
    {"[ \\t\\n=:\"'\\x5c(,]s\\.[A-Za-z0-9]{24}", 0},
    {"(agent|default|master|management|recovery|replication)[\\x5c\"']{0,8}[ \\t]{0,8}[=:][ "
     "\\t]{0,8}"
     "[\\x5c\"']{0,8}[0-9a-f]{8}-[0-9a-f]{4}-",
     HS_FLAG_CASELESS},
    {"hooks\\.slack\\.com/services/", HS_FLAG_CASELESS},
    {"(key|token|secret|credential|signature|auth|passw|pwd)[A-Za-z0-9_.-]{0,20}[\\x5c\"']{0,8}[ "
     "\\t]{0,8}[=:]"
     "[ \\t]{0,8}[^\\s]{20}",
     HS_FLAG_CASELESS},
    {"inline_(string|bytes)", HS_FLAG_CASELESS},
    {"\"(pass|pwd|encrypt)[\\x5c]{0,7}\"", 0},
    {"(identified[ \\t]+by|login[ \\t]+[^\\s]{1,80}[ \\t]+password)[ \\t]", HS_FLAG_CASELESS},
    {"[ \\t](-u|--user|-token)[ =]", 0},
    {"\"(-u|--user|--proxy-user)\"", 0},
    {"(passw|passphrase|secret|token|_pass|_pwd|key)[a-z]{0,4}(>|\"[ \\t]*value|\"[\\s]*\\})",
     HS_FLAG_CASELESS},
    {"\"(key|name)\"[ ]?:[ ]?\"[A-Za-z0-9_.-]*(token|key|secret|signature|auth|session|cookie|"
     "authorization|passwd|password|passphrase|_pass|_pwd)\"",
     HS_FLAG_CASELESS},
    {"(key|name):[ "
     "\\t]*[\"']?[A-Za-z-]*(token|key|secret|signature|auth|session|cookie|authorization)"
     "[\"']?[ \\t]*[,\\r\\n]",
     HS_FLAG_CASELESS},
    {"[$](2[aby]|apr1|argon2id?)[$]", 0},
    {"basic[ \\t]+[A-Za-z0-9+/]{16}", HS_FLAG_CASELESS},
};

static struct regex *all_rules(void)
{
    static struct regex *compiled;
    if (compiled)
        return compiled;
    struct buf joined;
    struct err err = ERR_INIT;
    buf_init(&joined, 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        buf_addf(&joined, "%s(?:%s)", i ? "|" : "", rules[i].pattern);
    compiled = regex_new(buf_str(&joined), REGEX_CASELESS, &err);
    if (!compiled)
        BUG("%s", err.text);
    if (regex_groups(compiled) != (int)ARRAY_LEN(rules))
        BUG("a rule has not one group");
    buf_release(&joined);
    return compiled;
}

static bool match_from(const char *text, size_t len, size_t from, struct redact_hit *hit)
{
    struct regex_span spans[ARRAY_LEN(rules) + 1];
    size_t i;
    do {
        if (!regex_match(all_rules(), text, len, from, spans, (int)ARRAY_LEN(spans)))
            return false;
        for (i = 0; spans[i + 1].start == SIZE_MAX;)
            i++;
        from = spans[0].start + 1;
    } while (rules[i].kind == REDACT_RANDOM &&
             !redact_random(text, spans[0].start, spans[i + 1].start, spans[i + 1].end));
    *hit = (struct redact_hit){
        .match = spans[0].start,
        .start = spans[i + 1].start,
        .end = spans[i + 1].end,
        .kind = rules[i].kind,
        .key_begins = rules[i].stops == NULL,
        .stops = rules[i].stops,
    };
    return true;
}

bool redact_rules_next(const char *text, size_t len, size_t from, size_t to, struct redact_hit *hit)
{
    size_t near = len - to < REDACT_REACH ? len : to + REDACT_REACH;
    while (from < to && match_from(text, near, from, hit) && hit->match < to) {
        if (hit->end != near || near == len)
            return true;
        /* The secret may go on behind what was looked at. */
        from = hit->match;
        near = len;
    }
    return false;
}

/* ---- the coarse look ---- */

struct look {
    redact_stretch_fn *stretch;
    void *user;
    size_t from, to; /* the stretch that grows; none while TO is 0 */
};

static hs_database_t *coarse_database(void)
{
    static hs_database_t *database;
    const char *patterns[ARRAY_LEN(coarse)];
    unsigned flags[ARRAY_LEN(coarse)];
    hs_compile_error_t *error = NULL;
    if (database)
        return database;
    for (size_t i = 0; i < ARRAY_LEN(coarse); i++) {
        patterns[i] = coarse[i].pattern;
        flags[i] = coarse[i].flags;
    }
    if (hs_compile_multi(patterns, flags, NULL, ARRAY_LEN(coarse), HS_MODE_BLOCK, NULL, &database,
                         &error) != HS_SUCCESS)
        hs_free_compile_error(error);
    return database;
}

static void flush(struct look *look)
{
    if (look->to)
        look->stretch(look->user, look->from, look->to);
    look->to = 0;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *user)
{
    struct look *look = user;
    size_t start = to > REDACT_REACH ? (size_t)to - REDACT_REACH : 0;
    (void)id, (void)from, (void)flags;
    if (look->to && start > look->to)
        flush(look);
    if (!look->to)
        look->from = start;
    look->to = (size_t)to;
    return 0;
}

void redact_rules_scan(const char *text, size_t len, redact_stretch_fn *stretch, void *user)
{
    static hs_scratch_t *scratch;
    struct look look = {.stretch = stretch, .user = user};
    hs_database_t *database = coarse_database();
    if (database && !scratch)
        hs_alloc_scratch(database, &scratch);
    /* A processor that libhs does not know: everything deserves a look. */
    if (!database || !scratch ||
        hs_scan(database, text, (unsigned)len, 0, scratch, on_match, &look) != HS_SUCCESS)
        stretch(user, 0, len);
    else
        flush(&look);
}
