/* Source: the table of secrets. Reads text, writes where a secret stands. A libhs pass picks the
 * few stretches worth a look, PCRE2 finds the secret in them. Deliberately keeps identifiers
 * (access key ids, ARNs, file names): they tell whose secret it was, and checks compare them. */
#include "source/redact_rules.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/regex.h"
#include "source/redact_random.h"
#include "source/redact_value.h"

#include <hs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Between a name and its value: `="`, `": "`, `\": \"`, YAML, and the pairs of name and value that
 * task definitions and pods hold. */
#define QUOTE  "(?:\\\\{0,7}[\"'])?"
#define ASSIGN "(?&assign)"
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
#define WORD   "[^\\s\\x00\"'\\\\,;&<>{}()\\[\\]]"
/* In double quotes, plain or escaped, up to the closing one, in single quotes likewise, else one
 * word. */
#define VALUE                                                                                      \
    ANCHOR                                                                                         \
    "(?|\"(?![,}\\]:\\s])((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\n])++)"                                  \
    "|'(?![,}\\]:\\s])([^'\"\\\\\\r\\n]+)|\\\\{1,7}\"(?![,}\\]:\\s\\\\])([^\"\\\\\\r\\n]+)"        \
    "|" QUOTE "(?![|>][+-]?[ \\t\\r]*\\n)(" WORD "+))"
/* Names that end so say that a secret stands behind them; the short ones only as words of their own. Looked
 * at once, at the end of the name. */
#define TELLING "(?&telling)"
#define LOUD                                                                                       \
    "(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|(?<![A-Z0-9])(?:PASS|PWD|PW)"                      \
    "|(?:API|SECRET|PRIVATE|SIGNING|ENCRYPTION|MASTER|LICENSE)_?KEY)"
/* Names of headers that carry one. */
#define X_HEADER "x-[\\w-]{0,30}(?:token|api-?key|secret|signature|auth|session)"
#define SECRET_HEADER                                                                              \
    "(?:" X_HEADER "|(?:proxy-)?authorization|(?:set-)?cookie|api-?key|private-token)"
/* A value that is written in one place of its own: the line, the flow, the call. */
#define FIRST "(?:(?<![^\\n])[ \\t]{0,60}(?:-[ \\t]{1,4})?|[{,;(][ \\t]{0,8})"
/* The scheme of a header's value stays. */
#define SCHEME                                                                                     \
    "(?:(?:bearer|basic|digest|negotiate|ntlm|token|apikey|aws4-hmac-sha256)[ \\t]{1,8}+)?+"
/* The rest of a command up to one of its options, over continued lines and in exec form; what separates
 * its words; what stands behind an option. */
#define COMMAND                                                                                    \
    "\\b(?:[^\\r\\n;|]{0,200}?(?:\\\\|\",|(?=\\r?\\n[ \\t]{0,60}- ))\\r?\\n){0,3}"                 \
    "[^\\r\\n;|]{0,200}?"
#define SPACE                                                                                      \
    "(?:[ \\t]{1,8}|\\\\{0,7}[\"'][ \\t]{0,4},\\s{0,60}\\\\{0,7}[\"']"                             \
    "|[\"']?[ \\t\\r]{0,8}\\n[ \\t]{0,60}-[ \\t]{1,8}[\"']?)"
#define ARGUMENT(before)                                                                           \
    "(?|\"" before FRESH "([^\"\\\\\\r\\n]+)|'" before FRESH "([^'\\r\\n]+)"                       \
    "|\\\\{0,7}" before FRESH "([^\\s\"'\\\\]+))"
#define USER "[^\\s:\"'\\\\-][^\\s:\"'\\\\]{0,63}:"
/* A member of JSON, from behind its name on. */
#define IS "\\\\{0,7}[\"']\\s{0,4}:\\s{0,4}\\\\{0,7}[\"']"
/* One character of JSON that was escaped for a URL, and perhaps once more. */
#define ENCODED(hex) "%(?:25){0,3}" hex
/* A secret of one line behind `name: |`. */
#define BLOCK "[ \\t]{0,8}:[ \\t]{0,8}[|>][+-]?[ \\t\\r]{0,8}\\n[ \\t]{1,60}"
/* What separates the members of a query, also escaped. */
#define MEMBER "(?:[?&]|&amp;|\\\\{1,7}u0026|%26)"

#define WORD_STOPS " \t\r\n\"'\\,;&<>{}()[]"
#define LINE_STOPS "\"'\\\r\n"

enum {
    PIECE = 1 << 11, /* bytes of one exact look */
    WEAK = 1 << 8,   /* of more than secrets: redact_value.h */
};

