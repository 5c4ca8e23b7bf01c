/* Collect: what a failing aws or kubectl means. Reads the beginning of its standard error, writes one
 * line. Deliberately knows the words of the two clients only: what the servers behind them say of
 * proxies is evidence, and no business of this stage. */
#include "collect/follow_said.h"

#include "base/buf.h"
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 360, ALL_MAX = 4096 };

#define NO_CLUSTER                                                                                 \
    "kubectl knows no cluster here; see 'kubectl config get-contexts', then 'kubectl config "      \
    "use-context NAME' or set KUBECONFIG"
#define NO_SERVER                                                                                  \
    "kubectl does not reach the server of its context (see 'kubectl config current-context'; "     \
    "VPN, "                                                                                        \
    "proxy variables, a cluster that is gone)"
#define NO_KUBE_LOGIN "kubectl's login is not valid, or no more; log in as usual for this context"
#define NO_AWS_LOGIN                                                                               \
    "aws has no credentials here; 'aws configure', 'aws sso login', or set AWS_PROFILE"
#define OLD_AWS_LOGIN "the login of aws has expired; 'aws sso login', or renew the keys"
#define BAD_AWS_KEYS                                                                               \
    "AWS does not accept the keys that aws uses; 'aws sts get-caller-identity' tells whose they "  \
    "are"

static const struct meaning {
    const char *program, *text;
    enum follow_failure failure;
    const char *advice; /* NULL: the client's words are enough */
} meanings[] = {
    {"kubectl", "doesn't have a resource type", FOLLOW_NOTHING, NULL},
    {"kubectl", "previous terminated container", FOLLOW_NOTHING, NULL},
    {"aws", "(RepositoryPolicyNotFoundException)", FOLLOW_NOTHING, NULL},

    {"kubectl", "(NotFound)", FOLLOW_ABSENT, NULL},
    {"aws", "(ClusterNotFoundException)", FOLLOW_ABSENT, NULL},
    {"aws", "(ServiceNotFoundException)", FOLLOW_ABSENT, NULL},
    {"aws", "(NotFoundException)", FOLLOW_ABSENT, NULL},

    {"kubectl", "localhost:8080", FOLLOW_SHUT, NO_CLUSTER},
    {"kubectl", "context was not found", FOLLOW_SHUT, NO_CLUSTER},
    {"kubectl", "error: context ", FOLLOW_SHUT, NO_CLUSTER},
    {"kubectl", "current-context is not set", FOLLOW_SHUT, NO_CLUSTER},
    {"kubectl", "no configuration has been provided", FOLLOW_SHUT, NO_CLUSTER},
    {"kubectl", "error loading config file", FOLLOW_SHUT, "kubectl's configuration does not load"},
    {"kubectl", "getting credentials", FOLLOW_SHUT,
     "the program by which kubectl logs in fails; try 'kubectl version'"},
    {"kubectl", "must be logged in", FOLLOW_SHUT, NO_KUBE_LOGIN},
    {"kubectl", "(Unauthorized)", FOLLOW_SHUT, NO_KUBE_LOGIN},
    {"kubectl", "provide credentials", FOLLOW_SHUT, NO_KUBE_LOGIN},
    {"kubectl", "Unable to connect to the server", FOLLOW_SHUT, NO_SERVER},
    {"kubectl", "did you specify the right host or port", FOLLOW_SHUT, NO_SERVER},

    {"aws", "Unable to locate credentials", FOLLOW_SHUT, NO_AWS_LOGIN},
    {"aws", "Unable to locate authorization token", FOLLOW_SHUT, NO_AWS_LOGIN},
    {"aws", "(ExpiredToken", FOLLOW_SHUT, OLD_AWS_LOGIN},
    {"aws", "(RequestExpired)", FOLLOW_SHUT, OLD_AWS_LOGIN},
    {"aws", "Token has expired", FOLLOW_SHUT, OLD_AWS_LOGIN},
    {"aws", "token included in the request is expired", FOLLOW_SHUT, OLD_AWS_LOGIN},
    {"aws", "SSO session", FOLLOW_SHUT, OLD_AWS_LOGIN},
    {"aws", "Error loading SSO Token", FOLLOW_SHUT, OLD_AWS_LOGIN},
    {"aws", "(UnrecognizedClientException)", FOLLOW_SHUT, BAD_AWS_KEYS},
    {"aws", "(InvalidClientTokenId)", FOLLOW_SHUT, BAD_AWS_KEYS},
    {"aws", "(SignatureDoesNotMatch)", FOLLOW_SHUT, BAD_AWS_KEYS},
    {"aws", "(InvalidSignatureException)", FOLLOW_SHUT, BAD_AWS_KEYS},
    {"aws", "(AuthFailure)", FOLLOW_SHUT, BAD_AWS_KEYS},
    {"aws", "You must specify a region", FOLLOW_SHUT,
     "aws has no region here; set AWS_REGION, or name the target by its ARN"},
    {"aws", "The config profile", FOLLOW_SHUT, "see 'aws configure list-profiles'"},
    {"aws", "Could not connect to the endpoint URL", FOLLOW_OTHER,
     "aws does not reach that endpoint: is the region right, is there a network"},
};

/* ---- the client's own words ---- */

