/* Stage: read. Peels wrappers off log lines: CRI, docker compose, kubectl --prefix, syslog and
 * journald, `aws logs tail`, Istio's epoch mark, mail quotes, prompts, line numbers, and times glued in
 * front. Reads one line, writes what is in it where. Deliberately copies nothing: wrappers that
 * escape their text (JSON, CSV) are undone in log_json.c and log_csv.c, into the shapes known here. */
#include "read/log_unwrap.h"
#include "base/alloc.h"
#include "base/clock.h"
#include <string.h>

enum { LAYERS_MAX = 6, NAME_MAX_LEN = 256, SEARCH_MAX = 256 };

struct peel {
    const char *at, *end;
    struct log_line *out;
};

typedef size_t peel_fn(const struct peel *peel);

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

static size_t left(const struct peel *peel)
{
    return (size_t)(peel->end - peel->at);
}

static size_t blanks_at(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return (size_t)(at - from);
}

/* Length up to the next blank, at most NAME_MAX_LEN; 0: none there, or too long. */
static size_t token(const char *at, const char *end)
{
    size_t most = (size_t)(end - at) < NAME_MAX_LEN ? (size_t)(end - at) : NAME_MAX_LEN;
    for (size_t i = 0; i < most; i++)
        if (at[i] == ' ' || at[i] == '\t')
            return i;
    return 0;
}

static uint64_t mix(uint64_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return (hash ^ 0xff) * UINT64_C(1099511628211);
}

static struct log_span name_of(const char *text, size_t len)
{
    bool known = len && !(len == 1 && *text == '-');
    return (struct log_span){text, known ? len : 0};
}

static void same_stream(const struct peel *peel, const char *kind, const char *name, size_t len)
{
    peel->out->stream = mix(mix(peel->out->stream, kind, strlen(kind)), name, len);
}

/* Whether what begins at AT is a log line of its own, by shape or as a JSON object. */
static bool is_line(const char *at, const char *end)
{
    struct log_header header;
    if (at < end && *at == '{')
        return end - at > 1 && at[1] == '"';
    return log_shape_header(at, (size_t)(end - at), &header) && header.kind != LOG_OTHER;
}

/* ---- one function per wrapper: how many bytes it takes, 0 when it is not there ---- */

static size_t mail_quote(const struct peel *peel)
{
    const char *at = peel->at;
    while (at < peel->end && *at == '>' && (at + 1 == peel->end || at[1] == ' ' || at[1] == '>'))
        at += at + 1 < peel->end && at[1] == ' ' ? 2 : 1;
    return at < peel->end && *at == '>' ? 0 : (size_t)(at - peel->at);
}

/* "[pod/NAME/CONTAINER] " as kubectl logs --prefix writes it */
static size_t kubectl_prefix(const struct peel *peel)
{
    static const char mark[] = "[pod/";
    if (left(peel) < sizeof mark || memcmp(peel->at, mark, sizeof mark - 1) != 0)
        return 0;
    const char *pod = peel->at + sizeof mark - 1;
    size_t most = (size_t)(peel->end - pod) < NAME_MAX_LEN ? (size_t)(peel->end - pod)
                                                           : NAME_MAX_LEN;
    const char *close = memchr(pod, ']', most);
    const char *slash = close ? memchr(pod, '/', (size_t)(close - pod)) : NULL;
    if (!slash || memchr(pod, ' ', (size_t)(close - pod)))
        return 0;
    peel->out->workload = name_of(pod, (size_t)(slash - pod));
    peel->out->container = name_of(slash + 1, (size_t)(close - slash - 1));
    same_stream(peel, "pod", pod, (size_t)(close - pod));
    return (size_t)(close + 1 - peel->at) + blanks_at(close + 1, peel->end);
}

/* "envoy-1  | " as docker compose writes it */
static size_t compose_prefix(const struct peel *peel)
{
    const char *at = peel->at;
    while (at < peel->end && is_name(*at) && at - peel->at < NAME_MAX_LEN)
        at++;
    size_t len = (size_t)(at - peel->at), blanks = blanks_at(at, peel->end);
    at += blanks;
    if (!len || !blanks || peel->end - at < 1 || *at != '|')
        return 0;
    if (at + 1 < peel->end && at[1] != ' ')
        return 0;
    peel->out->container = (struct log_span){peel->at, len};
    same_stream(peel, "compose", peel->at, len);
    return (size_t)(at - peel->at) + (at + 1 < peel->end ? 2 : 1);
}