/* What many rules share, as groups of one pattern: written out each time it would be too large. */
enum { SHARED_GROUPS = 2 };
static const char shared[] =
    "(?(DEFINE)(?<assign>"
    "(?:" QUOTE "[ \\t]{0,8}(?:=>|[:=])[ \\t]{0,80}"
    "|\\\\{0,7}\"\\s{0,20},\\s{0,60}\\\\{0,7}\"value\\\\{0,7}\"\\s{0,4}:\\s{0,4}"
    "|\"[ \\t]{0,8},?\\s{0,60}value\\s{0,8}=\\s{0,8}"
    "|[\"']?[ \\t\\r]{0,8}\\n[ \\t]{0,60}value:[ \\t]{0,8})"
    ")(?<telling>"
    "[\\w.-]{1,200}+(?<=password|passwd|passphrase|secret|token"
    "|apikey|api[_-]key|accountkey|account[_-]key|secretkey|secret[_-]key"
    "|privatekey|private[_-]key|signingkey|signing[_-]key"
    "|encryptionkey|encryption[_-]key|masterkey|master[_-]key"
    "|licensekey|license[_-]key|sharedkey|shared[_-]key|accesskey|access[_-]key"
    "|(?<![a-z0-9])pass|(?<![a-z0-9])pwd|(?<![a-z0-9])pw"
    "|(?-i:(?<=[a-z0-9])Pass)|(?-i:(?<=[a-z0-9])Pwd))"
    "))";

