/* Stage: evidence. Who the proxy is. Reads the notes that readers left, and at the end what other
 * evidence tells in passing (variables, images, logs, services); writes the one `proxy` record. The
 * best note wins; of mesh, mode and platform nothing is said when the best ones differ, for checks are
 * kept from speaking by them: a wrong fact is worse than none. */
#include "evidence/identity.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "evidence/notes.h"
#include "evidence/table.h"
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 512 };

static int column_of(const char *column)
{
    const struct dictionary_row *row = dictionary_find("proxy");
    for (int i = 0; row->columns[i].name; i++)
        if (strcmp(row->columns[i].name, column) == 0)
            return i;
    return -1;
}

/* "sha/1.36.4/Clean/RELEASE/BoringSSL", "1.27.2.0-prod", "v1.24.0": the three numbers alone. */
static const char *version_in(const char *text, char out[TEXT_MAX])
{
    const char *slash = strchr(text, '/');
    const char *at = slash ? slash + 1 : text;
    int major, minor, patch;
    at += *at == 'v';
    if (sscanf(at, "%d.%d.%d", &major, &minor, &patch) == 3)
        snprintf(out, TEXT_MAX, "%d.%d.%d", major, minor, patch);
    else if (sscanf(at, "%d.%d", &major, &minor) == 2)
        snprintf(out, TEXT_MAX, "%d.%d.0", major, minor);
    else
        return NULL;
    return out;
}

void identity_note(struct evidence *evidence, const struct source *source, uint64_t line,
                   const char *pointer, enum identity_rank rank, const char *column,
                   const char *value)
{
    char version[TEXT_MAX];
    int at = column_of(column);
    if (value && strcmp(column, "version") == 0)
        value = version_in(value, version);
    if (!value || !*value || at < 0 || at >= NOTES_MAX)
        return;
    struct note *best = &evidence_notes(evidence)->best[at];
    bool newer = str_starts(source->name, "sample-2/");
    if (best->value && (int)rank == best->rank && !newer && strcmp(best->value, value) != 0)
        best->disputed = true;
    if (best->value && (int)rank < best->rank + !newer)
        return;
    struct arena *arena = evidence_arena(evidence);
    *best = (struct note){
        .source = source,
        .value = arena_strdup(arena, value),
        .pointer = pointer ? arena_printf(arena, "%s%s", evidence_outer(evidence), pointer) : NULL,
        .line = line,
        .rank = rank};
}

/* ---- what other evidence tells in passing ---- */

static const char *text_of(const struct record *record, const char *field, char buf[32])
{
    return record_text(record, field, buf);
}

static void note_from_variables(struct evidence *evidence)
{
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "env", record))) {
        char name[32], value[32];
        const char *variable = text_of(record, "name", name);
        if (variable)
            identity_note_variable(evidence, record->source, record->line, record->pointer,
                                   variable, text_of(record, "value", value));
    }
}

static void note_from_logs(struct evidence *evidence)
{
    static const char *const shapes[][2] = {{"log.istio", "istio"}, {"log.consul", "consul"}};
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "log", record))) {
        char buf[32];
        const char *shape = text_of(record, "shape", buf);
        for (size_t i = 0; shape && i < ARRAY_LEN(shapes); i++)
            if (strcmp(shape, shapes[i][0]) == 0)
                identity_note(evidence, record->source, record->line, record->pointer,
                              IDENTITY_GUESS, "mesh", shapes[i][1]);
    }
}

/* What the server says when it ends a stream. */
static void note_from_closes(struct evidence *evidence)
{
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "log.xds_closed", record))) {
        char buf[32];
        identity_note_words(evidence, record->source, record->line, text_of(record, "rest", buf));
    }
}

static void note_from_containers(struct evidence *evidence, const char *table)
{
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, table, record))) {
        char buf[32];
        const char *platform = text_of(record, "platform", buf);
        bool weak = str_equal(platform, "docker") || str_equal(platform, "compose");
        identity_note_image(evidence, record->source, record->line, record->pointer,
                            text_of(record, "image", buf));
        identity_note(evidence, record->source, record->line, record->pointer,
                      weak ? IDENTITY_FAINT : IDENTITY_GUESS, "platform",
                      weak ? "docker" : platform);
        if (strcmp(table, "containers") == 0)
            identity_note_account(evidence, record->source, record->line, record->pointer,
                                  text_of(record, "service_account", buf));
    }
}

