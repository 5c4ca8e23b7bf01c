/* Stage: read. The intrinsic functions of CloudFormation: Ref, Sub, Join, Select, Split, If, FindInMap,
 * GetAtt and the functions of conditions. Reads a template's tree, makes trees of plain values. Takes
 * parameters at their defaults; deliberately guesses nothing else: no account, no region, no import. */
#include "base/json.h"
#include "base/str.h"
#include "read/cloudformation.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 64,
    MADE_MAX = 16 << 20, /* bytes of one template's values */
    TEXT_MAX = 64 << 10,
};

enum truth { UNKNOWN, NO, YES };

static cJSON *value_of(struct cloudformation *template, const cJSON *node, int depth);
static enum truth truth_of(struct cloudformation *template, const cJSON *node, int depth);

/* ---- what stays open ---- */

static void note(struct buf *list, const char *what)
{
    char entry[CLOUDFORMATION_NAME_MAX];
    int len = snprintf(entry, sizeof entry, " %s,", what);
    bool usual = str_starts(what, "AWS::"); /* no template decides account or region */
    if (!usual && len < (int)sizeof entry && !list->overflow &&
        !memmem(buf_str(list), list->len, entry, (size_t)len))
        buf_adds(list, entry);
}

static cJSON *open_value(struct cloudformation *template, const char *what)
{
    char text[CONTAINERS_POINTER_MAX];
    note(&template->open, what);
    containers_place(text, "${%s}", what);
    return cJSON_CreateRaw(text);
}

static cJSON *strange_value(struct cloudformation *template, const char *what)
{
    note(&template->strange, what);
    return cJSON_CreateRaw(what);
}

static bool is_known_text(const cJSON *value)
{
    return cJSON_IsString(value) || cJSON_IsNumber(value) || cJSON_IsBool(value);
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len && strchr(" \t", text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* ---- references ---- */

static cJSON *list_of(const char *text)
{
    cJSON *list = cJSON_CreateArray();
    while (*text) {
        size_t len = strcspn(text, ",");
        char part[1024];
        snprintf(part, sizeof part, "%.*s", (int)(len < sizeof part ? len : sizeof part - 1), text);
        cJSON_AddItemToArray(list, cJSON_CreateString(trim(part)));
        text += len + (text[len] == ',');
    }
    return list;
}

static cJSON *parameter_value(struct cloudformation *template, const cJSON *parameter)
{
    char number[32];
    const char *type = json_str(parameter, "Type");
    const char *text = json_scalar(member(parameter, "Default"), "", number);
    bool stored = type && str_starts(type, "AWS::SSM::"); /* the default names where the value is */
    if (!text || stored || strstr(text, "{{resolve:"))
        return open_value(template, parameter->string);
    if (type && (str_starts(type, "List<") || strcmp(type, "CommaDelimitedList") == 0))
        return list_of(text);
    return cJSON_CreateString(text);
}

/* Resources that others of the template refer to, so that the evidence holds together. */
static bool is_named(const cJSON *resource, const char *attribute)
{
    static const char *const types[][2] = {{"AWS::EC2::SecurityGroup", ""},
                                           {"AWS::EC2::SecurityGroup", "GroupId"},
                                           {"AWS::ECS::TaskDefinition", ""},
                                           {"AWS::ECS::Cluster", ""},
                                           {"AWS::ElasticLoadBalancingV2::LoadBalancer", ""},
                                           {"AWS::ElasticLoadBalancingV2::Listener", ""},
                                           {"AWS::ElasticLoadBalancingV2::TargetGroup", ""},
                                           {"AWS::IAM::ManagedPolicy", ""},
                                           {"AWS::IAM::Role", ""}};
    const char *type = json_str(resource, "Type");
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i][0]) == 0 && strcmp(attribute, types[i][1]) == 0)
            return true;
    return false;
}

static const char *const name_members[] = {"RoleName", "Family",    "ClusterName",    "ServiceName",
                                           "Name",     "GroupName", "VirtualNodeName"};

void cloudformation_name(struct cloudformation *template, const cJSON *resource,
                         char out[CLOUDFORMATION_NAME_MAX])
{
    const cJSON *properties = member(resource, "Properties");
    snprintf(out, CLOUDFORMATION_NAME_MAX, "%s", resource->string);
    bool group = str_equal(json_str(resource, "Type"), "AWS::EC2::SecurityGroup");
    for (size_t i = 0; !group && i < sizeof name_members / sizeof *name_members; i++) {
        const cJSON *given = member(properties, name_members[i]);
        cJSON *name = given ? value_of(template, given, DEPTH_MAX / 2) : NULL;
        if (cJSON_IsString(name))
            snprintf(out, CLOUDFORMATION_NAME_MAX, "%s", name->valuestring);
        cJSON_Delete(name);
        if (given)
            return;
    }
}