static const struct rule {
    unsigned kind; /* enum redact_kind */
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
    {REDACT_AUTHORIZATION, "]\r\n",
     "(?<![\\w.-])(?:" SECRET_HEADER "|" TELLING "):\\[(?!redacted[:\\]])" SCHEME FRESH
     "([^\\]\\r\\n\"\\\\]+)\\]"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "\"" SECRET_HEADER "\\\\{0,7}\"\\s{0,4}:\\s{0,4}\\[\\s{0,60}\\\\{0,7}\"" SCHEME FRESH
     "((?:[^\"\\\\\\r\\n]|\\\\{0,7}\"[ \\t]{0,4},[ \\t]{0,4}\\\\{0,7}\")+)"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "\\b" SECRET_HEADER PAIR "(?![%$\"\\\\])" SCHEME FRESH
     "((?:[^\"\\\\\\r\\n]++|\\\\[^\"\\r\\n])++)"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     ":(?:add|replace|set)\\([ \\t]{0,4}\\\\{0,7}[\"']" SECRET_HEADER
     "\\\\{0,7}[\"'][ \\t]{0,4},[ \\t]{0,4}\\\\{0,7}[\"']" SCHEME FRESH "([^\"'\\\\\\r\\n]+)"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "(?:\\bname\\\\{0,7}[\"']?[ \\t]{0,4}:[ \\t]{0,4}\\\\{0,7}[\"']?(?:" SECRET_HEADER "|" TELLING
     ")\\\\{0,7}[\"']?[\\s,]{1,80}\\\\{0,7}[\"']?"
     "(?:string_?match\\\\{0,7}[\"']?\\s{0,4}:[\\s{]{0,80}\\\\{0,7}[\"']?)?"
     "|\\b" SECRET_HEADER "\\\\{0,7}[\"']?\\s{0,4}:[\\s{]{1,80}\\\\{0,7}[\"']?)"
     "(?:safe_?regex\\\\{0,7}[\"']?\\s{0,4}:[\\s{]{0,80}\\\\{0,7}[\"']?"
     "(?:google_?re2[^{}]{1,20}\\{\\s{0,60}\\}[\\s,]{1,60}\\\\{0,7}[\"']?)?)?"
     "(?:exact|prefix|suffix|contains|regex)(?:_?match)?\\\\{0,7}[\"']?[ \\t]{0,4}:[ \\t]{0,4}"
     "\\\\{0,7}[\"']?+" SCHEME FRESH "([^\\r\\n\"'{}\\\\]+)"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "authorization" HEADER
     "(?:bearer|basic|digest|negotiate|ntlm|token|apikey|aws4-hmac-sha256)[ \\t]{1,8}+" FRESH
     "([^\"'\\\\\\r\\n]+)"},
    {REDACT_AUTHORIZATION, WORD_STOPS,
     "authorization" HEADER "(?!aws4-hmac-)([\\w.~+/=-]{16,})(?=[\"'\\\\\\s]|$)"},
    {REDACT_AUTHORIZATION, WORD_STOPS, "bearer[ \\t]{1,8}((?=[a-z._~+/=-]*[0-9])[\\w.~+/=-]{20,})"},
    {REDACT_AUTHORIZATION, WORD_STOPS,
     "(?<!/)\\b(?:" X_HEADER "|api-key|private-token)" HEADER "(?!%[A-Z])" FRESH
     "([^\\s\"'\\\\,;&<>\\[]{8,})"},
    {REDACT_AUTHORIZATION | WEAK, WORD_STOPS,
     "(?<!/)\\b(?:" X_HEADER "|api-key|private-token)" HEADER "(?!%[A-Z])" FRESH
     "([^\\s\"'\\\\,;&<>\\[]{2,7})(?=[\"'\\\\\\s,;]|$)"},
    {REDACT_AUTHORIZATION, WORD_STOPS,
     "basic[ \\t]{1,8}((?=[A-Za-z0-9+/]*[0-9A-Z])[A-Za-z0-9+/]{16,}={0,2})(?=[\"'\\\\\\s,]|$)"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "cookie" HEADER FRESH "([^\\s\"'\\\\=;:,{}\\[\\]]+=[^\"'\\\\\\r\\n]+)"},
    {REDACT_JWT, WORD_STOPS, "(?-i:(eyJ[\\w-]{8,}\\.[\\w-]{8,}\\.[\\w-]*))"},
    {REDACT_URL_PASSWORD, WORD_STOPS,
     "[a-z][a-z0-9+.-]{1,20}:\\\\?/\\\\?/[^/\\s:@\"'\\\\\\[]{0,64}:" FRESH
     "([^\\s/\"'\\\\]{1,512})@(?!sha256:)"},
    {REDACT_URL_PASSWORD,
     WORD_STOPS, /* a slash in it: what is no port, in front of what is a host */
     "[a-z][a-z0-9+.-]{1,20}:\\\\?/\\\\?/[^/\\s:@\"'\\\\\\[]{1,64}:(?!\\d{1,5}[/?#])" FRESH
     "([^\\s@\"'\\\\]{1,200})@(?=[\\w.-]{1,200}(?::\\d{1,5})?(?:[/?,\\s\"'\\\\]|$))"},
    {REDACT_URL_PASSWORD, WORD_STOPS,
     "(?<![\\w./\\[-])[\\w.-]{1,64}:" FRESH "([^\\s\"'\\\\]{1,128}?)@(?:tcp|udp|unix)\\("},
    {REDACT_URL_PASSWORD, WORD_STOPS,
     "(?:jdbc:oracle:\\w{1,10}:|\\bsqlplus(?:[ \\t]{1,8}-\\w)?[ \\t]{1,8})[^\\s/\"'@]{1,64}/" FRESH
     "([^\\s\"'\\\\]{1,128}?)@"},
    /* Up to the end of the quotes or of the line around the pair: any character can be in a password. */
    {REDACT_PASSWORD, "\"\r\n",
     "(?|(?<!\\\\)\"(?!aws_)" TELLING
     "=(?![\"'\\\\]|\\[redacted[:\\]])((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\nnr])++)(?=\"|\\\\[nr])"
     "|\\\\{1,7}\"(?!aws_)" TELLING "=(?![\"'\\\\]|\\[redacted[:\\]])([^\"\\\\\\r\\n]+)(?=\\\\))"},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?<![^\\n])[ \\t]{0,40}(?:-[ \\t]{1,4})?(?:export[ "
     "\\t]{1,4})?(?-i:(?!AWS_)[A-Z0-9_]{0,60}?" LOUD ")=(?![\"'\\\\]|"
     "\\[redacted[:\\]])([^\\r\\n\\x00=\"\\\\]+)(?=[\\r\\n]|$)"},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?<![^\\n])[ \\t]{0,60}(?:-[ \\t]{1,4})?[\"']?(?!aws_)" TELLING
     "[\"']?(?::[ \\t]{1,80}+|[ \\t]{0,8}=[ "
     "\\t]{0,8}+)(?![\"'|>{\\[&!*<\\\\])([^\\r\\n\\x00:=\"\\\\]+|[^\\s\"\\\\]+)(?=[\\r\\n]|$)"},
    {REDACT_PASSWORD, WORD_STOPS, FIRST TELLING "[ \\t]{0,8}[:=][ \\t]{0,8}(?=[\"'])" VALUE},
    {REDACT_PASSWORD, WORD_STOPS, "'" TELLING "'[ \\t]{0,8}:[ \\t]{0,8}(?=')" VALUE},
    {REDACT_PASSWORD, LINE_STOPS,
     "\"" TELLING "\\\\{0,7}\"\\s{0,4}:\\s{0,4}\\[\\s{0,60}\\\\{0,7}\"" FRESH
     "((?:[^\"\\\\\\r\\n]|\\\\{0,7}\"[ \\t]{0,4},[ \\t]{0,4}\\\\{0,7}\")+)"},
    {REDACT_PASSWORD, ",\"'\\\r\n",
     "(?-i:(?<![A-Z0-9_])[A-Z0-9_]{0,60}?" LOUD "[\"']?[,|\\t][\"']?(?![A-Z0-9_]+(?:[\"',\\s]|$)))"
     "([^\\s,|\"'\\\\][^,|\\t\\r\\n\"'\\\\]*)(?=[\"']?(?:[,|\\t\\r\\n]|$))"},
    {REDACT_AUTHORIZATION, LINE_STOPS,
     "\\b(?:key|name):[ \\t]{0,4}[\"']?" SECRET_HEADER
     "[\"']?[ \\t]{0,4}(?:,|\\r?\\n)[ \\t]{0,60}(?:raw_)?value:[ \\t]{0,4}+[\"']?+"
     "(?![%$\"'])" SCHEME FRESH "([^\\r\\n\"'{}]+)"},
    {REDACT_PASSWORD, "\"\r\n",
     "\"value\"\\s{0,4}:\\s{0,4}\"(?![%$\"]|\\[redacted[:\\]])((?:[^\"\\\\\\r\\n]++|\\\\[^\\r\\n])+"
     "+)\"\\s{0,4},\\s{0,60}\"(?:key|name)\"\\s{0,4}:\\s{0,4}"
     "\""
     "(?:" TELLING "|" SECRET_HEADER ")\""},
    {REDACT_PASSWORD, "<\r\n", "<(?:\\w{1,30}:)?" TELLING ">" FRESH "([^<\\r\\n]+)</"},
    {REDACT_PASSWORD, "\"\r\n",
     "(?:name|key)=\"" TELLING "\"[ \\t]{1,8}value=\"" FRESH "([^\"\\r\\n]+)"},
    {REDACT_PASSWORD, "\"\r\n",
     "\"(?:-u|--user|--proxy-user)\"\\s{0,4},\\s{0,60}\"[^\\s:\"'\\\\]{1,64}:" FRESH
     "([^\"\\\\\\r\\n]{3,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "-token" ASSIGN QUOTE "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?<!\\w:)(?:password|passwd|passphrase|client[_-]?secret|api[_-]?key|access[_-]?token|"
     "refresh[_-]?"
     "token|id[_-]token|secretid|account_?key|shared_?access_?key|"
     "(?:secret|signing|encryption|master|license|private)[_-]?key)" ASSIGN VALUE},
    {REDACT_TOKEN, WORD_STOPS, "webhook_?url" ASSIGN VALUE},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?<![\\w.-])[\\w.-]{0,60}?(?:(?<![a-z0-9])(?:pass|pwd)|(?-i:(?<=[a-z0-9])P(?:ass|wd)))"
     "=" VALUE},
    {REDACT_PASSWORD | WEAK, WORD_STOPS, /* as Go prints a struct */
     "(?-i:(?<=[{ ])(?:[A-Z]\\w{0,40}?)?(?:Secret|Token)):(?=[^\\s:/\"'])" VALUE},
    {REDACT_PASSWORD, WORD_STOPS, "(?-i:(?<![A-Z0-9_])(?:SECRET|TOKEN))=" VALUE},
    {REDACT_PASSWORD | WEAK, WORD_STOPS, "(?<![\\w.-])[\\w.-]{0,60}?(?:secret|token)=" VALUE},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?:password|passwd|passphrase|token|secret|api[_-]?key)" BLOCK "([^\\s][^\\r\\n]*)"},
    {REDACT_PASSWORD, WORD_STOPS,
     "\"encrypt\\\\{0,7}\"[ \\t]{0,8}:[ \\t]{0,8}(?=\\\\{0,7}\")" VALUE},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?:password|passwd|secret|private_?key|keys?|token|credentials?|users)\\\\{0,7}[\"']?\\s{0,4}"
     "[:=]\\s{0,"
     "60}[\\[{]?\\s{0,60}[{-]?\\s{0,60}\\\\{0,7}[\"']?inline_(?:string|bytes)" ASSIGN VALUE},
    {REDACT_PASSWORD,
     LINE_STOPS, /* behind another one of a list or a map, which has its own match */
     "(?<=i)nline_(?:string|bytes)" ASSIGN QUOTE
     "[^\"'\\\\\\r\\n,}]{1,400}[\"'\\\\]{0,8}[\\s},]{1,120}"
     "(?:-[ \\t]{1,4})?[\\s{]{0,120}[\"'\\\\]{0,8}"
     "(?:[\\w.-]{1,60}[\"'\\\\]{0,8}[ \\t]{0,4}:[\\s{]{1,80}[\"'\\\\]{0,8})?inline_string" ASSIGN
     "(?![\"'\\\\]{0,8}(?:function|local|--))" VALUE},
    {REDACT_PASSWORD, LINE_STOPS,
     "\\bsecrets\\\\{0,7}[\"']?\\s{0,4}:[\\s{]{1,80}\\\\{0,7}[\"']?[\\w.-]{1,60}\\\\{0,7}[\"']?"
     "\\s{0,4}:[\\s{]{1,80}\\\\{0,7}[\"']?inline_string" ASSIGN VALUE},
    {REDACT_PASSWORD, LINE_STOPS, /* but for a certificate in PEM */
     "inline_bytes" ASSIGN "(?!\\\\{0,7}[\"']?LS0tLS1CRUdJTiB)" VALUE},
    {REDACT_SECRET, WORD_STOPS, /* the private members of a JSON web key */
     "(?-i:\"(?:d|p|q|dp|dq|qi|k)" IS "([\\w-]{40,})={0,2}(?=\\\\{0,7}\"))"},
    {REDACT_SECRET, WORD_STOPS, "kty" IS "oct\\\\{0,7}\"[^{}]{0,400}?\"k" IS FRESH "([\\w-]+)"},
    {REDACT_SECRET, WORD_STOPS, "\"k" IS FRESH "([\\w-]+)(?=[^{}]{0,400}?kty" IS "oct)"},
    {REDACT_SECRET, WORD_STOPS, "user_?data[ \\t]{0,8}[:=][ \\t]{0,8}[\"']?([\\w+/]{24,}={0,2})"},
    {REDACT_SECRET, "\"\r\n",
     "\"user_?data\\\\{0,7}\"\\s{0,4}:\\s{0,4}(?:\\{\\s{0,60}\\\\{0,7}\"value\\\\{0,7}\"\\s{0,4}:"
     "\\s{0,4})?\\\\{0,7}\"" FRESH "([^\"\\\\\\r\\n]{8,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "\\blogin[ \\t]{1,8}\\S{1,80}[ \\t]{1,8}password[ \\t]{1,8}" FRESH "([^\\s\"'\\\\]+)"},
    {REDACT_PASSWORD, LINE_STOPS,
     "(?:identified[ \\t]{1,8}(?:with[ \\t]{1,8}\\S{1,40}[ \\t]{1,8})?by|\\bpassword)[ \\t]{1,8}"
     "\\\\{0,7}(?:'|(?<=by )\\\\{0,7}\")" FRESH "([^'\"\\\\\\r\\n]+)"},
    {REDACT_PASSWORD, LINE_STOPS,
     "\\b(?:curl|etcdctl)" COMMAND "(?:(?-i:" SPACE "-[A-Za-z]{0,6}[uU])|" SPACE
     "--(?:proxy-)?user)(?:" SPACE "|=)?" ARGUMENT(USER)},
    {REDACT_PASSWORD, LINE_STOPS,
     "\\b(?:mysql|mariadb)[a-z-]{0,8}" COMMAND SPACE "(?-i:-p)(?=[^\\s-])" ARGUMENT("")},
    {REDACT_PASSWORD, LINE_STOPS,
     "\\b(?:sshpass|mongo[a-z]{0,8}|(?:docker|podman|nerdctl|buildah|skopeo|helm|oras|crane|oc|az)"
     "\\b[^\\r\\n]{0,60}?\\blogin)" COMMAND SPACE "(?-i:-p)(?:" SPACE "|=)?+(?!-)" ARGUMENT("")},
    {REDACT_PASSWORD, LINE_STOPS,
     "\\bredis-cli" COMMAND SPACE "(?:(?-i:-a)|auth)" SPACE "(?!-)" ARGUMENT("")},
    {REDACT_PASSWORD, LINE_STOPS, "\\bvault[ \\t]{1,8}login[ \\t]{1,8}(?!-)" ARGUMENT("")},
    {REDACT_PASSWORD, LINE_STOPS, "(?:requirepass|masterauth)" SPACE "(?!-)" ARGUMENT("")},
    {REDACT_PASSWORD, LINE_STOPS,
     "--from-literal(?:" SPACE "|=)" ARGUMENT("[^=\\s\"'\\\\]{1,100}=")},
    {REDACT_PASSWORD, LINE_STOPS, "-pass(?:in|out)?" SPACE ARGUMENT("pass:")},
    {REDACT_AWS_KEY, LINE_STOPS,
     "\\bset" SPACE "aws_(?:secret_access_key|session_token)" SPACE ARGUMENT("")},
    {REDACT_PASSWORD, LINE_STOPS,
     "\\b(?:setx|setenv|env)[ \\t]{1,8}(?:/m[ \\t]{1,8})?" TELLING "[ \\t]{1,8}" ARGUMENT("")},
    {REDACT_PASSWORD, WORD_STOPS, "(\\$(?-i:2[aby]|apr1|argon2id?)\\$[\\w./$,=+-]{20,})"},
    {REDACT_PASSWORD, WORD_STOPS, "(?-i:_(?:SECRET|TOKEN|PASS|PASSPHRASE|PWD))" ASSIGN VALUE},
    {REDACT_PASSWORD | WEAK, WORD_STOPS,
     "(?-i:_(?:(?<!PUBLIC_)KEY|CREDENTIALS?|AUTH))" ASSIGN VALUE},
    {REDACT_PASSWORD, WORD_STOPS,
     "--[\\w-]{0,40}?(?:password|passwd|token|secret|api-?key)" NEXT_WORD
     "(?|\"(?!\\[redacted:)([^\"\\\\\\r\\n]+)|'(?!\\[redacted:)([^'\\r\\n]+)"
     "|(?!-|id=|\\[redacted:)(" WORD "+))"},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?<![\\w-])token" ASSIGN QUOTE "((?=[a-z._~+/=-]*[0-9])[\\w.~+/=-]{20,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "(?<=[\\s\"'])-token" NEXT_WORD "(?!-|\\[redacted:)(" WORD "{4,})"},
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
     MEMBER "(?:" TELLING "|pass|pwd|pw|(?:php|j)?sess(?:ion)?_?(?:id)?|sid|"
            "code_verifier|(?:client_)?assertion|saml(?:response|request))(?:=|%3D)" FRESH
            "([^&\\s\"'\\\\]+)"},
    {REDACT_PASSWORD, "&\"'\\ \t\r\n",
     "(?<![\\w.-])" TELLING ENCODED("3D") FRESH "((?:(?!" ENCODED("26") ")[^&\\s\"'\\\\])+)"},
    {REDACT_PASSWORD, "&\"'\\ \t\r\n",
     ENCODED("22") "(?:" TELLING "|pass|pwd|pw)" ENCODED("22") "(?:" ENCODED("20") "|\\+)?" ENCODED(
         "3A") "(?:" ENCODED("20") "|\\+)?" ENCODED("22") FRESH
     "((?:(?!" ENCODED("22") ")[^\\s\"'\\\\&])+)"},
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
    {REDACT_TOKEN, WORD_STOPS,
     "(?:hooks\\.slack\\.com/(?:services|workflows|triggers)|discord(?:app)?\\.com/api/webhooks|"
     "\\.webhook\\.office\\.com/webhookb2|api\\.telegram\\.org)/([\\w/@.:-]{5,})"},
    {REDACT_PASSWORD, WORD_STOPS,
     "\"" TELLING "\\\\{0,7}\"[ \\t]{0,8}:\\s{0,8}(?=\\\\{0,7}\")" VALUE},
    {REDACT_AUTHORIZATION | WEAK, LINE_STOPS,
     "\"" SECRET_HEADER IS SCHEME FRESH "((?:[^\"\\\\\\r\\n]++|\\\\[^\"\\r\\n])++)"},
    {REDACT_RANDOM, WORD_STOPS,
     "(?:key|token|secret|credential|signature|auth|passw|pwd)[\\w.-]{0,20}?" ASSIGN ANCHOR QUOTE
         FRESH "([\\w+/=~.-]{20,})"},
};