static size_t epoch_mark(const struct peel *peel)
{
    static const char mark[] = "[Envoy (Epoch ";
    if (left(peel) < sizeof mark || memcmp(peel->at, mark, sizeof mark - 1) != 0)
        return 0;
    const char *at = peel->at + sizeof mark - 1;
    while (at < peel->end && is_digit(*at))
        at++;
    if (peel->end - at < 2 || at[0] != ')' || at[1] != ']')
        return 0;
    same_stream(peel, "epoch", "", 0);
    return (size_t)(at + 2 - peel->at) + blanks_at(at + 2, peel->end);
}

/* "$ command", "user@host:~$ command": what follows was typed, not logged. */
static size_t prompt(const struct peel *peel)
{
    static const char arrow[] = "\xE2\x9D\xAF "; /* U+276F */
    if (left(peel) > 2 && peel->at[0] == '$' && peel->at[1] == ' ')
        return 2;
    if (left(peel) >= sizeof arrow && memcmp(peel->at, arrow, sizeof arrow - 1) == 0)
        return sizeof arrow - 1;
    size_t len = token(peel->at, peel->end);
    if (len < 3 || !memchr(peel->at, '@', len) || !strchr("$#", peel->at[len - 1]))
        return 0;
    return len + 1;
}

/* ---- what begins with a time ---- */

/* "stderr F " behind the time of the container runtime */
static size_t cri_part(const struct peel *peel, const char *at)
{
    if (peel->end - at < 8 || memcmp(at, "std", 3) != 0 ||
        (memcmp(at + 3, "out ", 4) != 0 && memcmp(at + 3, "err ", 4) != 0))
        return 0;
    if ((at[7] != 'F' && at[7] != 'P') || (at + 8 < peel->end && at[8] != ' '))
        return 0;
    same_stream(peel, "cri", at, 6);
    return at + 8 < peel->end ? 9 : 8;
}

/* "host envoy[12]: " behind the time of syslog and journald */
static size_t syslog_part(const struct peel *peel, const char *at)
{
    size_t host = token(at, peel->end);
    if (!host || !is_name(*at))
        return 0;
    const char *tag = at + host + 1;
    size_t len = token(tag, peel->end);
    if (!len && peel->end - tag < NAME_MAX_LEN)
        len = (size_t)(peel->end - tag);
    if (len < 2 || !is_name(*tag) || tag[len - 1] != ':')
        return 0;
    const char *open = memchr(tag, '[', len);
    if (!open && is_digit(*peel->at))
        return 0; /* "2026-11-21T08:00:00Z error upstream: ..." is no syslog line */
    size_t name = open ? (size_t)(open - tag) : len - 1;
    peel->out->container = (struct log_span){tag, name};
    same_stream(peel, "syslog", tag, name);
    const char *behind = tag + len;
    return (size_t)(behind - at) + (behind < peel->end ? 1 : 0);
}

/* "prefix/container/task " behind the time of `aws logs tail`; other stream names only when a log line
 * follows for certain */
static size_t stream_part(const struct peel *peel, const char *at)
{
    size_t len = token(at, peel->end);
    if (!len || *at == '[' || *at == '"' || *at == '/')
        return 0;
    const char *first = memchr(at, '/', len), *last = memrchr(at, '/', len);
    bool ecs = first && last > first && !memchr(at, ':', len);
    if (!ecs && !is_line(at + len + 1, peel->end))
        return 0;
    if (ecs) {
        peel->out->container = name_of(first + 1, (size_t)(last - first - 1));
        peel->out->workload = name_of(last + 1, (size_t)(at + len - last - 1));
    }
    same_stream(peel, "aws", at, len);
    return len + 1;
}

static size_t timed(const struct peel *peel)
{
    int64_t time;
    const char *at = peel->at + (*peel->at == '"');
    size_t used = clock_parse(at, (size_t)(peel->end - at), &time);
    if (!used)
        return 0;
    at += used;
    size_t blanks = blanks_at(at, peel->end);
    if (!blanks && peel->end - at > 1 && *at == ',')
        blanks = 1; /* columns of a table that was copied */
    if (!blanks)
        return 0;
    at += blanks;
    size_t part = cri_part(peel, at);
    if (!part)
        part = syslog_part(peel, at);
    if (!part)
        part = stream_part(peel, at);
    if (!part) {
        if (!is_line(at, peel->end))
            return 0;
        same_stream(peel, "time", "", 0);
    }
    if (!peel->out->time) {
        peel->out->time = time;
        peel->out->zoned = clock_zoned(at - blanks - used, used);
    }
    return (size_t)(at - peel->at) + part;
}

