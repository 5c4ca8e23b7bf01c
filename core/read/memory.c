/* Stage: read. /memory and /runtime: small JSON pages. */
#include "read/proto.h"
#include "read/readers.h"
#include <stdio.h>

enum { DOCUMENT_MAX = 4 << 20 };

static int recognise_memory(const struct peek *peek)
{
    bool memory = peek_has_key(peek, "allocated") && peek_has_key(peek, "heap_size");
    return peek->shape == PEEK_JSON_OBJECT && memory ? 95 : 0;
}

static void read_numbers(struct reading *reading, const cJSON *page, const char *prefix,
                         uint64_t line)
{
    static const char *const columns[][2] = {{"allocated", "allocated"},
                                             {"heap_size", "heap_size"},
                                             {"unmapped", "pageheap_unmapped"},
                                             {"physical", "total_physical_bytes"}};
    (void)line;
    char number[32];
    struct record *record = reading_add(reading, "memory", prefix);
    for (size_t i = 0; record && i < sizeof columns / sizeof *columns; i++)
        evidence_set(reading->evidence, record, columns[i][0],
                     proto_scalar(page, columns[i][1], number));
}

static void read_memory_page(struct reading *reading)
{
    reading_documents(reading, DOCUMENT_MAX, read_numbers);
    evidence_supplied(reading->evidence, "memory", reading->complete);
}

const struct reader read_memory = {"memory", (const char *const[]){"memory", NULL},
                                   recognise_memory, read_memory_page};

static int recognise_runtime(const struct peek *peek)
{
    bool runtime = peek_has_key(peek, "layers") && peek_has_key(peek, "entries");
    return peek->shape == PEEK_JSON_OBJECT && runtime ? 90 : 0;
}

static void read_entries(struct reading *reading, const cJSON *page, const char *prefix,
                         uint64_t line)
{
    (void)line;
    const cJSON *entry;
    char pointer[512], number[32];
    cJSON_ArrayForEach (entry, proto_at(page, "entries")) {
        snprintf(pointer, sizeof pointer, "%s/entries/%s", prefix, entry->string);
        struct record *record = evidence_wants(reading->evidence, "runtime", entry->string)
                                    ? reading_add(reading, "runtime", pointer)
                                    : NULL;
        if (!record)
            continue;
        evidence_set(reading->evidence, record, "name", entry->string);
        evidence_set(reading->evidence, record, "value",
                     proto_scalar(entry, "final_value", number));
    }
}

static void read_runtime_page(struct reading *reading)
{
    reading_documents(reading, DOCUMENT_MAX, read_entries);
    evidence_supplied(reading->evidence, "runtime", reading->complete);
}

const struct reader read_runtime = {"runtime", (const char *const[]){"runtime", NULL},
                                    recognise_runtime, read_runtime_page};
