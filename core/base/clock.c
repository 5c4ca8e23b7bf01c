/* Base: time. Reads the system clock (or DEBRIEF_NOW) and the shapes of time that logs and APIs
 * print. Deliberately knows no time zones by name but UTC, and never asks the host for its own. */
#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct cursor {
    const char *at, *end;
};

static int64_t system_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

int64_t clock_now(void)
{
    const char *fixed = getenv("DEBRIEF_NOW");
    int64_t now;
    /* A time without a year would ask for the present to be read, and so come back here. */
    if (fixed && fixed[0] >= '0' && fixed[0] <= '9' && clock_parse(fixed, strlen(fixed), &now))
        return now;
    return system_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return system_clock(CLOCK_MONOTONIC);
}

/* Days since the epoch of a date in the Gregorian calendar. */
static int64_t days_from_civil(int year, int month, int day)
{
    int y = year - (month <= 2);
    int era = y / 400, yoe = y - era * 400;
    int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (int64_t)era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int era = (int)(days / 146097), doe = (int)(days - (int64_t)era * 146097);
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2);
}

static bool valid_date(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    /* The bounds keep nanoseconds within 64 bits. */
    if (year < 1970 || year > 2260 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool digits(struct cursor *c, int count, int *out)
{
    if (c->end - c->at < count)
        return false;
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(c->at[i]))
            return false;
        value = value * 10 + (c->at[i] - '0');
    }
    c->at += count;
    *out = value;
    return true;
}

static bool literal(struct cursor *c, const char *choices)
{
    if (c->at == c->end || *c->at == '\0' || !strchr(choices, *c->at))
        return false;
    c->at++;
    return true;
}

static int64_t fraction(struct cursor *c)
{
    if (c->end - c->at < 2 || (*c->at != '.' && *c->at != ',') || !is_digit(c->at[1]))
        return 0;
    int64_t ns = 0, unit = CLOCK_SECOND / 10;
    for (c->at++; c->at < c->end && is_digit(*c->at); c->at++) {
        ns += unit * (*c->at - '0');
        unit /= 10;
    }
    return ns;
}

