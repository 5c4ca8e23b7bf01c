/* Stage: check, script side. Where App Mesh publishes its images, asked by every section that reads image
 * names. Reads the one table of registry accounts (published.h). Judges no image. */
#include "script/bind.h"

#include "base/str.h"
#include "source/published.h"

#include <lauxlib.h>
#include <string.h>

/* [-0, +1, m] */
static void push_registry(lua_State *L, const char *region)
{
    const char *account = published_account(region);
    bool china = str_starts(region, "cn-"), gov = str_starts(region, "us-gov-");
    lua_newtable(L);
    lua_pushstring(L, region);
    lua_setfield(L, -2, "region");
    lua_pushstring(L, account);
    lua_setfield(L, -2, "account");
    lua_pushboolean(L, strcmp(account, published_account("*")) != 0);
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

/* [-1, +1, e] debrief.registry(region); with an account instead, what it
 * publishes; nothing when it is none of AWS */
static int registry(lua_State *L)
{
    const char *asked = luaL_checkstring(L, 1);
    if (*asked < '0' || *asked > '9') {
        push_registry(L, asked);
        return 1;
    }
    const char *region = published_region(asked);
    if (region && *region) {
        push_registry(L, region);
        return 1;
    }
    if (region) {
        lua_newtable(L);
        lua_pushstring(L, asked);
        lua_setfield(L, -2, "account");
        return 1;
    }
    return 0;
}

void bind_registry_open(lua_State *L)
{
    lua_pushcfunction(L, registry);
    lua_setfield(L, -2, "registry");
}
