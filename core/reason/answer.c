/* Stage: check. The small things that services share: sentences, and parts of records that can be cited.
 * Reads records, writes into the check's scratch memory. Decides nothing. */
#include "reason/answer.h"

#include "base/json.h"
#include "evidence/table.h"

enum { QUOTE_MAX = 1024 };

void answer_set(struct answer *answer, struct view *view, enum answer_decision decision,
                const char *reason, const struct record *record, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *answer = (struct answer){.decision = decision,
                              .why = arena_vprintf(view->scratch, format, args),
                              .reason = reason,
                              .record = record};
    va_end(args);
}

const struct record *answer_part(struct view *view, const struct record *record, const char *place,
                                 const cJSON *node, const cJSON *quoted)
{
    struct buf quote;
    struct table_record *part = arena_alloc(view->scratch, sizeof *part);
    part->record = *record;
    part->record.pointer = arena_printf(view->scratch, "%s%s",
                                        record->pointer ? record->pointer : "", place);
    part->record.cells = NULL;
    part->record.doc = node ? node : record->doc;
    buf_init(&quote, QUOTE_MAX);
    json_write(&quote, quoted ? quoted : node, false);
    part->record.excerpt = arena_strdup(view->scratch, buf_str(&quote));
    buf_release(&quote);
    return &part->record;
}

const char *answer_list(struct view *view, const cJSON *list, const char *member)
{
    char *text = arena_strdup(view->scratch, "");
    const cJSON *item;
    int count = 0;
    if (cJSON_IsString(list))
        return list->valuestring;
    cJSON_ArrayForEach (item, list) {
        const char *one = member ? json_str(item, member) : cJSON_GetStringValue(item);
        if (one && count++ < 4)
            text = arena_printf(view->scratch, "%s%s%s", text, *text ? ", " : "", one);
    }
    return count > 4 ? arena_printf(view->scratch, "%s and %d more", text, count - 4) : text;
}
