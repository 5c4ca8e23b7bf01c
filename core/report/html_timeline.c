/* Stage: report. Renders the timeline of a target for the HTML page: a picture with a lane for each kind of
 * source, and the same as a table. Times are drawn in order, long pauses cut. Reads the document only. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAWN_MAX = 80, /* entries in the picture; the table has all */
    ROOM = 800,     /* pixels that the wide picture has for time */
    STEP_MIN = 28,  /* between two marks */
    STEP_MAX = 120,
    PAUSE = 600,   /* seconds after which nothing is drawn to scale */
    OPEN_MAX = 20, /* rows that are not folded */
    LANE = 38,
    LEFT = 104,
    TOP = 40,
    NARROW_LEFT = 74,
    NARROW_TOP = 78,
    NARROW_RIGHT = 46, /* for the slanted name of the last lane */
};

static const char *const lanes[] = {"proxy",    "config",       "requests",
                                    "platform", "certificates", "findings"};

#define LANES ARRAY_LEN(lanes)

struct point { /* an entry begins or ends */
    int64_t time;
    int entry, lane;
    bool end;
    int at; /* pixels along the axis */
};

struct timeline {
    struct html *html;
    struct point *points;
    int len, entries;
    int rows[LANES]; /* of the lanes that are in use; -1 */
    int rows_len;
    int length; /* pixels */
    int first;  /* entry of the first cause; -1 */
};

/* ---- points ---- */

static int64_t time_of(const cJSON *entry, const char *member)
{
    int64_t time = 0;
    const char *text = json_str(entry, member);
    return text && clock_parse(text, strlen(text), &time) ? time : 0;
}

static int lane_of(const cJSON *entry)
{
    for (size_t i = 0; i < LANES; i++)
        if (str_equal(json_str(entry, "lane"), lanes[i]))
            return (int)i;
    return LANES - 1;
}

static void add_point(struct timeline *line, int64_t time, int entry, int lane, bool end)
{
    line->points[line->len++] = (struct point){
        .time = time, .entry = entry, .lane = lane, .end = end};
}

static int compare(const void *a, const void *b)
{
    const struct point *left = a, *right = b;
    if (left->time != right->time)
        return left->time < right->time ? -1 : 1;
    if (left->entry != right->entry)
        return left->entry < right->entry ? -1 : 1;
    return left->end - right->end;
}

static bool rests_on(const cJSON *entry, const char *id)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(entry, "findings")) {
        if (id && cJSON_IsString(each) && strcmp(each->valuestring, id) == 0)
            return true;
    }
    return false;
}

static void gather(struct timeline *line, const cJSON *entries)
{
    const cJSON *entry;
    const char *cause = json_str(document_first_cause(line->html->target), "id");
    int number = 0;
    line->points = xcalloc((size_t)cJSON_GetArraySize(entries) * 2 + 1, sizeof *line->points);
    line->first = -1;
    cJSON_ArrayForEach (entry, entries) {
        int64_t begin = time_of(entry, "time"), end = time_of(entry, "last");
        if (line->first < 0 && rests_on(entry, cause))
            line->first = number;
        if (begin && number < DRAWN_MAX) {
            add_point(line, begin, number, lane_of(entry), false);
            line->entries++;
            if (end > begin)
                add_point(line, end, number, lane_of(entry), true);
        }
        number++;
    }
    qsort(line->points, (size_t)line->len, sizeof *line->points, compare);
}

static int step_between(int64_t seconds)
{
    int step = STEP_MIN + (int)(14 * log2(1.0 + (double)seconds));
    return step > STEP_MAX ? STEP_MAX : step;
}

/* SHARE of 256: how much of what goes beyond the smallest step is kept, or that is added to it. */
static int spread(struct timeline *line, int share)
{
    int last[LANES], at = 0;
    for (size_t i = 0; i < LANES; i++)
        last[i] = -STEP_MIN;
    for (int i = 0; i < line->len; i++) {
        struct point *point = &line->points[i];
        if (i && point->time > point[-1].time) {
            int step = step_between((point->time - point[-1].time) / CLOCK_SECOND);
            at += STEP_MIN + (step - STEP_MIN) * share / 256;
        }
        if (!point->end && at < last[point->lane] + STEP_MIN)
            at = last[point->lane] + STEP_MIN;
        point->at = at;
        last[point->lane] = at;
    }
    line->length = at;
    return at;
}