/* "E1121 16:09:42.418038   24732 memcache.go:265] ..." */
static bool is_chatter(const char *line)
{
    return *line && strchr("EWIF", *line) && isdigit((unsigned char)line[1]) &&
           isdigit((unsigned char)line[2]) && isdigit((unsigned char)line[3]) &&
           isdigit((unsigned char)line[4]) && line[5] == ' ';
}

static void add_lines(struct buf *out, const char *said, bool chatter)
{
    while (*said) {
        size_t len = strcspn(said, "\n");
        if (chatter || !is_chatter(said)) {
            if (out->len)
                buf_addch(out, ' ');
            buf_add(out, said, len);
        }
        said += len + (said[len] == '\n');
    }
}

/* On one line; when it is long its end, because what failed stands at the end of a traceback. */
static void add_words(struct buf *out, const char *said)
{
    struct buf line;
    buf_init(&line, ALL_MAX);
    add_lines(&line, said, false);
    if (!line.len)
        add_lines(&line, said, true);
    const char *text = buf_str(&line);
    size_t len = line.len;
    while (len && strchr("\t ", text[len - 1]))
        len--;
    const char *from = len > WORDS_MAX ? text + len - WORDS_MAX : text;
    while (((unsigned char)*from & 0xC0) == 0x80)
        from++;
    from += strspn(from, "\t ");
    if (from < text + len)
        buf_add(out, from, (size_t)(text + len - from));
    buf_release(&line);
}

/* ---- missing permissions ---- */

/* What stands in SAID between BEFORE and the first of AFTER; false when BEFORE does not. */
static bool cut(const char *said, const char *before, const char *after, char *out, size_t size)
{
    const char *at = strstr(said, before);
    if (!at)
        return false;
    at += strlen(before);
    size_t len = strcspn(at, after);
    snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), at);
    return true;
}

static void end_at(char *text, const char *mark)
{
    char *at = strstr(text, mark);
    if (at)
        *at = '\0';
}

/* "User: ARN is not authorized to perform: ec2:X on resource: R because ..." */
static bool add_aws_permission(struct buf *out, const char *const *argv, const char *said)
{
    char action[120], resource[240] = "", user[240] = "";
    bool refused = strstr(said, "(AccessDenied") || strstr(said, "(UnauthorizedOperation)");
    if (cut(said, "is not authorized to perform: ", " \n", action, sizeof action)) {
        cut(said, "on resource: ", "\n", resource, sizeof resource);
        end_at(resource, " because ");
        end_at(resource, " with an explicit ");
        cut(said, "User: ", " \n", user, sizeof user);
    } else if (refused && cut(said, "when calling the ", " ", user, sizeof user)) {
        bool balancer = str_equal(argv[1], "elbv2");
        snprintf(action, sizeof action, "%s:%.90s", balancer ? "elasticloadbalancing" : argv[1],
                 user);
        *user = '\0';
    } else {
        return false;
    }
    buf_addf(out, "permission missing: %s", action);
    if (*resource)
        buf_addf(out, " on %s", resource);
    if (*user)
        buf_addf(out, ", for %s", user);
    if (strstr(said, "explicit deny"))
        buf_adds(out, "; a policy denies it explicitly");
    return true;
}

/* `User "U" cannot get resource "nodes" in API group "" at the cluster scope` */
static bool add_kube_permission(struct buf *out, const char *said)
{
    char verb[40], resource[120], group[120] = "", namespace[256] = "", user[240] = "";
    if (!strstr(said, "forbidden") || !cut(said, " cannot ", " ", verb, sizeof verb) ||
        !cut(said, " resource \"", "\"", resource, sizeof resource))
        return false;
    cut(said, "API group \"", "\"", group, sizeof group);
    cut(said, "User \"", "\"", user, sizeof user);
    buf_addf(out, "permission missing: %s %s%s%s", verb, resource, *group ? "." : "", group);
    if (cut(said, "in the namespace \"", "\"", namespace, sizeof namespace))
        buf_addf(out, " in namespace %s", namespace);
    else
        buf_adds(out, " at the cluster scope");
    if (*user)
        buf_addf(out, ", for user %s", user);
    return true;
}

/* ---- the meaning ---- */

static const struct meaning *meaning_of(const char *program, const char *said)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].program, program) == 0 && strstr(said, meanings[i].text))
            return &meanings[i];
    return NULL;
}

void follow_said(const char *const *argv, const char *said, int status, struct follow_said *out)
{
    bool aws = str_equal(argv[0], "aws");
    const struct meaning *meaning = meaning_of(argv[0], said);
    struct buf text;
    buf_init(&text, sizeof out->text - 1);
    out->failure = meaning ? meaning->failure : FOLLOW_OTHER;
    if (!meaning &&
        (aws ? add_aws_permission(&text, argv, said) : add_kube_permission(&text, said))) {
        out->failure = FOLLOW_DENIED;
    } else {
        bool advised = meaning && meaning->advice;
        if (advised)
            buf_addf(&text, "%s (%s: ", meaning->advice, argv[0]);
        add_words(&text, said);
        buf_adds(&text, advised ? ")" : "");
    }
    if (!text.len)
        buf_addf(&text, "failed without a word (exit status %d)", status);
    str_to_utf8(out->text, sizeof out->text, buf_str(&text), text.len);
    buf_release(&text);
}
