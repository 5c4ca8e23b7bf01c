/* Section low-ports, the remedies. Reads where the proxy runs; writes fix steps and questions. Holds the
 * knowledge of which way of granting a port works on which platform, and which only seems to. */
#include "fixes.h"
#include <string.h>

enum platform { ANY, ECS, KUBERNETES, COMPOSE, HOST };

static enum platform platform_in(struct debrief_ctx *ctx, const char *name)
{
    DEBRIEF_EACH (ctx, name, record) {
        const char *platform = debrief_text(ctx, record, "platform");
        if (platform)
            return strcmp(platform, "ecs") == 0          ? ECS
                   : strcmp(platform, "kubernetes") == 0 ? KUBERNETES
                   : strcmp(platform, "compose") == 0    ? COMPOSE
                                                         : HOST;
    }
    return ANY;
}

static enum platform platform_of(struct debrief_ctx *ctx)
{
    static const char *const names[] = {"containers", "container_status", "proxy"};
    enum platform platform = ANY;
    for (size_t i = 0; i < sizeof names / sizeof *names && platform == ANY; i++)
        platform = platform_in(ctx, names[i]);
    return platform;
}

/* A pod or task on the host's network cannot have a limit of its own. */
static bool on_host_network(struct debrief_ctx *ctx)
{
    DEBRIEF_EACH (ctx, "containers", record) {
        const char *host = debrief_text(ctx, record, "host_network");
        if (host && strcmp(host, "yes") == 0)
            return true;
    }
    return false;
}

static bool on_fargate(struct debrief_ctx *ctx)
{
    static const char *const names[] = {"containers", "container_status"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        DEBRIEF_EACH (ctx, names[i], record) {
            const char *type = debrief_text(ctx, record, "launch_type");
            if (type && strcmp(type, "FARGATE") == 0)
                return true;
        }
    }
    return false;
}

static void fix_kubernetes(struct debrief_ctx *ctx, struct debrief_finding *finding)
{
    debrief_snippet(ctx, finding,
                    "Kubernetes: let every user bind low ports in this pod's own network namespace "
                    "(a safe sysctl since 1.22)",
                    "pod.yaml",
                    "spec:\n"
                    "  securityContext:\n"
                    "    sysctls:\n"
                    "    - name: net.ipv4.ip_unprivileged_port_start\n"
                    "      value: \"0\"\n");
    debrief_reference(ctx, finding,
                      "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/");
}

