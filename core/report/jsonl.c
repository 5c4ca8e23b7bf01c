/* Stage: report. Renders the document as JSON lines, for streams: one object a line, each with `type`,
 * `time` and, where it belongs to one, `target`. Reads the document only. Members are those of the
 * report; a pipeline needs no state to use a line. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/writers.h"
#include <string.h>

#define LINES_SCHEMA "debrief.report-lines/1"

static const struct {
    const char *list, *type;
} lists[] = {
    {"findings", "finding"}, {"checks", "check"}, {"asks", "ask"},
    {"sources", "source"},   {"walks", "walk"},   {"unexplained", "unexplained"},
    {"timeline", "event"},
};

struct lines {
    struct buf *out;
    const char *finished; /* the time of lines that have none of their own */
};

/* The one way of a text into the output, with its quotes. */
static void add_string(struct buf *out, const char *text)
{
    cJSON value = {.type = cJSON_String, .valuestring = (char *)text};
    json_write(out, &value, false);
}

static void begin(const struct lines *lines, const char *type, const char *time)
{
    buf_adds(lines->out, "{\"type\":");
    add_string(lines->out, type);
    if (time) {
        buf_adds(lines->out, ",\"time\":");
        add_string(lines->out, time);
    }
}

static void add_member(const struct lines *lines, const char *name, const cJSON *value)
{
    if (!value)
        return;
    buf_addch(lines->out, ',');
    add_string(lines->out, name);
    buf_addch(lines->out, ':');
    json_write(lines->out, value, false);
}

static void end(const struct lines *lines)
{
    buf_adds(lines->out, "}\n");
}

/* The members of ROW, but for those that the line has already. */
static void add_members(const struct lines *lines, const cJSON *row)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, row) {
        if (member->string && !str_equal(member->string, "type") &&
            !str_equal(member->string, "time") && !str_equal(member->string, "target"))
            add_member(lines, member->string, member);
    }
}

static void write_row(const struct lines *lines, const char *type, const cJSON *target,
                      const cJSON *row)
{
    if (!cJSON_IsObject(row))
        return;
    const char *time = json_str(row, "time");
    begin(lines, type, time ? time : lines->finished);
    add_member(lines, "target", json_at(target, "name"));
    add_members(lines, row);
    end(lines);
}

static void write_target(const struct lines *lines, const cJSON *target)
{
    static const char *const members[] = {"verdict", "envoy", "window", "unrecognised",
                                          "redactions"};
    static const char *const severities[][2] = {
        {"error", "errors"}, {"warning", "warnings"}, {"info", "infos"}};
    begin(lines, "target", lines->finished);
    add_member(lines, "target", json_at(target, "name"));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        add_member(lines, members[i], json_at(target, members[i]));
    for (size_t i = 0; i < ARRAY_LEN(severities); i++)
        buf_addf(lines->out, ",\"%s\":%d", severities[i][1],
                 document_findings(target, severities[i][0]));
    end(lines);
    const cJSON *row;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        cJSON_ArrayForEach (row, json_at(target, lists[i].list)) {
            write_row(lines, lists[i].type, target, row);
        }
}

bool jsonl_report(struct buf *out, const cJSON *report, const struct report_style *style,
                  struct err *err)
{
    (void)style;
    const struct lines lines = {out, json_str(report, "finished")};
    begin(&lines, "begin", json_str(report, "started"));
    buf_adds(out, ",\"schema\":\"" LINES_SCHEMA "\"");
    add_member(&lines, "tool", json_at(report, "tool"));
    add_member(&lines, "policy", json_at(report, "policy"));
    end(&lines);
    const cJSON *target;
    cJSON_ArrayForEach (target, json_at(report, "targets")) {
        write_target(&lines, target);
    }
    begin(&lines, "end", lines.finished);
    add_member(&lines, "summary", json_at(report, "summary"));
    end(&lines);
    return out->overflow ? err_set(err, "the report is larger than %u MB", REPORT_SIZE_MAX >> 20)
                         : true;
}
