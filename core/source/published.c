/* Source: accounts that AWS publishes images from. Reads a region or an account, writes the other.
 * Deliberately one table for checks, which judge images by it, and for redaction, which leaves them. */
#include "source/published.h"

#include "base/alloc.h"

#include <string.h>

static const struct {
    const char *region, *account;
} accounts[] = {
    {"*", "840364872350"}, /* the first one: regions without an account of their own */
    {"me-south-1", "772975370895"},
    {"ap-east-1", "856666278305"},
    {"ap-southeast-3", "909464085924"},
    {"eu-south-1", "422531588944"},
    {"af-south-1", "924023996002"},
    {"il-central-1", "564877687649"},
    {"eu-south-2", "992897592190"},
    {"eu-central-2", "704106688930"},
    {"cn-north-1", "919366029133"},
    {"cn-northwest-1", "919830735681"},
    {"", "111345817488"}, /* App Mesh, before */
    {"", "602401143452"}, /* EKS, the controller of App Mesh among it */
};

const char *published_account(const char *region)
{
    for (size_t i = 1; *region && i < ARRAY_LEN(accounts); i++)
        if (strcmp(accounts[i].region, region) == 0)
            return accounts[i].account;
    return accounts[0].account;
}

const char *published_region(const char *account)
{
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
        if (strcmp(accounts[i].account, account) == 0)
            return accounts[i].region;
    return NULL;
}
