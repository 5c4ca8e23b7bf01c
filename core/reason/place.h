/* Where traffic starts or ends: a task, an interface, a group, an address, a service of AWS, as the
 * evidence describes it. */
#ifndef DEBRIEF_REASON_PLACE_H
#define DEBRIEF_REASON_PLACE_H

#include "reason/answer.h"
#include "reason/cidr.h"

enum { PLACE_LIST_MAX = 16 };

struct place_list {
    const char *items[PLACE_LIST_MAX];
    int len;
};

struct place {
    const char *name;                   /* "task 1b2c", for sentences */
    const struct record *record;        /* what describes it; NULL */
    const char *vpc;                    /* NULL: not known */
    struct cidr ranges[PLACE_LIST_MAX]; /* addresses that it has, as far as known */
    int ranges_len;
    struct place_list groups, subnets;
    bool anywhere;       /* some address of the internet, no matter which */
    bool outside;        /* in no subnet of the evidence: no groups, lists and tables of its own */
    bool groups_apply;   /* it has security groups, known or not */
    bool subnets_apply;  /* it lies in a subnet, known or not */
    int public_address;  /* 1 it has one, 0 not, -1 not known */
    const char *service; /* of AWS: "s3", "ecr.api"; NULL */
    const struct record *gateway; /* its gateway endpoint; NULL */
    const struct record *unnamed; /* its interface endpoint without private DNS; NULL */
    bool endpoints_unknown;       /* whether it has an endpoint is not in evidence */
    const char *unknown;          /* why it could not be found at all; NULL: it was */
    const char *missing;          /* the evidence that would tell */
};

/* NEAR: the other end, which tells the VPC whose endpoints count; NULL: none. */
void place_find(struct view *view, const char *name, const struct place *near, struct place *out);

/* How BLOCK covers the addresses of PLACE. */
enum cover place_covered(const struct place *place, const struct cidr *block);

/* A record of NAME whose member is VALUE; NULL. */
const struct record *place_object(struct view *view, const char *name, const char *member,
                                  const char *value);
bool place_list_has(const struct place_list *list, const char *item);

#endif