static void use_lanes(struct timeline *line)
{
    for (size_t i = 0; i < LANES; i++) {
        line->rows[i] = -1;
        for (int j = 0; j < line->len && line->rows[i] < 0; j++)
            if (line->points[j].lane == (int)i)
                line->rows[i] = line->rows_len++;
    }
}

/* ---- the picture ---- */

static void to_place(const struct timeline *line, const struct point *point, bool wide, int *x,
                     int *y)
{
    int along = point->at + 16, across = line->rows[point->lane] * LANE + LANE / 2;
    *x = wide ? LEFT + along : NARROW_LEFT + across;
    *y = wide ? TOP + across : NARROW_TOP + along;
}

static void draw_lanes(const struct timeline *line, bool wide)
{
    int length = line->length + 32;
    for (size_t i = 0; i < LANES; i++) {
        int at = line->rows[i] * LANE + LANE / 2;
        if (line->rows[i] < 0)
            continue;
        if (wide)
            html_addf(line->html,
                      "<path class=\"lane\" d=\"M%d %dh%d\"/><text class=\"name\" x=\"4\" "
                      "y=\"%d\">%s</text>",
                      LEFT, TOP + at, length, TOP + at + 4, lanes[i]);
        else
            html_addf(line->html,
                      "<path class=\"lane\" d=\"M%d %dv%d\"/><text class=\"name\" "
                      "transform=\"translate(%d %d) rotate(-50)\">%s</text>",
                      NARROW_LEFT + at, NARROW_TOP, length, NARROW_LEFT + at - 2, NARROW_TOP - 6,
                      lanes[i]);
    }
    html_addf(line->html, "\n");
}

static void draw_clock(const struct timeline *line, const struct point *point, bool wide)
{
    char text[CLOCK_TEXT_MAX];
    clock_text(point->time / CLOCK_SECOND * CLOCK_SECOND, text);
    text[19] = '\0';
    if (wide)
        html_addf(line->html, "<text class=\"clock\" x=\"%d\" y=\"%d\">%s</text>",
                  LEFT + 16 + point->at, TOP - 8, text + 11);
    else
        html_addf(line->html, "<text class=\"clock\" x=\"4\" y=\"%d\">%s</text>",
                  NARROW_TOP + 20 + point->at, text + 11);
}

/* A pause: the lanes are cut, and how long it lasts stands there. */
static void draw_pause(const struct timeline *line, const struct point *point, bool wide)
{
    char span[CLOCK_TEXT_MAX];
    int middle = (point->at + point[-1].at) / 2 + 16;
    clock_span(point->time - point[-1].time, span);
    if (wide)
        html_addf(line->html,
                  "<path class=\"cut\" d=\"M%d %dv%d\"/><text class=\"pause\" x=\"%d\" "
                  "y=\"%d\">%s</text>\n",
                  LEFT + middle, TOP, line->rows_len * LANE, LEFT + middle,
                  TOP + line->rows_len * LANE + 14, span);
    else
        html_addf(line->html,
                  "<path class=\"cut\" d=\"M%d %dh%d\"/><text class=\"clock\" x=\"4\" "
                  "y=\"%d\">%s</text>\n",
                  NARROW_LEFT, NARROW_TOP + middle, line->rows_len * LANE, NARROW_TOP + middle + 4,
                  span);
}

static void draw_axis(const struct timeline *line, bool wide)
{
    int room = wide ? 62 : 15, free_from = 0;
    int64_t told = 0;
    for (int i = 0; i < line->len; i++) {
        const struct point *point = &line->points[i];
        bool pause = i && point->time - point[-1].time > PAUSE * CLOCK_SECOND;
        if (pause)
            draw_pause(line, point, wide);
        if (!point->end && (point->at >= free_from || i == 0)) {
            if (i == 0 || point->time / CLOCK_SECOND != told)
                draw_clock(line, point, wide);
            told = point->time / CLOCK_SECOND;
            free_from = point->at + room;
        }
    }
}