/* HH:MM:SS and a fraction, as nanoseconds of the day. */
static bool time_of_day(struct cursor *c, int64_t *ns)
{
    int hour, minute, second;
    if (!digits(c, 2, &hour) || !literal(c, ":") || !digits(c, 2, &minute) || !literal(c, ":") ||
        !digits(c, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ns = (hour * 3600 + minute * 60 + second) * CLOCK_SECOND + fraction(c);
    return true;
}

/* "Z", "+02:00", "-0500", the last also behind one blank as Go prints it. Absent means UTC. */
static int64_t zone(struct cursor *c)
{
    struct cursor z = *c;
    int hour, minute;
    if (literal(&z, "Zz")) {
        *c = z;
        return 0;
    }
    bool blank = literal(&z, " ");
    bool west = z.at < z.end && *z.at == '-';
    if (!literal(&z, "+-") || !digits(&z, 2, &hour))
        return 0;
    if (literal(&z, ":") && blank)
        return 0;
    if (!digits(&z, 2, &minute) || hour > 15 || minute > 59 || (z.at < z.end && is_digit(*z.at)))
        return 0;
    *c = z;
    return (hour * 60 + minute) * 60 * CLOCK_SECOND * (west ? -1 : 1);
}

static size_t parse_full(struct cursor c, int64_t *out)
{
    const char *start = c.at;
    int year, month, day;
    int64_t of_day;
    if (!digits(&c, 4, &year) || c.at == c.end)
        return 0;
    const char separator[2] = {*c.at, '\0'};
    if (!literal(&c, "-/") || !digits(&c, 2, &month) || !literal(&c, separator) ||
        !digits(&c, 2, &day) || !literal(&c, "Tt ") || !time_of_day(&c, &of_day))
        return 0;
    if (!valid_date(year, month, day))
        return 0;
    *out = days_from_civil(year, month, day) * 86400 * CLOCK_SECOND + of_day;
    *out -= zone(&c);
    return (size_t)(c.at - start);
}

/* The latest year that does not put the time past now; a day of grace, because such stamps are
 * in the local time of a host whose zone nobody knows. */
static int64_t without_year(int month, int day, int64_t of_day)
{
    int64_t now = clock_now();
    int year, month_now, day_now;
    civil_from_days(now / CLOCK_SECOND / 86400, &year, &month_now, &day_now);
    for (int y = year + 1; y > year - 9; y--) {
        if (!valid_date(y, month, day))
            continue;
        int64_t ns = days_from_civil(y, month, day) * 86400 * CLOCK_SECOND + of_day;
        if (ns <= now + 86400 * CLOCK_SECOND)
            return ns;
    }
    return 0;
}

static size_t parse_syslog(struct cursor c, int64_t *out)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *start = c.at;
    int month = 0, day;
    int64_t of_day;
    if (c.end - c.at < 15)
        return 0;
    while (month < 12 && memcmp(names + 3 * month, c.at, 3) != 0)
        month++;
    c.at += 3;
    if (month == 12 || !literal(&c, " "))
        return 0;
    bool one_digit = literal(&c, " ");
    if (!digits(&c, one_digit ? 1 : 2, &day) || !literal(&c, " ") || !time_of_day(&c, &of_day))
        return 0;
    int64_t ns = without_year(month + 1, day, of_day);
    if (ns == 0)
        return 0;
    *out = ns;
    return (size_t)(c.at - start);
}

static bool ends_word(const struct cursor *c)
{
    if (c->at == c->end)
        return true;
    char ch = *c->at;
    return !is_digit(ch) && !(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') && ch != '_' &&
           ch != '-' && ch != ':';
}

static size_t parse_epoch(struct cursor c, int64_t *out)
{
    const char *start = c.at;
    int64_t value = 0;
    while (c.at < c.end && is_digit(*c.at) && c.at - start < 14)
        value = value * 10 + (*c.at++ - '0');
    size_t len = (size_t)(c.at - start);
    int64_t ns;
    if (len == 10 && *start != '0' && value < INT64_MAX / CLOCK_SECOND)
        ns = value * CLOCK_SECOND + fraction(&c);
    else if (len == 13 && *start != '0' && value < INT64_MAX / (CLOCK_SECOND / 1000))
        ns = value * (CLOCK_SECOND / 1000) + fraction(&c) / 1000;
    else
        return 0;
    if (!ends_word(&c) || ns / CLOCK_SECOND / 86400 > 106000)
        return 0;
    *out = ns;
    return (size_t)(c.at - start);
}

size_t clock_parse(const char *text, size_t len, int64_t *out)
{
    struct cursor c = {text, text + len};
    if (len == 0)
        return 0;
    if (!is_digit(*text))
        return parse_syslog(c, out);
    size_t used = parse_full(c, out);
    return used ? used : parse_epoch(c, out);
}

bool clock_zoned(const char *text, size_t len)
{
    if (len && (text[len - 1] == 'Z' || text[len - 1] == 'z'))
        return true;
    /* "+02:00" or "-0500"; in a date without zone a colon stands there, or a digit. */
    return (len > 6 && text[len - 3] == ':' && strchr("+-", text[len - 6])) ||
           (len > 15 && strchr("+-", text[len - 5]));
}

bool clock_bound_parse(const char *text, struct clock_bound *out)
{
    int64_t ms;
    *out = (struct clock_bound){0};
    if (str_to_duration(text, &ms) && ms > 0) {
        *out = (struct clock_bound){ms * (CLOCK_SECOND / 1000), true};
        return true;
    }
    char day[CLOCK_TEXT_MAX];
    size_t len = strlen(text);
    bool whole_day = len == strlen("2026-11-21");
    snprintf(day, sizeof day, "%s%s", text, whole_day ? "T00:00:00Z" : "");
    return len < sizeof day && clock_parse(day, strlen(day), &out->time) == strlen(day) &&
           out->time > 0;
}

int64_t clock_bound_at(struct clock_bound bound, int64_t present)
{
    return bound.back ? present - bound.time : bound.time;
}

const char *clock_text(int64_t ns, char out[CLOCK_TEXT_MAX])
{
    out[0] = '\0';
    if (ns == 0)
        return out;
    int64_t seconds = ns / CLOCK_SECOND - (ns % CLOCK_SECOND < 0);
    int millis = (int)((ns - seconds * CLOCK_SECOND) / (CLOCK_SECOND / 1000));
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int rest = (int)(seconds - days * 86400), year, month, day;
    civil_from_days(days, &year, &month, &day);
    int used = snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
                        rest / 3600, rest / 60 % 60, rest % 60);
    snprintf(out + used, CLOCK_TEXT_MAX - (size_t)used, millis ? ".%03dZ" : "Z", millis);
    return out;
}

const char *clock_span(int64_t ns, char out[CLOCK_TEXT_MAX])
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}};
    int64_t ms = (ns < 0 ? -ns : ns) / (CLOCK_SECOND / 1000);
    size_t i = 0;
    while (i < 4 && ms < units[i].ms)
        i++;
    int used = snprintf(out, CLOCK_TEXT_MAX, "%s%lld %s", ns < 0 ? "-" : "",
                        (long long)(ms / units[i].ms), units[i].name);
    /* A second unit says nothing beside a week, nor milliseconds beside seconds. */
    if (i >= 3 || (i == 0 && ms >= 7 * units[0].ms))
        return out;
    int64_t rest = ms % units[i].ms / units[i + 1].ms;
    if (rest)
        snprintf(out + used, CLOCK_TEXT_MAX - (size_t)used, " %lld %s", (long long)rest,
                 units[i + 1].name);
    return out;
}
