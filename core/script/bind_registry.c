/* Stage: check, script side. Where App Mesh publishes its images: the one table of registry accounts by
 * region, asked by every section that reads image names. Judges no image. */
#include "script/bind.h"

#include "base/alloc.h"
#include "base/str.h"

#include <lauxlib.h>
#include <string.h>

/* Regions with an account of their own; all others share the first one. */
static const char *const accounts[][2] = {
    {"*", "840364872350"},
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
};

static const char *account_of(const char *region)
{
    for (size_t i = 1; i < ARRAY_LEN(accounts); i++)
        if (strcmp(accounts[i][0], region) == 0)
            return accounts[i][1];
    return accounts[0][1];
}

/* [-0, +1, m] */
static void push_registry(lua_State *L, const char *region)
{
    const char *account = account_of(region);
    bool china = str_starts(region, "cn-"), gov = str_starts(region, "us-gov-");
    lua_newtable(L);
    lua_pushstring(L, region);
    lua_setfield(L, -2, "region");
    lua_pushstring(L, account);
    lua_setfield(L, -2, "account");
    lua_pushboolean(L, account != accounts[0][1]);
    lua_setfield(L, -2, "own");
    lua_pushfstring(L, "%s.dkr.ecr.%s.amazonaws.com%s", account, region, china ? ".cn" : "");
    lua_setfield(L, -2, "host");
    lua_pushfstring(L, "arn:aws%s:ecr:%s:%s:repository/aws-appmesh-envoy",
                    china ? "-cn"
                    : gov ? "-us-gov"
                          : "",
                    region, account);
    lua_setfield(L, -2, "arn");
}

/* [-1, +1, e] debrief.registry(region); with an account instead, whether it is one of App Mesh's */
static int registry(lua_State *L)
{
    const char *asked = luaL_checkstring(L, 1);
    if (*asked < '0' || *asked > '9') {
        push_registry(L, asked);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
        if (strcmp(accounts[i][1], asked) == 0) {
            push_registry(L, accounts[i][0]);
            return 1;
        }
    return 0;
}

void bind_registry_open(lua_State *L)
{
    lua_pushcfunction(L, registry);
    lua_setfield(L, -2, "registry");
}