static const struct html_finding *finding_of(struct html *html, const cJSON *entry)
{
    const cJSON *id;
    cJSON_ArrayForEach (id, json_at(entry, "findings")) {
        const struct html_finding *finding = html_finding_of(html, id->valuestring);
        if (finding)
            return finding;
    }
    return NULL;
}

static void draw_span(const struct timeline *line, const struct point *begin, bool wide)
{
    for (const struct point *point = begin + 1; point < line->points + line->len; point++) {
        int x, y, to_x, to_y;
        if (point->entry != begin->entry || !point->end)
            continue;
        to_place(line, begin, wide, &x, &y);
        to_place(line, point, wide, &to_x, &to_y);
        html_addf(line->html,
                  wide ? "<path class=\"span\" d=\"M%d %dL%d %dm0 -6v12\"/>"
                       : "<path class=\"span\" d=\"M%d %dL%d %dm-6 0h12\"/>",
                  x, y, to_x, to_y);
        return;
    }
}

static void draw_entry(const struct timeline *line, const struct point *point, const cJSON *entry,
                       bool wide)
{
    struct html *html = line->html;
    const struct html_finding *finding = finding_of(html, entry);
    int x, y;
    bool first = point->entry == line->first;
    to_place(line, point, wide, &x, &y);
    html_addf(html, "<g class=\"event is-%s%s\">",
              finding ? html_finding_kind(finding->json) : "plain", first ? " first" : "");
    draw_span(line, point, wide);
    if (finding)
        html_addf(html, "<a href=\"#%s\">", finding->id);
    if (first)
        html_addf(html, "<circle class=\"ring\" cx=\"%d\" cy=\"%d\" r=\"14\"/>", x, y);
    html_addf(
        html,
        "<circle cx=\"%d\" cy=\"%d\" r=\"10\"/><text x=\"%d\" y=\"%d\">%d</text><title>%s</title>",
        x, y, x, y + 4, point->entry + 1, document_str(entry, "text", ""));
    html_addf(html, finding ? "</a></g>\n" : "</g>\n");
}

static void draw(const struct timeline *line, const cJSON *entries, bool wide, bool alone)
{
    int length = line->length + 40, width = line->rows_len * LANE;
    struct html *html = line->html;
    html_addf(
        html,
        "<svg class=\"timeline%s\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"group\" "
        "aria-label=\"Timeline; the table below holds the same\">\n",
        alone  ? ""
        : wide ? " for-wide"
               : " for-narrow",
        wide ? LEFT + length + 30 : NARROW_LEFT + width + NARROW_RIGHT,
        wide ? TOP + width + 22 : NARROW_TOP + length,
        wide ? LEFT + length + 30 : NARROW_LEFT + width + NARROW_RIGHT,
        wide ? TOP + width + 22 : NARROW_TOP + length);
    draw_lanes(line, wide);
    draw_axis(line, wide);
    for (int i = 0; i < line->len; i++)
        if (!line->points[i].end)
            draw_entry(line, &line->points[i], cJSON_GetArrayItem(entries, line->points[i].entry),
                       wide);
    html_addf(html, "</svg>\n");
}

static void add_picture(struct timeline *line, const cJSON *entries)
{
    bool fits = spread(line, 0) <= ROOM;
    use_lanes(line);
    html_addf(line->html, "<figure class=\"picture\">\n");
    if (fits) {
        int tight = line->length, loose = spread(line, 256);
        int wanted = line->entries * 90 < ROOM ? line->entries * 90 : ROOM;
        if (loose > tight)
            spread(line, wanted > tight ? (wanted - tight) * 256 / (loose - tight) : 0);
        draw(line, entries, true, false);
    }
    spread(line, 128);
    draw(line, entries, false, !fits);
    html_addf(
        line->html,
        "<figcaption>Times in UTC, in order but not to scale; a dotted cut is a pause of more than "
        "10 minutes. Numbers are those of the table.");
    if (line->first >= 0)
        html_addf(line->html, " The ring marks the first sign of the first cause.");
    if (cJSON_GetArraySize(entries) > DRAWN_MAX)
        html_addf(line->html, " The first %d are drawn.", DRAWN_MAX);
    html_addf(line->html, "</figcaption></figure>\n");
}