/* The coarse look: one of these ends near every announcement. */
static const struct {
    const char *pattern;
    unsigned flags;
    enum { NEAR = 200, FAR = REDACT_REACH } reach; /* how far in front the announcement may begin */
} coarse[] = {
    {"-----BEGIN [A-Z0-9 ]*PRIVATE KEY", 0, NEAR},
    {"LS0tLS1CRUdJTi", 0, NEAR},
    {"eyJ[A-Za-z0-9_-]{8}", 0, NEAR},
    {"(key|token|secret|secretid|webhook_?url|pass|passwd|password|passphrase|pwd|pw|_auth|"
     "credentials?|key-data)[\\x5c\"']{0,8}[ \\t\\r]{0,8}[=:,|\\t\\n]",
     HS_FLAG_CASELESS, NEAR},
    {"--[A-Za-z-]*(password|passwd|token|secret|api-?key)[ \\t\"'\\x5c]", 0, NEAR},
    {"(password|passwd|passphrase|secret|token|key|pass|pwd|pw)%(25){0,3}(22|3D)", HS_FLAG_CASELESS,
     NEAR},
    {"([?&;]|u0026|%26)(sid|(php|j)?sess(ion)?_?(id)?|assertion|saml(response|request))(=|%3D)",
     HS_FLAG_CASELESS, FAR},
    {"@(tcp|udp|unix)[(]|jdbc:oracle:", 0, FAR},
    {":[\\x5c]?/[\\x5c]?/[^\\s/@\"'\\x5c:]+:[^\\s@\"'\\x5c]+@", 0, FAR},
    {"(curl|etcdctl|(mysql|mariadb|mongo)[a-z-]{0,8}|sshpass|redis-cli|sqlplus|setx|setenv|login|"
     "env|"
     "requirepass|masterauth|from-literal|-pass(in|out)?|aws_secret_access_key|aws_session_token)"
     "[\\x5c\\s\"'=]",
     HS_FLAG_CASELESS, FAR},
    {"password[ \\t]+[\\x5c]*'", HS_FLAG_CASELESS, NEAR},
    {"\"(d|p|q|dp|dq|qi|k)[\\x5c]{0,7}\"\\s{0,4}:", 0, FAR},
    {"user_?data[\\x5c]{0,7}[ \\t]{0,8}[\":=]", HS_FLAG_CASELESS, NEAR},
    {"(hooks[.]slack[.]com|discord(app)?[.]com/api/webhooks|webhook[.]office[.]com|"
     "api[.]telegram[.]org)/",
     HS_FLAG_CASELESS, NEAR},
    {"\"(auth|Secret(String|Binary)|SecureString)[\\x5c]{0,7}\"", 0, NEAR},
    {"(authorization|cookie|signature|-auth|-session)[\\x5c\"']{0,8}[ \\t]{0,8}[=:,]",
     HS_FLAG_CASELESS, NEAR},
    {"bearer[ \\t]", HS_FLAG_CASELESS, NEAR},
    {":\\x5c?/\\x5c?/[^\\s/@\"'\\x5c]*@", 0, FAR},
    {"([?&;]|u0026|%26)sig(=|%3D)", HS_FLAG_CASELESS, FAR},
    {"(signature|-credential|-security-token|code_verifier|client_assertion)(=|%3D)",
     HS_FLAG_CASELESS, NEAR},
    {"(gh[pousr]_|github_pat_|xox[a-z]-|xapp-|gl(pat|rt|dt|cbt|sa_)-?|whsec_|dckr_pat_|pypi-|"
     "ATATT3x|"
     "AGE-SECRET-KEY-1|[srp]k_(live|test)_|AIza|npm_|SG\\.|ya29\\.|dop_v1_|"
     "sk-|"
     "shpat_|hf_|hv[sbr]\\.)[A-Za-z0-9_-]{16}",
     0, NEAR},
    {"[ \\t\\n=:\"'\\x5c(,]s\\.[A-Za-z0-9]{24}", 0, NEAR},
    {"(agent|default|master|management|recovery|replication)[\\x5c\"']{0,8}[ \\t]{0,8}[=:][ "
     "\\t]{0,8}"
     "[\\x5c\"']{0,8}[0-9a-f]{8}-[0-9a-f]{4}-",
     HS_FLAG_CASELESS, NEAR},
    {"(key|token|secret|credential|signature|auth|passw|pwd)[A-Za-z0-9_.-]{0,20}[\\x5c\"']{0,8}[ "
     "\\t]{0,8}[=:]"
     "[ \\t]{0,8}[^\\s]{20}",
     HS_FLAG_CASELESS, NEAR},
    {"inline_(string|bytes)", HS_FLAG_CASELESS, FAR},
    {"\"encrypt[\\x5c]{0,7}\"", 0, NEAR},
    {"(identified[ \\t]+(by|with)|login[ \\t]+[^\\s]{1,80}[ \\t]+password)[ \\t]", HS_FLAG_CASELESS,
     FAR},
    {"[ \\t](-u|--user|-token)[ =]", 0, FAR},
    {"\"(-u|--user|--proxy-user)\"", 0, FAR},
    {"(passw|passphrase|secret|token|_pass|_pwd|key)[a-z]{0,4}(>|\"[ \\t]*value|\"[\\s]*\\})",
     HS_FLAG_CASELESS, NEAR},
    {"(key|name)[\\x5c\"']{0,8}[ \\t]{0,8}:[ \\t]{0,8}[\\x5c\"']{0,8}[A-Za-z0-9_.-]*(token|key|"
     "secret|signature|auth|session|cookie|authorization|passwd|password|passphrase|pass|pwd)"
     "[\\x5c\"']{0,8}[ \\t]*[,\\s}]",
     HS_FLAG_CASELESS, FAR},
    {"[$](2[aby]|apr1|argon2id?)[$]", 0, NEAR},
    {"basic[ \\t]+[A-Za-z0-9+/]{16}", HS_FLAG_CASELESS, NEAR},
};

