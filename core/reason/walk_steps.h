/* The steps of a walk, and what they share. Each step adds its hops and returns whether to go on. */
#ifndef DEBRIEF_REASON_WALK_STEPS_H
#define DEBRIEF_REASON_WALK_STEPS_H

#include "reason/walk.h"

struct walker {
    struct view *view;
    const struct walk_request *request;
    struct walk *walk;
    int port;                      /* that the connection goes to */
    const struct record *listener; /* that was taken */
    const struct record *chain;
    const struct record *route_host, *route;
    int ways, ways_broken; /* clusters that share the requests, and those of them that fail */
};

/* Records of NAME after AFTER; none when the check does not declare NAME. */
const struct record *walk_next(const struct walker *walker, const char *name,
                               const struct record *after);
bool walk_complete(const struct walker *walker, const char *name);
/* A column, NULL when not known. */
const char *walk_text(const struct record *record, const char *column);
bool walk_is(const struct record *record, const char *column, const char *value);
bool walk_holds(const char *list, const char *item); /* in a list joined by commas */
/* Whether RECORD stands inside of OUTER in the same source. */
bool walk_inside(const struct record *record, const struct record *outer);

char *walk_printf(const struct walker *walker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void walk_hop(struct walker *walker, const char *kind, const char *name,
              const struct record *record, const char *why);
/* The last hop is where it ends. Each returns false, for `return walk_breaks(...)`. */
bool walk_breaks(struct walker *walker, enum walk_end end, int status, const char *flag);
bool walk_answers(struct walker *walker, int status);
bool walk_gives_up(struct walker *walker, const char *why);
void walk_depends(struct walker *walker, const char *on);

bool walk_listener(struct walker *walker);
bool walk_chain(struct walker *walker);
bool walk_http(struct walker *walker);  /* what stands before the routes */
bool walk_route(struct walker *walker); /* route configuration, virtual host, route */
void walk_clusters(struct walker *walker);

#endif