/* ---- the table ---- */

static void add_what(struct html *html, const cJSON *entry, bool first)
{
    double count = 0, more = 0;
    const char *last = json_str(entry, "last"), *time = document_str(entry, "time", "");
    html_addf(html, "<td>%s", document_str(entry, "text", ""));
    if (json_num(entry, "count", &count) && count > 1 && count < 1e9)
        html_addf(html, ", %d times", (int)count);
    if (last && strncmp(last, time, 19) != 0) {
        html_addf(html, ", until ");
        html_add_time(html, last, time);
    }
    if (json_num(entry, "more", &more) && more > 0 && more < 1e9)
        html_addf(html, ", and %d more of this kind", (int)more);
    if (first)
        html_addf(html, " <b class=\"badge\">first cause</b>");
    html_addf(html, "</td>");
}

static void add_row(struct html *html, const cJSON *entry, int number, bool first, bool mark_zone)
{
    const cJSON *id;
    const char *source = json_str(entry, "source");
    html_addf(html, "<tr><td class=\"number\">%d</td><th scope=\"row\">", number);
    html_add_time(html, document_str(entry, "time", "?"), NULL);
    html_addf(html, mark_zone && json_str(entry, "zone") ? "*</th>" : "</th>");
    html_addf(html, "<td>%s</td>", document_str(entry, "lane", "?"));
    add_what(html, entry, first);
    html_addf(html, "<td>");
    cJSON_ArrayForEach (id, json_at(entry, "findings")) {
        const struct html_finding *finding = html_finding_of(html, id->valuestring);
        if (finding)
            html_addf(html, "<a href=\"#%s\"><code>%s</code></a> ", finding->id, id->valuestring);
    }
    if (source)
        html_addf(html, "<span class=\"quiet\"><code>%s</code> %s</span>", source,
                  document_str(entry, "locator", ""));
    html_addf(html, "</td></tr>\n");
}

static void add_table(const struct timeline *line, const cJSON *entries)
{
    struct html *html = line->html;
    const cJSON *entry;
    int number = 0, zoneless = 0, len = cJSON_GetArraySize(entries);
    cJSON_ArrayForEach (entry, entries) {
        zoneless += json_str(entry, "zone") != NULL;
    }
    if (len > OPEN_MAX)
        html_addf(html, "<details><summary>All %d entries</summary>\n", len);
    html_addf(
        html,
        "<div class=\"wide\" role=\"region\" aria-label=\"Timeline of %s\" tabindex=\"0\"><table "
        "class=\"events\"><thead><tr><th scope=\"col\">No.</th><th scope=\"col\">Time (UTC)</th>"
        "<th scope=\"col\">Where</th><th scope=\"col\">What happened</th>"
        "<th scope=\"col\">Finding, source</th></tr></thead><tbody>\n",
        document_str(html->target, "name", "?"));
    cJSON_ArrayForEach (entry, entries) {
        add_row(html, entry, number + 1, number == line->first, zoneless < len);
        number++;
    }
    html_addf(html, "</tbody></table></div>");
    if (zoneless)
        html_addf(html,
                  "<p class=\"quiet\">%sThe log tells no zone; its times are read as UTC.</p>",
                  zoneless < len ? "* " : "");
    html_addf(html, len > OPEN_MAX ? "</details>\n" : "\n");
}

void html_timeline(struct html *html)
{
    struct timeline line = {.html = html};
    const cJSON *entries = document_timeline(html->target);
    if (!entries)
        return;
    gather(&line, entries);
    html_addf(html, "<section>");
    html_add_heading(html, html->level, NULL, "What happened when");
    if (line.entries > 1)
        add_picture(&line, entries);
    add_table(&line, entries);
    html_addf(html, "</section>\n");
    free(line.points);
}