/* "118:", "118-", "  118 " in front of a log line, as grep -n and cat -n write it */
static size_t line_number(const struct peel *peel)
{
    const char *at = peel->at;
    while (at < peel->end && is_digit(*at) && at - peel->at < 9)
        at++;
    if (at == peel->at)
        return 0;
    if (at < peel->end && strchr(":-.)|", *at))
        at++;
    at += blanks_at(at, peel->end);
    if (!is_line(at, peel->end))
        return 0;
    same_stream(peel, "number", "", 0);
    return (size_t)(at - peel->at);
}

/* Anything else, when Envoy's header with its time is not far behind. */
static size_t unknown(const struct peel *peel)
{
    const char *end = left(peel) > SEARCH_MAX ? peel->at + SEARCH_MAX : peel->end;
    for (const char *at = peel->at; (at = memchr(at, '[', (size_t)(end - at))) != NULL; at++) {
        struct log_header header;
        if (at == peel->at || peel->end - at < 12 || !is_digit(at[1]))
            continue;
        if (log_shape_header(at, (size_t)(peel->end - at), &header) && header.time &&
            header.kind == LOG_ENVOY) {
            same_stream(peel, "unknown", peel->at, (size_t)(at - peel->at));
            return (size_t)(at - peel->at);
        }
    }
    return 0;
}

/* ---- the whole line ---- */

static size_t peel_one(const struct peel *peel)
{
    static peel_fn *const wrappers[] = {mail_quote, kubectl_prefix, compose_prefix, epoch_mark,
                                        timed,      line_number,    unknown};
    for (size_t i = 0; i < ARRAY_LEN(wrappers); i++) {
        size_t used = wrappers[i](peel);
        if (used)
            return used;
    }
    return 0;
}

static bool own_header(const struct peel *peel, struct log_header *header)
{
    return log_shape_header(peel->at, left(peel), header) && header->kind != LOG_OTHER;
}

static void peel_all(struct peel *peel, struct log_header *header)
{
    for (int i = 0; i < LAYERS_MAX && left(peel); i++) {
        size_t blanks = blanks_at(peel->at, peel->end);
        struct peel inner = {peel->at + blanks, peel->end, peel->out};
        if (inner.at == inner.end)
            return;
        if (own_header(&inner, header)) {
            peel->at = inner.at;
            return;
        }
        size_t used = peel_one(&inner);
        if (!used)
            break;
        peel->at += blanks + used;
    }
    if (log_shape_header(peel->at, left(peel), header))
        return;
    size_t typed = prompt(peel);
    if (typed) { /* a line of its own, though nobody's header */
        peel->at += typed;
        header->kind = LOG_OTHER;
    }
}

/* Whether header and wrapper tell the same moment in two zones, and the header does not say in which: they
 * are quarters of an hour apart, as zones are. Then the wrapper knows better. */
static bool shifted(const struct log_line *line)
{
    const int64_t quarter = 900 * CLOCK_SECOND, near = 30 * CLOCK_SECOND;
    if (!line->time || !line->zoned || line->header.zoned)
        return false;
    int64_t apart = line->header.time - line->time;
    int64_t quarters = (apart + (apart < 0 ? -quarter : quarter) / 2) / quarter;
    int64_t rest = apart - quarters * quarter;
    return quarters != 0 && quarters >= -14 * 4 && quarters <= 14 * 4 && rest < near &&
           rest > -near;
}

void log_unwrap_line(const char *line, size_t len, struct log_line *out)
{
    *out = (struct log_line){.stream = UINT64_C(14695981039346656037)};
    struct peel peel = {line, line + len, out};
    out->header.origin = "text";
    peel_all(&peel, &out->header);
    out->wrapper = (size_t)(peel.at - line);
    out->header.message += out->wrapper;
    if (out->header.time && !shifted(out)) {
        out->time = out->header.time;
        out->zoned |= out->header.zoned;
    }
    const char *at = peel.at + blanks_at(peel.at, peel.end);
    out->blank = out->header.kind == LOG_NONE &&
                 (at == peel.end || (*at == '\r' && at + 1 == peel.end));
}

size_t log_unwrap_prefix(const char *line, size_t len)
{
    struct log_line read;
    log_unwrap_line(line, len, &read);
    return read.wrapper;
}
