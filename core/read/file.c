/* Stage: read. Sources that a site's check asks for by name (file.NAME): JSON and YAML as documents,
 * anything else line by line. Reads only what some selected check names. */
#include "base/str.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

enum { DOCUMENT_MAX = 4 << 20, LINES_MAX = 10000 };

static size_t base_len(const char *base)
{
    static const char *const packed[] = {".gz", ".zst", ".bz2", ".xz"};
    size_t len = strlen(base);
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (str_ends(base, packed[i])) {
            len -= strlen(packed[i]);
            break;
        }
    for (size_t dot = len; dot-- > 1;)
        if (base[dot] == '.')
            return dot;
    return len;
}

void file_name(const struct source *source, char out[FILE_NAME_MAX])
{
    const char *slash = strrchr(source->name, '/');
    const char *base = slash ? slash + 1 : source->name;
    size_t len = base_len(base), at = strlen("file.");
    memcpy(out, "file.", at);
    for (size_t i = 0; i < len && at + 1 < FILE_NAME_MAX; i++) {
        char c = base[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        out[at++] = upper ? (char)(c - 'A' + 'a') : keep ? c : '_';
    }
    out[at] = '\0';
}

bool file_wanted(const struct evidence *evidence, const struct source *source)
{
    char name[FILE_NAME_MAX];
    file_name(source, name);
    return evidence_needs(evidence) && name[strlen("file.")] &&
           evidence_wants(evidence, name, NULL);
}

static void add_document(struct reading *reading, const cJSON *document, const char *prefix,
                         uint64_t line)
{
    (void)line;
    struct record *record = reading_add(reading, reading->user, prefix);
    if (record)
        evidence_set_doc(reading->evidence, record, cJSON_Duplicate(document, 1));
}

static void add_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    if (number > LINES_MAX) {
        reading->complete = false;
        return;
    }
    struct record *record = evidence_add(reading->evidence, reading->user, reading->source);
    if (!record)
        return;
    char text[EVIDENCE_EXCERPT_MAX];
    snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : sizeof text - 1), line);
    record->line = number;
    evidence_excerpt(reading->evidence, record, line, len);
    evidence_set(reading->evidence, record, "text", text);
}

static bool is_document(const struct reading *reading)
{
    const char *name = reading->source->name;
    return reading->peek->shape != PEEK_TEXT || str_ends(name, ".yaml") || str_ends(name, ".yml");
}

void file_read(struct reading *reading)
{
    char name[FILE_NAME_MAX];
    file_name(reading->source, name);
    evidence_declare(reading->evidence, name);
    reading->user = name;
    if (is_document(reading))
        reading_documents(reading, DOCUMENT_MAX, add_document);
    else
        reading_lines(reading, add_line);
    reading->user = NULL;
    if (!reading->complete && reading->peek->shape == PEEK_TEXT)
        reading_problem(reading, "only the first %d lines were read", LINES_MAX);
    evidence_supplied(reading->evidence, name, reading->complete);
}
