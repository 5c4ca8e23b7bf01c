/* Source: walks over a private key. Reads the text behind its BEGIN line, writes how much of it
 * to keep and to drop. Deliberately tolerant of what wraps each line (CRI, docker, JSON
 * escapes): material is known by its look, not by its place. */
#include "source/redact_key.h"

#include <string.h>

enum { RUN_MIN = 24, RUN_MAX = 4096, BEHIND_MAX = 1 << 14, IDLE_MAX = 3 };

/* What stands for the material once it is gone. */
static const char mark_text[] = "[redacted:private-key]";

void redact_key_begin(struct redact_key *key)
{
    *key = (struct redact_key){.inside = true};
}

static bool is_base64(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

/* Length of the run of base64 at the start of TEXT; some writers of JSON escape the slash. */
static size_t run_length(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && n < RUN_MAX) {
        if (is_base64(text[n]))
            n++;
        else if (text[n] == '\\' && n + 1 < len && text[n + 1] == '/')
            n += 2;
        else
            break;
    }
    return n;
}

static bool ends_here(const char *text, size_t len)
{
    return len >= 8 && memcmp(text, "-----END", 8) == 0;
}

static bool is_marked(const char *text, size_t len)
{
    return len >= sizeof mark_text - 1 && memcmp(text, mark_text, sizeof mark_text - 1) == 0;
}

/* What stands behind a run of base64 that ends its line, escaped or not. */
static bool ends_line(const char *text, size_t len)
{
    return len == 0 || strchr("\n\r\\\"'", *text);
}

/* Whether the line at TEXT goes on with the key: 1, 0, or -1 when more of it must be seen. */
static int goes_on(const char *text, size_t len, bool last)
{
    bool blank = true;
    for (size_t at = 0; at < len && text[at] != '\n';) {
        size_t run = run_length(text + at, len - at);
        if (run >= RUN_MIN || ends_here(text + at, len - at) || is_marked(text + at, len - at))
            return 1;
        if (run && blank && (last || at + run < len) && ends_line(text + at + run, len - at - run))
            return 1;
        if (!run && text[at] == '\\')
            return 0;
        blank = blank && (text[at] == ' ' || text[at] == '\t');
        at += run ? run : 1;
        if (at >= len && !last && len < RUN_MAX)
            return -1;
    }
    return len == 0 && !last ? -1 : 0;
}

/* Backslashes and the letter they escape: "\n", and "\\n" in JSON within JSON. */
static size_t escape_length(struct redact_key *key, const char *text, size_t len, bool last)
{
    size_t n = 0;
    while (n < len && text[n] == '\\')
        n++;
    if (n == len)
        return last || n > 16 ? n : 0;
    if (text[n] == 'n' || text[n] == 'r' || text[n] == 't') {
        key->fresh = true;
        n++;
    }
    return n;
}

static size_t run_step(struct redact_key *key, const char *text, size_t len, bool last,
                       size_t *keep, bool *mark)
{
    size_t n = run_length(text, len);
    bool open = n == len && !last, endless = n >= RUN_MAX;
    if (open && !endless)
        return 0;
    bool own_line = key->fresh && ends_line(text + n, len - n);
    bool material = key->in_run || n >= RUN_MIN || own_line;
    *keep = material ? 0 : n;
    *mark = material && !key->marked;
    key->marked |= material;
    key->in_run = material && endless;
    key->fresh = false;
    return n;
}

/* A line end, after which the key goes on or has been cut. */
static size_t line_step(struct redact_key *key, const char *text, size_t len, bool last,
                        size_t *keep)
{
    int on = key->marked ? goes_on(text + 1, len - 1, last) : ++key->idle <= IDLE_MAX;
    if (on < 0)
        return 0;
    key->fresh = true;
    key->inside = on;
    key->behind++;
    return *keep = 1;
}

size_t redact_key_step(struct redact_key *key, const char *text, size_t len, bool last,
                       size_t *keep, bool *mark)
{
    size_t n = 1;
    *mark = false;
    if ((*text == '-' || *text == '[') && len < sizeof mark_text && !last)
        return 0;
    if (ends_here(text, len) || key->behind > BEHIND_MAX) {
        key->inside = false;
        n = 0;
    } else if (is_marked(text, len)) {
        key->marked = true;
        n = sizeof mark_text - 1;
    } else if (*text == '\n') {
        return line_step(key, text, len, last, keep);
    } else if (*text == '\\' && !(len > 1 && text[1] == '/')) {
        n = escape_length(key, text, len, last);
    } else if (is_base64(*text) || *text == '\\') {
        n = run_step(key, text, len, last, keep, mark);
        key->behind += n;
        return n;
    } else if (*text != ' ' && *text != '\t') {
        key->fresh = false;
    }
    *keep = n;
    key->behind += n;
    return n;
}