void cloudformation_role_arn(const char *name, char out[CLOUDFORMATION_NAME_MAX])
{
    containers_place(out, "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/%s", name);
}

static cJSON *resource_value(struct cloudformation *template, const cJSON *resource,
                             const char *attribute, int depth)
{
    char name[CLOUDFORMATION_NAME_MAX], text[CLOUDFORMATION_NAME_MAX];
    if (is_named(resource, attribute)) {
        cloudformation_name(template, resource, name);
        return cJSON_CreateString(name);
    }
    if (str_equal(json_str(resource, "Type"), "AWS::IAM::Role") && strcmp(attribute, "Arn") == 0) {
        char short_name[CLOUDFORMATION_NAME_MAX];
        cloudformation_name(template, resource, short_name);
        cloudformation_role_arn(short_name, name);
        return cJSON_CreateString(name);
    }
    /* An attribute that is a property as well was given here. */
    const cJSON *given = *attribute ? member(member(resource, "Properties"), attribute) : NULL;
    if (given)
        return value_of(template, given, depth + 1);
    containers_place(text, "%s%s%s", resource->string, *attribute ? "." : "", attribute);
    return open_value(template, text);
}

static cJSON *ref_value(struct cloudformation *template, const char *name, int depth)
{
    if (strcmp(name, "AWS::NoValue") == 0)
        return NULL;
    if (str_starts(name, "AWS::"))
        return open_value(template, name);
    const cJSON *parameter = member(template->parameters, name);
    if (parameter)
        return parameter_value(template, parameter);
    const cJSON *resource = member(template->resources, name);
    if (resource)
        return resource_value(template, resource, "", depth);
    return strange_value(template, name);
}

static cJSON *attribute_value(struct cloudformation *template, const char *name, int depth)
{
    char logical[CLOUDFORMATION_NAME_MAX];
    const char *dot = strchr(name, '.');
    snprintf(logical, sizeof logical, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
    const cJSON *resource = member(template->resources, logical);
    if (!resource || !dot)
        return strange_value(template, name);
    return resource_value(template, resource, dot + 1, depth);
}

static cJSON *get_att(struct cloudformation *template, const cJSON *argument, int depth)
{
    char name[CLOUDFORMATION_NAME_MAX];
    if (cJSON_IsString(argument))
        return attribute_value(template, argument->valuestring, depth);
    const char *resource = json_str(argument, "[0]"), *attribute = json_str(argument, "[1]");
    if (!resource || !attribute)
        return open_value(template, "Fn::GetAtt");
    containers_place(name, "%s.%s", resource, attribute);
    return attribute_value(template, name, depth);
}

/* ---- texts ---- */

struct text { /* being put together */
    struct buf out;
    bool known;
};

static void add_value(struct text *text, const cJSON *value)
{
    char number[32];
    text->known &= is_known_text(value);
    const char *known = json_scalar(value, "", number);
    buf_adds(&text->out, known ? known : cJSON_IsRaw(value) ? value->valuestring : "${?}");
}

static cJSON *end_text(struct cloudformation *template, struct text *text)
{
    const char *all = buf_str(&text->out);
    template->made += text->out.len;
    cJSON *value = text->known && !text->out.overflow ? cJSON_CreateString(all)
                                                      : cJSON_CreateRaw(all);
    buf_release(&text->out);
    return value;
}

static cJSON *placeholder(struct cloudformation *template, const char *name, const cJSON *own,
                          int depth)
{
    const cJSON *given = member(own, name);
    if (given)
        return value_of(template, given, depth + 1);
    return strchr(name, '.') ? attribute_value(template, name, depth)
                             : ref_value(template, name, depth);
}

static cJSON *sub(struct cloudformation *template, const cJSON *argument, int depth)
{
    const char *at = cJSON_IsArray(argument) ? json_str(argument, "[0]") : json_str(argument, "");
    const cJSON *own = cJSON_IsArray(argument) ? json_at(argument, "[1]") : NULL;
    struct text text = {.known = at != NULL};
    buf_init(&text.out, TEXT_MAX);
    while (at && *at) {
        const char *end = str_starts(at, "${") ? strchr(at, '}') : NULL;
        char name[CLOUDFORMATION_NAME_MAX];
        if (!end || end - at - 2 >= (int)sizeof name) {
            buf_addch(&text.out, *at++);
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)(end - at - 2), at + 2);
        if (*name == '!') {
            buf_addf(&text.out, "${%s}", name + 1);
        } else {
            cJSON *value = placeholder(template, trim(name), own, depth);
            add_value(&text, value);
            cJSON_Delete(value);
        }
        at = end + 1;
    }
    return end_text(template, &text);
}