/* Whose redirect it is. A template may hold gateways beside it, so of the mode it tells nothing. */
static void note_from_capture(struct evidence *evidence)
{
    const struct record *record = NULL;
    while ((record = evidence_next(evidence, "capture", record))) {
        char buf[32];
        identity_note(evidence, record->source, record->line, record->pointer, IDENTITY_GUESS,
                      "mesh", text_of(record, "by", buf));
    }
}

/* ---- what follows from the notes ---- */

static struct note *note_on(struct notes *notes, const char *column)
{
    return &notes->best[column_of(column)];
}

bool identity_place(struct evidence *evidence, const char *column, const struct source **source,
                    uint64_t *line, const char **pointer)
{
    const struct note *note = note_on(evidence_notes(evidence), column);
    if (!note->value)
        return false;
    *source = note->source;
    *line = note->line;
    *pointer = note->pointer;
    return true;
}

static void drop_disputed(struct notes *notes)
{
    static const char *const facts[] = {"mesh", "mode", "platform"};
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        if (note_on(notes, facts[i])->disputed)
            note_on(notes, facts[i])->value = NULL;
}

/* What nobody said and the mesh leaves no choice in; disputed facts stay unknown. */
static void complete(struct notes *notes)
{
    static const char *const implied[][3] = {{"envoy-gateway", "mode", "gateway"},
                                             {"contour", "mode", "gateway"},
                                             {"gloo", "mode", "gateway"},
                                             {"service-connect", "mode", "sidecar"},
                                             {"service-connect", "platform", "ecs"},
                                             {"contour", "platform", "kubernetes"},
                                             {"cilium", "platform", "kubernetes"}};
    const struct note *mesh = note_on(notes, "mesh");
    for (size_t i = 0; mesh->value && i < ARRAY_LEN(implied); i++) {
        struct note *fact = note_on(notes, implied[i][1]);
        if (strcmp(mesh->value, implied[i][0]) != 0 || fact->value || fact->disputed)
            continue;
        *fact = *mesh;
        fact->value = implied[i][2];
    }
}

/* A service of Service Connect that offers nothing, a virtual node without listeners: its proxy takes only
 * requests that go out. Said of the proxy only where the one such object is all there is. */
static bool is_client_only(const struct evidence *evidence, const char *name, const char *has,
                           const char *lacks, const struct record **which)
{
    const struct record *record = NULL;
    bool found = false;
    while ((record = evidence_next(evidence, name, record))) {
        const cJSON *fact = json_at(record->doc, has);
        if (!fact || cJSON_IsFalse(fact))
            continue;
        if (*which || json_at(record->doc, lacks))
            return false;
        *which = record;
        found = true;
    }
    return found;
}

static void refine_mode(const struct evidence *evidence, struct notes *notes)
{
    static const char *const rows[][4] = {
        {"service-connect", "aws.services", "deployments[0].serviceConnectConfiguration.enabled",
         "deployments[0].serviceConnectConfiguration.services[0]"},
        {"appmesh", "k8s.appmesh", "spec.podSelector", "spec.listeners[0]"}};
    const struct note *mesh = note_on(notes, "mesh");
    struct note *mode = note_on(notes, "mode");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct record *record = NULL;
        if (!str_equal(mesh->value, rows[i][0]) || !str_equal(mode->value, "sidecar") ||
            !is_client_only(evidence, rows[i][1], rows[i][2], rows[i][3], &record))
            continue;
        mode->value = "client-only";
        mode->source = record->source;
        mode->line = record->line;
        mode->pointer = record->pointer;
    }
}

static const struct note *best_of(const struct notes *notes)
{
    const struct note *best = NULL;
    for (int i = 0; i < NOTES_MAX; i++) {
        const struct note *at = &notes->best[i];
        if (at->value && (!best || at->rank > best->rank))
            best = at;
    }
    return best;
}

void identity_find(struct evidence *evidence)
{
    struct notes *notes = evidence_notes(evidence);
    note_from_variables(evidence);
    note_from_containers(evidence, "containers");
    note_from_containers(evidence, "container_status");
    note_from_logs(evidence);
    note_from_closes(evidence);
    note_from_capture(evidence);
    drop_disputed(notes);
    complete(notes);
    refine_mode(evidence, notes);
    const struct note *best = best_of(notes);
    struct record *record = best ? evidence_add(evidence, "proxy", best->source) : NULL;
    if (!record)
        return;
    record->line = best->line;
    record->pointer = best->line ? NULL : best->pointer;
    const char *const *columns = record_columns(record);
    for (int i = 0; i < NOTES_MAX && columns[i]; i++)
        evidence_set(evidence, record, columns[i], notes->best[i].value);
    evidence_supplied(evidence, "proxy", true);
}
