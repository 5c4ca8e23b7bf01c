/* Section lb-health, the remedies: fix steps and questions. Knows the commands; decides nothing. */
#include "lb-health.h"
#include <string.h>

/* Names come from evidence and go into commands that people paste: nothing but names may pass. */
static const char *safe(const char *text, const char *fallback)
{
    static const char names[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-";
    return text && *text && strspn(text, names) == strlen(text) ? text : fallback;
}

/* aws elbv2 modify-target-group ... OPTIONS */
static void modify(struct lb *lb, struct debrief_finding *finding, const char *text,
                   const char *options)
{
    const char *arn = safe(lb_group(lb, "arn"), "ARN");
    char command[512];
    snprintf(command, sizeof command, "aws elbv2 modify-target-group --target-group-arn %s %s", arn,
             options);
    debrief_advise(lb->ctx, finding, text, command);
}

/* Target groups of network load balancers can check by TCP, those of application ones cannot. */
static bool may_check_tcp(struct lb *lb)
{
    const char *protocol = lb_group(lb, "protocol");
    return !protocol || strncmp(protocol, "HTTP", 4) != 0;
}

void advice_wrong_host(struct lb *lb, struct debrief_finding *finding, const struct trouble *t)
{
    bool tcp = may_check_tcp(lb);
    if (tcp)
        modify(
            lb, finding,
            "check the gateway by TCP (network load balancer): the check then proves the listener "
            "and does not depend on routes",
            "--health-check-protocol TCP");
    char content[900];
    snprintf(content, sizeof content,
             "virtual_hosts:\n"
             "- name: health\n"
             "  domains: [\"*\"]\n"
             "  routes:\n"
             "  - match: { path: \"%.400s\" }\n"
             "    direct_response: { status: 200 }\n",
             safe(t->path, "/ping"));
    debrief_snippet(
        lb->ctx, finding,
        "or serve the check's path for any host: load balancers send the target's address "
        "as Host and cannot send another",
        "routes.yaml", content);
}

void advice_wrong_path(struct lb *lb, struct debrief_finding *finding, const struct trouble *t)
{
    modify(lb, finding, "check a path that is served", "--health-check-path PATH");
    char text[700];
    snprintf(text, sizeof text, "or add a route for %.500s",
             *t->path ? t->path : "the check's path");
    debrief_advise(lb->ctx, finding, text, NULL);
}

void advice_redirect(struct lb *lb, struct debrief_finding *finding, const struct trouble *t)
{
    char command[900];
    snprintf(command, sizeof command, "curl -sI http://%s%s | grep -i location",
             safe(t->target, "TARGET:PORT"), safe(t->path, "/PATH"));
    debrief_advise(lb->ctx, finding, "see where it leads", command);
    modify(lb, finding, "check the page that it leads to", "--health-check-path PATH");
    modify(lb, finding,
           "or count the code as healthy; where it leads to https, check by HTTPS instead",
           t->code == 302 ? "--matcher HttpCode=200,302" : "--matcher HttpCode=200-399");
}

void advice_backend(struct lb *lb, struct debrief_finding *finding, const char *cluster)
{
    char text[400];
    snprintf(text, sizeof text,
             "the proxy itself answers; see why %s%.200s%s has no host that can serve",
             cluster ? "cluster '" : "the backend", cluster ? cluster : "", cluster ? "'" : "");
    debrief_advise(lb->ctx, finding, text, "curl -s http://ADMIN/clusters");
    debrief_advise(
        lb->ctx, finding,
        "if the application is merely slow to start, give it time (ECS health check grace "
        "period, a longer interval)",
        NULL);
}

void advice_port(struct lb *lb, struct debrief_finding *finding, const struct trouble *t, int port)
{
    char options[64], text[160];
    snprintf(options, sizeof options, "--health-check-port %d", port);
    modify(lb, finding, "check a port on which the proxy listens", options);
    snprintf(text, sizeof text,
             "or let the proxy listen on %d, and register targets with the port that serves",
             t->port);
    debrief_advise(lb->ctx, finding, text, NULL);
}

void advice_listener(struct lb *lb, struct debrief_finding *finding)
{
    debrief_advise(
        lb->ctx, finding,
        "see what the proxy was given and what it refused: without a listener the proxy may "
        "still call itself LIVE",
        "curl -s 'http://ADMIN/config_dump?resource=dynamic_listeners'");
    debrief_advise(lb->ctx, finding, "mend what kept the listener away; the check heals by itself",
                   NULL);
}

void advice_protocol(struct lb *lb, struct debrief_finding *finding, const char *protocol)
{
    char options[64];
    if (protocol) {
        snprintf(options, sizeof options, "--health-check-protocol %s", protocol);
        modify(lb, finding,
               "check in the protocol that the listener speaks (the target's certificate is not "
               "verified)",
               options);
    } else {
        debrief_advise(lb->ctx, finding,
                       "make a target group with the protocol version that the listener speaks (it "
                       "cannot be changed later), or let the listener detect it (codec_type: AUTO)",
                       "aws elbv2 create-target-group --protocol-version HTTP1 ...");
    }
}

void advice_gateway(struct lb *lb, struct debrief_finding *finding)
{
    modify(lb, finding, "check the gateway's listener port by TCP, or by TLS where it has TLS",
           "--health-check-protocol TCP");
}

void advice_host_header(struct lb *lb, struct debrief_finding *finding)
{
    debrief_advise(
        lb->ctx, finding,
        "have the monitor send a Host header (F5 and others: add \"Host: NAME\" to the send "
        "string), or check by TCP",
        NULL);
    debrief_advise(
        lb->ctx, finding,
        "if the monitor speaks HTTP/1.0, allow it: http_protocol_options: { accept_http_10: "
        "true, default_host_for_http_10: NAME }",
        NULL);
    debrief_reference(lb->ctx, finding, "https://www.rfc-editor.org/rfc/rfc9112#section-3.2");
}

/* ---- questions ---- */

void advice_ask_routes(struct lb *lb)
{
    debrief_ask(lb->ctx, "admin/config_dump.json",
                "the virtual hosts and routes of that listener decide between a wrong host and a "
                "wrong path",
                "curl -s http://ADMIN/config_dump > config_dump.json, then --evidence");
}

void advice_ask_access_log(struct lb *lb)
{
    debrief_ask(
        lb->ctx, "access.health_check",
        "a line with ELB-HealthChecker and its response flag tells whether the check arrives "
        "and what it meets",
        "the proxy's access log with --evidence FILE");
}

void advice_ask_security_groups(struct lb *lb, const struct trouble *t)
{
    char how[300];
    snprintf(
        how, sizeof how,
        "aws ec2 describe-security-groups --group-ids SG of the target: inbound port %s%d from "
        "the load balancer's security group or subnets",
        t->port ? "" : "of the check ", t->port);
    debrief_ask(lb->ctx, "aws/describe-security-groups.json",
                "a closed port and a silent proxy look the same to the load balancer", how);
}

void advice_ask_listeners(struct lb *lb)
{
    debrief_ask(lb->ctx, "admin/listeners.json",
                "it tells whether anything listens on the checked port",
                "curl -s 'http://ADMIN/listeners?format=json' > listeners.json, then "
                "--evidence");
}

void advice_ask_target_health(struct lb *lb, const struct trouble *t)
{
    char how[800];
    const char *arn = safe(t->arn, "ARN");
    snprintf(how, sizeof how,
             "aws elbv2 describe-target-health --target-group-arn %s --output json > "
             "target-health.json; aws elbv2 describe-target-groups --target-group-arns %s --output "
             "json > target-groups.json; then --evidence for both",
             arn, arn);
    debrief_ask(lb->ctx, "aws/describe-target-health.json",
                "reason, port, path and protocol of the check", how);
}

void advice_ask_headers(struct lb *lb)
{
    debrief_ask(lb->ctx, "access.health_check",
                "the request as the proxy saw it: its headers, or a target group's protocol, tell "
                "which of the causes of a 400 it is",
                "aws elbv2 describe-target-groups --target-group-arns ARN --output json, and the "
                "access log with %REQ(:AUTHORITY)% and %RESPONSE_CODE_DETAILS%");
}