static void fix_ecs(struct debrief_ctx *ctx, struct debrief_finding *finding)
{
    debrief_snippet(
        ctx, finding,
        "ECS: let every user bind low ports in this task's own network namespace "
        "(network mode awsvpc or bridge; on Fargate from platform version 1.4.0)",
        "task-definition.json",
        "\"containerDefinitions\": [ {\n"
        "  \"systemControls\": [\n"
        "    { \"namespace\": \"net.ipv4.ip_unprivileged_port_start\", \"value\": \"0\" }\n"
        "  ]\n"
        "} ]\n");
    debrief_reference(
        ctx, finding,
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html");
}

static void fix_host(struct debrief_ctx *ctx, struct debrief_finding *finding, int port,
                     bool compose, bool own_network)
{
    char command[128];
    snprintf(command, sizeof command, "sysctl -w net.ipv4.ip_unprivileged_port_start=%d", port);
    if (compose) {
        debrief_advise(ctx, finding,
                       "run the container as root: Envoy's own image takes the user from ENVOY_UID "
                       "(environment: ENVOY_UID: \"0\"), other images from user: \"0\"",
                       NULL);
        debrief_advise(ctx, finding,
                       own_network ? "or let every user bind low ports in the container (compose: "
                                     "sysctls: net.ipv4.ip_unprivileged_port_start: 0)"
                                   : "or lower the limit on the host, whose network it uses; the "
                                     "setting ends with the next boot unless it stands in "
                                     "/etc/sysctl.d",
                       own_network ? NULL : command);
        return;
    }
    debrief_snippet(
        ctx, finding,
        "plain host: have the service manager give the capability to the process itself",
        "/etc/systemd/system/envoy.service.d/ports.conf",
        "[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n");
    debrief_advise(ctx, finding, "or lower the limit on the host", command);
    if (own_network)
        debrief_advise(ctx, finding, "or, in a container of its own network",
                       "docker run --sysctl net.ipv4.ip_unprivileged_port_start=0 ...");
}

/* Moving the port works everywhere and needs nobody's leave. */
static void fix_move(struct debrief_ctx *ctx, struct debrief_finding *finding, int port,
                     enum platform platform, bool own_network)
{
    static const char *const where[] = {
        [ANY] = "targetPort of the Service, the load balancer's target group, docker -p",
        [ECS] = "the load balancer's target group",
        [KUBERNETES] = "targetPort of the Service",
        [COMPOSE] = "ports: of the service",
        [HOST] = "a load balancer or a redirect of the firewall"};
    char text[320];
    bool shared = platform == COMPOSE && !own_network;
    snprintf(text, sizeof text,
             "or listen on a port from 1024 on, such as %d, and map %d to it where clients enter "
             "(%s)",
             8000 + port % 1000, port,
             shared ? "ports: of the service, without network_mode: host" : where[platform]);
    debrief_advise(ctx, finding, text, NULL);
}

static void fix_root(struct debrief_ctx *ctx, struct debrief_finding *finding,
                     enum platform platform)
{
    char text[240];
    snprintf(text, sizeof text,
             "or run this container as root (%s); a gateway has no traffic redirection that needs "
             "the proxy's user id",
             platform == KUBERNETES ? "runAsUser: 0"
             : platform == ECS      ? "\"user\": \"0\""
                                    : "Kubernetes runAsUser: 0, ECS \"user\": \"0\", Envoy's own "
                                      "image ENVOY_UID=0");
    debrief_advise(ctx, finding, text, NULL);
}

static void fix_image(struct debrief_ctx *ctx, struct debrief_finding *finding,
                      enum platform platform, bool fargate)
{
    static const char *const add[] = {[ANY] = "ECS linuxParameters, Kubernetes capabilities.add",
                                      [ECS] = "linuxParameters",
                                      [KUBERNETES] = "capabilities.add",
                                      [COMPOSE] = "cap_add",
                                      [HOST] = "docker --cap-add"};
    char text[240];
    debrief_snippet(ctx, finding, "or give the binary the file capability in an image of your own",
                    "Dockerfile", "RUN setcap cap_net_bind_service=+ep /usr/local/bin/envoy\n");
    snprintf(text, sizeof text,
             "adding NET_BIND_SERVICE to the container (%s) is no way: a process of a non-root "
             "user does not receive it",
             add[platform]);
    debrief_advise(ctx, finding,
                   fargate ? "adding the capability to the task definition is no way: Fargate "
                             "refuses it, and a non-root user would not receive it"
                           : text,
                   NULL);
}

void fixes_privilege(struct debrief_ctx *ctx, struct debrief_finding *finding, int port)
{
    enum platform platform = platform_of(ctx);
    bool own_network = !on_host_network(ctx);
    if (own_network && (platform == KUBERNETES || platform == ANY))
        fix_kubernetes(ctx, finding);
    if (own_network && (platform == ECS || platform == ANY))
        fix_ecs(ctx, finding);
    if (platform == HOST || platform == COMPOSE || platform == ANY || !own_network)
        fix_host(ctx, finding, port, platform == COMPOSE, own_network);
    fix_move(ctx, finding, port, platform, own_network);
    if (platform != COMPOSE)
        fix_root(ctx, finding, platform);
    fix_image(ctx, finding, platform, on_fargate(ctx));
    debrief_reference(ctx, finding, "https://man7.org/linux/man-pages/man7/capabilities.7.html");
    debrief_reference(ctx, finding,
                      "https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html");
}

void fixes_in_use(struct debrief_ctx *ctx, struct debrief_finding *finding, int port, bool admin)
{
    char command[96];
    snprintf(command, sizeof command, "ss -ltnp 'sport = :%d'", port);
    debrief_advise(
        ctx, finding,
        "see who holds the port, in the proxy's network namespace (all containers of a pod "
        "or of an awsvpc task share one)",
        command);
    if (admin)
        debrief_advise(
            ctx, finding,
            "end the other process, or give this proxy another admin port: admin.address "
            "in the bootstrap, ENVOY_ADMIN_ACCESS_PORT for the App Mesh image, "
            "proxyAdminPort for Istio",
            NULL);
    else
        debrief_advise(ctx, finding,
                       "end the other process, or move one of the two to another port: no two "
                       "listeners, containers or proxies may share an address",
                       NULL);
    debrief_reference(ctx, finding, "https://www.envoyproxy.io/docs/envoy/latest/operations/admin");
}

void fixes_unavailable(struct debrief_ctx *ctx, struct debrief_finding *finding, bool v6)
{
    debrief_advise(ctx, finding, "see which addresses this host has", "ip -brief address");
    debrief_advise(ctx, finding,
                   v6 ? "let the listener bind 0.0.0.0, or switch IPv6 on in the proxy's network "
                        "namespace"
                      : "let the listener bind 0.0.0.0, or an address that the host has",
                   v6 ? "sysctl net.ipv6.conf.all.disable_ipv6" : NULL);
    debrief_reference(
        ctx, finding,
        "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/address.proto");
}

/* ---- questions ---- */

void fixes_ask_process(struct debrief_ctx *ctx)
{
    debrief_ask(ctx, "host.process",
                "the user and the capabilities (CapEff, CapBnd) of the process and "
                "net.ipv4.ip_unprivileged_port_start tell which of the remedies is missing",
                "@inside cat /proc/1/status /proc/sys/net/ipv4/ip_unprivileged_port_start@");
}

void fixes_ask_sockets(struct debrief_ctx *ctx, int port)
{
    char how[160];
    snprintf(how, sizeof how,
             "ss -ltnp 'sport = :%d' > sockets.txt as root in the proxy's network namespace, then "
             "--evidence sockets.txt",
             port);
    debrief_ask(ctx, "host.sockets", "it names the process that holds the port", how);
}

void fixes_ask_reason(struct debrief_ctx *ctx)
{
    debrief_ask(
        ctx, "log.bind_failed",
        "listener_create_failure says that a listener could not be made; its reason stands in "
        "the log and in the listener's error_state",
        "@log@; or curl -s 'http://ADMIN/config_dump?resource=dynamic_listeners'");
}

void fixes_ask_log(struct debrief_ctx *ctx)
{
    debrief_ask(ctx, "log.bind_failed",
                "a manifest does not say whether the proxy could bind its ports",
                "@log@; or @debrief@");
}
