/* Stage: report. Renders the timeline of a target for people: a line for each entry, findings named where
 * they stand. Of a long one it shows the entries of findings, and what came just before the first. */
#include "report/text_timeline.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include <string.h>

enum {
    SHOWN_MAX = 10,
    BEFORE_FIRST = 3, /* entries before the first one of a finding */
    LINE_MAX = 4096,
    DAY_LEN = 10,  /* "2026-11-21" */
    CLOCK_LEN = 8, /* "08:00:00" */
};

static bool of_finding(const cJSON *entry)
{
    return cJSON_GetArraySize(json_at(entry, "findings")) > 0;
}

static int place_of_first(const cJSON *timeline)
{
    int at = 0;
    const cJSON *entry;
    cJSON_ArrayForEach (entry, timeline) {
        if (of_finding(entry))
            return at;
        at++;
    }
    return -1;
}

/* "2026-11-21 08:00:12", or the time alone on the day that DAY already tells. */
static void add_time(struct buf *out, const char *time, char day[DAY_LEN + 1])
{
    if (!time || strlen(time) < DAY_LEN + 1 + CLOCK_LEN)
        return;
    if (strncmp(time, day, DAY_LEN) != 0)
        buf_addf(out, "%.*s ", DAY_LEN, time);
    memcpy(day, time, DAY_LEN);
    buf_addf(out, "%.*s", CLOCK_LEN, time + DAY_LEN + 1);
}

static void add_how_often(struct buf *out, const cJSON *entry, char day[DAY_LEN + 1])
{
    double count = 0, more = 0;
    const char *last = json_str(entry, "last");
    bool often = json_num(entry, "count", &count) && count > 1;
    if (often || last) {
        buf_adds(out, " (");
        if (often)
            buf_addf(out, "%.0f times", count);
        buf_adds(out, often && last ? ", until " : last ? "until " : "");
        if (last)
            add_time(out, last, day);
        buf_adds(out, ")");
    }
    if (json_num(entry, "more", &more))
        buf_addf(out, " and %.0f more of this kind", more);
}

static void add_findings(struct buf *out, const cJSON *entry)
{
    const cJSON *id;
    cJSON_ArrayForEach (id, json_at(entry, "findings")) {
        if (cJSON_IsString(id))
            buf_addf(out, " [%s]", id->valuestring);
    }
}

static void write_entry(const struct layout *layout, const cJSON *entry, char day[DAY_LEN + 1])
{
    struct buf lead, text;
    buf_init(&lead, LINE_MAX);
    buf_init(&text, LINE_MAX);
    add_time(&lead, json_str(entry, "time"), day);
    buf_adds(&text, document_str(entry, "text", ""));
    add_how_often(&text, entry, day);
    add_findings(&text, entry);
    layout_item(layout, 4, buf_str(&lead), of_finding(entry) ? INK_BOLD : INK_PLAIN, 8,
                buf_str(&text));
    buf_release(&lead);
    buf_release(&text);
}

/* Logs without a zone matter where another source tells one: an order of events may be wrong. */
static bool zones_differ(const cJSON *timeline)
{
    const cJSON *entry;
    int assumed = 0;
    cJSON_ArrayForEach (entry, timeline)
        assumed += json_str(entry, "zone") != NULL;
    return assumed && assumed < cJSON_GetArraySize(timeline);
}

void text_timeline(const struct layout *layout, const cJSON *target)
{
    const cJSON *timeline = document_timeline(target), *entry;
    int len = cJSON_GetArraySize(timeline), first = place_of_first(timeline), at = 0, shown = 0;
    bool whole = layout->style->verbose || len <= SHOWN_MAX;
    char day[DAY_LEN + 1] = "";
    if (first < 0)
        return;
    buf_adds(layout->out, "\n  what happened when (UTC)\n");
    cJSON_ArrayForEach (entry, timeline) {
        bool near = at >= first - BEFORE_FIRST && (at <= first || of_finding(entry));
        at++;
        if (!whole && (!near || shown == SHOWN_MAX))
            continue;
        shown++;
        write_entry(layout, entry, day);
    }
    if (zones_differ(timeline))
        layout_item(layout, 4, "", INK_DIM, 4,
                    "some of these times come from a log that tells no time zone; they are read as "
                    "UTC");
    if (shown < len)
        buf_addf(layout->out, "    and %d more (--verbose)\n", len - shown);
}