static cJSON *join(struct cloudformation *template, const cJSON *argument, int depth)
{
    cJSON *parts = value_of(template, json_at(argument, "[1]"), depth + 1);
    const char *glue = json_str(argument, "[0]");
    struct text text = {.known = cJSON_IsArray(parts)};
    const cJSON *list = text.known ? parts : NULL, *part;
    buf_init(&text.out, TEXT_MAX);
    if (!list)
        add_value(&text, parts);
    cJSON_ArrayForEach (part, list) {
        if (part != parts->child)
            buf_adds(&text.out, glue ? glue : "");
        add_value(&text, part);
    }
    cJSON_Delete(parts);
    return end_text(template, &text);
}

static cJSON *split(struct cloudformation *template, const cJSON *argument, int depth)
{
    cJSON *whole = value_of(template, json_at(argument, "[1]"), depth + 1);
    const char *glue = json_str(argument, "[0]");
    if (!cJSON_IsString(whole) || !glue || !*glue) {
        cJSON_Delete(whole);
        return open_value(template, "Fn::Split");
    }
    cJSON *list = cJSON_CreateArray();
    for (const char *at = whole->valuestring, *next; at; at = next) {
        next = strstr(at, glue);
        char *part = strndup(at, next ? (size_t)(next - at) : strlen(at));
        cJSON_AddItemToArray(list, cJSON_CreateString(part ? part : ""));
        free(part);
        next = next ? next + strlen(glue) : NULL;
    }
    cJSON_Delete(whole);
    return list;
}

static cJSON *select_value(struct cloudformation *template, const cJSON *argument, int depth)
{
    cJSON *index = value_of(template, json_at(argument, "[0]"), depth + 1);
    cJSON *list = value_of(template, json_at(argument, "[1]"), depth + 1);
    int64_t at = 0;
    cJSON *picked = json_int(index, "", &at) && at >= 0 && at < 10000 && cJSON_IsArray(list)
                        ? cJSON_DetachItemFromArray(list, (int)at)
                        : NULL;
    cJSON_Delete(index);
    cJSON_Delete(list);
    return picked ? picked : open_value(template, "Fn::Select");
}

static cJSON *find_in_map(struct cloudformation *template, const cJSON *argument, int depth)
{
    const cJSON *at = template->mappings;
    char key[CLOUDFORMATION_NAME_MAX] = "Fn::FindInMap";
    for (int i = 0; i < 3 && at; i++) {
        char number[32];
        cJSON *name = value_of(template, cJSON_GetArrayItem(argument, i), depth + 1);
        const char *text = json_scalar(name, "", number);
        at = text ? member(at, text) : NULL;
        if (text && !i)
            snprintf(key, sizeof key, "Fn::FindInMap %s", text);
        cJSON_Delete(name);
    }
    return at ? value_of(template, at, depth + 1) : open_value(template, key);
}

/* ---- conditions ---- */

static enum truth opposite(enum truth truth)
{
    return truth == UNKNOWN ? UNKNOWN : truth == YES ? NO : YES;
}

static enum truth are_equal(struct cloudformation *template, const cJSON *argument, int depth)
{
    char left_number[32], right_number[32];
    cJSON *left = value_of(template, json_at(argument, "[0]"), depth + 1);
    cJSON *right = value_of(template, json_at(argument, "[1]"), depth + 1);
    const char *a = json_scalar(left, "", left_number), *b = json_scalar(right, "", right_number);
    enum truth truth = !a || !b ? UNKNOWN : strcmp(a, b) == 0 ? YES : NO;
    cJSON_Delete(left);
    cJSON_Delete(right);
    return truth;
}

/* DECIDES ends it: NO for And, YES for Or. */
static enum truth all_of(struct cloudformation *template, const cJSON *list, enum truth decides,
                         int depth)
{
    enum truth result = opposite(decides);
    const cJSON *each;
    cJSON_ArrayForEach (each, list) {
        enum truth truth = truth_of(template, each, depth + 1);
        if (truth == decides)
            return decides;
        if (truth == UNKNOWN)
            result = UNKNOWN;
    }
    return result;
}

static enum truth named_truth(struct cloudformation *template, const char *name, int depth)
{
    const cJSON *condition = name ? member(template->conditions, name) : NULL;
    if (name && !condition)
        note(&template->strange, name);
    return condition ? truth_of(template, condition, depth + 1) : UNKNOWN;
}

