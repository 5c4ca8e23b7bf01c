/* Stage: evidence. Finds records by a field of theirs. Reads a table, keeps chains of record numbers by
 * the hash of what the field holds. Deliberately copies no value: a document's number is made into text
 * again whenever it is compared. */
#include "evidence/index.h"
#include "base/alloc.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct index {
    char *field;
    size_t len;       /* records of the table when it was made */
    size_t mask;      /* of the slots */
    uint32_t *slots;  /* 1 + the first record of the chain, 0: none */
    uint32_t *behind; /* per record: 1 + the next one of its chain */
};

static size_t slot_of(const struct index *index, const char *value)
{
    return value ? table_hash(value) & index->mask : 0;
}

struct index *index_new(const struct evidence_table *table, const char *field)
{
    char buf[32];
    struct index *index = xcalloc(1, sizeof *index);
    size_t slots = 16;
    while (slots < table->len)
        slots *= 2;
    index->field = xstrdup(field);
    index->len = table->len;
    index->mask = slots - 1;
    index->slots = xcalloc(slots, sizeof *index->slots);
    index->behind = xcalloc(table->len + 1, sizeof *index->behind);
    for (size_t i = table->len; i-- > 0;) {
        size_t slot = slot_of(index, record_text(&table->records[i]->record, field, buf));
        index->behind[i] = index->slots[slot];
        index->slots[slot] = (uint32_t)(i + 1);
    }
    return index;
}

void index_free(struct index *index)
{
    free(index->field);
    free(index->slots);
    free(index->behind);
    free(index);
}

bool index_is_of(const struct index *index, const struct evidence_table *table, const char *field)
{
    return index->len == table->len && strcmp(index->field, field) == 0;
}

static bool holds(const struct index *index, const struct record *record, const char *value)
{
    char buf[32];
    const char *text = record_text(record, index->field, buf);
    return text && value ? strcmp(text, value) == 0 : text == value;
}

const struct record *index_next(const struct index *index, const struct evidence_table *table,
                                const char *value, const struct record *after)
{
    uint32_t at = after ? index->behind[((const struct table_record *)after)->index]
                        : index->slots[slot_of(index, value)];
    while (at && !holds(index, &table->records[at - 1]->record, value))
        at = index->behind[at - 1];
    return at ? &table->records[at - 1]->record : NULL;
}
