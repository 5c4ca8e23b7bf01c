/* Stage: finding. Reads one record and writes it as a line of text for a citation. Deliberately does
 * not redact: the builder does that with all it lets out. */
#include "finding/quote.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

static void quote_fields(struct buf *out, const struct record *record)
{
    char buf[32];
    for (const char *const *column = record_columns(record); *column; column++) {
        const char *value = record_text(record, *column, buf);
        if (value && *value)
            buf_addf(out, "%s%s: %s", out->len ? ", " : "", *column, value);
    }
}

/* Statistics and variables are known by the name itself: "server.live: 1". */
static void quote_named(struct buf *out, const struct record *record)
{
    char name_buf[32], value_buf[32];
    const char *name = record_text(record, "name", name_buf);
    const char *value = record_text(record, "value", value_buf);
    buf_addf(out, "%s: %s", name ? name : "", value ? value : "(not known)");
}

static bool is_named_value(const struct record *record)
{
    const char *name = record_name(record);
    return strcmp(name, "stats") == 0 || strcmp(name, "env") == 0 ||
           strcmp(name, "host.sysctl") == 0;
}

void quote_record(struct buf *out, const struct record *record)
{
    if (record->excerpt)
        buf_adds(out, record->excerpt);
    else if (record->doc)
        json_write(out, record->doc, false);
    else if (is_named_value(record))
        quote_named(out, record);
    else
        quote_fields(out, record);
}

uint64_t quote_count(const struct record *record)
{
    const char *name = record_name(record), *column = NULL;
    double repeats;
    if (strcmp(name, "k8s.events") == 0)
        column = "count";
    else if (str_starts(name, "log.") || str_starts(name, "access.") || str_starts(name, "event."))
        column = "repeats";
    if (!column || record->doc)
        return 0;
    return record_number(record, column, &repeats) && repeats >= 1 ? (uint64_t)repeats : 1;
}