static enum truth truth_of(struct cloudformation *template, const cJSON *node, int depth)
{
    const cJSON *only = cJSON_IsObject(node) ? node->child : NULL;
    if (!only || depth > DEPTH_MAX)
        return UNKNOWN;
    if (strcmp(only->string, "Condition") == 0)
        return named_truth(template, json_str(only, ""), depth);
    if (strcmp(only->string, "Fn::Equals") == 0)
        return are_equal(template, only, depth);
    if (strcmp(only->string, "Fn::And") == 0)
        return all_of(template, only, NO, depth);
    if (strcmp(only->string, "Fn::Or") == 0)
        return all_of(template, only, YES, depth);
    if (strcmp(only->string, "Fn::Not") == 0)
        return opposite(truth_of(template, json_at(only, "[0]"), depth + 1));
    return UNKNOWN;
}

bool cloudformation_is_off(struct cloudformation *template, const char *condition)
{
    return condition && named_truth(template, condition, 0) == NO;
}

static cJSON *if_value(struct cloudformation *template, const cJSON *argument, int depth)
{
    const char *name = json_str(argument, "[0]");
    enum truth truth = named_truth(template, name, depth);
    if (truth == UNKNOWN)
        return open_value(template, name ? name : "Fn::If");
    return value_of(template, json_at(argument, truth == YES ? "[1]" : "[2]"), depth + 1);
}

/* ---- all of them ---- */

static cJSON *ref(struct cloudformation *template, const cJSON *argument, int depth)
{
    const char *name = json_str(argument, "");
    return name ? ref_value(template, name, depth) : open_value(template, "Ref");
}

static cJSON *import_value(struct cloudformation *template, const cJSON *argument, int depth)
{
    char what[CLOUDFORMATION_NAME_MAX];
    cJSON *name = value_of(template, argument, depth + 1);
    bool text = cJSON_IsString(name) || cJSON_IsRaw(name);
    containers_place(what, "import %s", text ? name->valuestring : "of another stack");
    cJSON_Delete(name);
    return open_value(template, what);
}

typedef cJSON *function_fn(struct cloudformation *template, const cJSON *argument, int depth);

static const struct {
    const char *name;
    function_fn *call; /* NULL: known, but nothing a template decides */
} functions[] = {
    {"Ref", ref},
    {"Fn::Base64", NULL},
    {"Fn::Cidr", NULL},
    {"Fn::FindInMap", find_in_map},
    {"Fn::GetAZs", NULL},
    {"Fn::GetAtt", get_att},
    {"Fn::If", if_value},
    {"Fn::ImportValue", import_value},
    {"Fn::Join", join},
    {"Fn::Length", NULL},
    {"Fn::Select", select_value},
    {"Fn::Split", split},
    {"Fn::Sub", sub},
    {"Fn::ToJsonString", NULL},
    {"Fn::Transform", NULL},
};

static cJSON *call(struct cloudformation *template, const cJSON *function, int depth)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, function->string) == 0)
            return functions[i].call ? functions[i].call(template, function, depth)
                                     : open_value(template, functions[i].name);
    return strange_value(template, function->string);
}

static bool is_function(const cJSON *node)
{
    const cJSON *only = cJSON_IsObject(node) ? node->child : NULL;
    return only && !only->next &&
           (strcmp(only->string, "Ref") == 0 || str_starts(only->string, "Fn::"));
}

static cJSON *container_value(struct cloudformation *template, const cJSON *node, int depth)
{
    bool object = cJSON_IsObject(node);
    cJSON *copy = object ? cJSON_CreateObject() : cJSON_CreateArray();
    const cJSON *child;
    cJSON_ArrayForEach (child, node) {
        cJSON *value = value_of(template, child, depth + 1);
        if (!value)
            continue;
        if (object)
            cJSON_AddItemToObject(copy, child->string, value);
        else
            cJSON_AddItemToArray(copy, value);
    }
    return copy;
}

static cJSON *value_of(struct cloudformation *template, const cJSON *node, int depth)
{
    template->made += 64;
    if (!node || depth > DEPTH_MAX || template->made > MADE_MAX)
        return cJSON_CreateRaw("${...}");
    if (is_function(node))
        return call(template, node->child, depth);
    if (cJSON_IsObject(node) || cJSON_IsArray(node))
        return container_value(template, node, depth);
    if (cJSON_IsString(node) && strstr(node->valuestring, "{{resolve:"))
        return open_value(template, node->valuestring);
    if (cJSON_IsString(node))
        template->made += strlen(node->valuestring);
    return cJSON_Duplicate(node, 0);
}

cJSON *cloudformation_value(struct cloudformation *template, const cJSON *node)
{
    return value_of(template, node, 0);
}