static struct regex *all_rules(void)
{
    static struct regex *compiled;
    if (compiled)
        return compiled;
    struct buf joined;
    struct err err = ERR_INIT;
    buf_init(&joined, 1 << 18);
    buf_adds(&joined, shared);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        buf_addf(&joined, "%s(?:%s)", i ? "|" : "", rules[i].pattern);
    compiled = regex_new(buf_str(&joined), REGEX_CASELESS | REGEX_BOUNDED, &err);
    if (!compiled)
        BUG("%s", err.text);
    if (regex_groups(compiled) != SHARED_GROUPS + (int)ARRAY_LEN(rules))
        BUG("a rule has not one group");
    buf_release(&joined);
    return compiled;
}

static bool is_secret(const struct rule *rule, const char *text, const struct regex_span *whole,
                      const struct regex_span *value)
{
    if (rule->kind == REDACT_RANDOM)
        return redact_random(text, whole->start, value->start, value->end);
    return (rule->kind != REDACT_PASSWORD && !(rule->kind & WEAK)) ||
           !redact_value_is_evidence(text, whole->start, value->start, value->end,
                                     rule->kind & WEAK);
}

static bool match_from(const char *text, size_t len, size_t from, size_t to, struct redact_hit *hit)
{
    struct regex_span spans[1 + SHARED_GROUPS + ARRAY_LEN(rules)];
    const struct regex_span *secrets = spans + 1 + SHARED_GROUPS;
    size_t i;
    do {
        if (!regex_match_before(all_rules(), text, len, from, to, spans, (int)ARRAY_LEN(spans)))
            return false;
        for (i = 0; secrets[i].start == SIZE_MAX;)
            i++;
        from = spans[0].start + 1;
    } while (!is_secret(&rules[i], text, &spans[0], &secrets[i]));
    *hit = (struct redact_hit){
        .match = spans[0].start,
        .start = secrets[i].start,
        .end = secrets[i].end,
        .kind = rules[i].kind & ~(unsigned)WEAK,
        .key_begins = rules[i].stops == NULL,
        .stops = rules[i].stops,
    };
    return true;
}

/* Likewise, of what begins before TO, which is not far behind FROM. */
static bool next_in_piece(const char *text, size_t len, size_t from, size_t to,
                          struct redact_hit *hit)
{
    size_t near = len - to < REDACT_REACH ? len : to + REDACT_REACH;
    while (match_from(text, near, from, to, hit)) {
        if (hit->end != near || near == len)
            return true;
        /* The secret may go on behind what was looked at. */
        from = hit->match;
        near = len;
    }
    return false;
}

/* In pieces: how many steps one look may take is limited, and much text must not use them up. */
bool redact_rules_next(const char *text, size_t len, size_t from, size_t to, struct redact_hit *hit)
{
    for (size_t end; from < to; from = end) {
        end = to - from > PIECE ? from + PIECE : to;
        if (next_in_piece(text, len, from, end, hit))
            return true;
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
    unsigned flags[ARRAY_LEN(coarse)], ids[ARRAY_LEN(coarse)];
    hs_compile_error_t *error = NULL;
    if (database)
        return database;
    for (size_t i = 0; i < ARRAY_LEN(coarse); i++) {
        patterns[i] = coarse[i].pattern;
        flags[i] = coarse[i].flags;
        ids[i] = (unsigned)i;
    }
    if (hs_compile_multi(patterns, flags, ids, ARRAY_LEN(coarse), HS_MODE_BLOCK, NULL, &database,
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
    size_t reach = coarse[id].reach, start = to > reach ? (size_t)to - reach : 0;
    (void)from, (void)flags;
    if (look->to && start > look->to)
        flush(look);
    if (!look->to || start < look->from)
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
