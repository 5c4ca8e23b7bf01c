/* Source: words that identify nobody. Names are pseudonymised word by word, and these stay: the words
 * of Envoy, Kubernetes and AWS, of roles and stages, and what an ordinary sentence is made of.
 * Deliberately long: a word too many stays readable, a word too few makes a report harder to read. */
#include "source/identity_words.h"

#include <stdint.h>
#include <string.h>

static const char words[] =
    " abandoned abort accepted accepting access account accounts acl acls acm action actions"
    " active add added addr address addresses admin administrator admins ads aes afs after again"
    " agent agents alb alert alerts all allocated allow allowed alpha alpine also alt amazon"
    " amazonaws amazonlinux ambassador amd64 america amzn and annotations anon anonymous another"
    " any apache api apigateway apis apn apne app application applications appmesh apps apse"
    " architecture are arg args argument arguments arm64 arn arns arpa asg asia asked assertion"
    " assign assignment association associations assume assumed async attached attachment"
    " attachments attempt attempts attributes aud audit auth authenticated authn authority"
    " authorized authz autoscaling availability avg aws awslogs awsvpc back backed backend"
    " backends backoff bad balancer balancers balancing base batch beanstalk bedrock before begin"
    " beta bin bind bindings biz blackhole block blue body boot bootstrap both boundary breaker"
    " breakers bridge broken bug build bundle bytes cac cache cached caddy can canary cancelled"
    " cannot cap capabilities capacity cassandra category cds centos central cert certificate"
    " certificates certs cfg chain chains change channel check checks cidr cilium ciphers circuit"
    " citadel clickhouse client clients close closed cloudformation cloudfront cloudhsm cloudmap"
    " cloudtrail cloudwatch cluster clusters code codebuild codec codecommit codedeploy"
    " codepipeline codes cognito collector com command common compatibilities compilation complete"
    " completed component compute concurrency condition conditions conf config configmap"
    " configmaps configs configuration connect connected connection connections consul container"
    " containerd containers context contour control cookie cookies copy core corp could count cpu"
    " cpuset create created creation credential creds critical cron cross crt csr current curves"
    " daemon daemonset darwin data database databases datadog date dax days dead debian debrief"
    " debug default defaults deferred definition definitions degraded del delay delayed delete"
    " delta demo denied deny depends deployment deployments deprecated description descriptions"
    " descriptor desired destination destroy detail details detection dev develop development"
    " digest dir direct direction directly directory disable disabled discovery disk dkr dns docdb"
    " docker docker0 document domain domains downstream drain drained draining driver drop dropped"
    " dst dualstack dump dumps duration dynamic dynamodb each east eastwestgateway ebs ec2messages"
    " ecdhe ecdsa ecr ecs edge eds edu effect efs egress egressgateway eight eject eks elasticache"
    " elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce elasticsearch elb"
    " eligibility emissary empty emr enable enabled encryption end endpoint endpoints enforce"
    " enforced ens entries entry env environment environments envoy envoyproxy epoch epochs equals"
    " error errors essential etc etcd eth europe euw event eventbridge events every exact example"
    " examples exceeded excluded exec execute execution executionrole exists exit expiration"
    " expiring explicit exponential expressions extension extensions external factor factory fail"
    " failed failing failure failures fallback false family fargate fatal fault feature features"
    " federated fetch field fields file filebeat filename files filesystem filter filters finding"
    " findings fine finished fips firehose first five fixed flood flow fluent fluentbit fluentd"
    " flush flushed flushes folder follower for forbidden forced format found four frames free"
    " from front frontend fsx ftp full galley gamma gateway gatewayroute gateways gcm generation"
    " generator generic get gid glacier global gloo glue gmbh goaway google gov grace grafana"
    " grain grant green group groups grpc guardduty guest guid had handshake haproxy has hash"
    " hashicorp have head header headers health healthy heap here high home host hostname hosts"
    " hot how html http http1 http2 http3 httpd https iam identifier idle ids iface ignore igw"
    " image images imds inbound inc info ingress ingressgateway init initial initialization"
    " initializing inject injection injector inline inspector instance instanceprofile instances"
    " int interface interfaces intermediate internal interval into intranet invalid involved ips"
    " ipv ipv4 ipv6 iso istio istiod items jaeger job jobs json july june jwt kafka keepalive key"
    " keys kill killed kind kinesis kms kube kubeconfig kubectl kubelet kubernetes kubesystem kuma"
    " label labels lambda lan large last latest launch layer layered layers lds leader least left"
    " length less level lex lib library lightsail limit limits line linkerd linux list listener"
    " listeners listening live liveness llc load local localdomain localhost locality location log"
    " logger logging login logout logs logstash loki lookups ltd mac machine main maintenance"
    " major managed managedblockchain management manager map mapping mappings mariadb master match"
    " matcher max maximum may mega mem membership memcached memory merge mes mesh meshes message"
    " messaging metadata method metric metrics middle might mil min minimum minor mirror miss"
    " missing mixer mnt mode modified mongo mongodb monitor monitoring monitors more most move msk"
    " mtls must mutability mutex mysql name names namespace namespaces nat neptune net network new"
    " next nghttp nginx nil nine nlb nobody node nodes nomad non nonce none nonprod normalization"
    " normalized north northeast northwest not notice notifications notify ntp null num number"
    " oauth object observability observed ocsp off oghttp oidc okay old omitted once one only onto"
    " oom open opensearch opentelemetry operating operator operators opt options org"
    " organizations origin original otel other out outbound outlier output over overflow overload"
    " overloaded overprovisioning override overrides own owner pageheap pairs panic param"
    " parameter parameters params parent pass passed passive passthrough patch path paths paused"
    " peering pem pending per percent period permission permissions phase physical pid pilot"
    " pinned pipes pkce place plain plane platform pod pods policies policy pool port ports post"
    " postgres postgresql power poweruser pre preconnect predicate prefix premature preprod"
    " preproduction pressure prev previous primary principal priority private privatelink"
    " privileged probe proc process prod production profile profiles prometheus prometheusscrape"
    " propagating properties protocol protos provider providers proxies proxy public pull pushed"
    " put query queue quic rabbitmq random range ranges rate ratelimited rds reached read"
    " readiness reading readonly ready reason rebuild recalculate receive received recent recv"
    " redacted redirect redirected redirects redis redshift ref refresh refused region registry"
    " reinits reject rejected relative release released reload remote remove removed renewal"
    " reopen replica replicas replicaset reply repo report repos repositories repository request"
    " requests requires reset resets resolutions resolve resolver resolvers resource resources"
    " response responses restart restarting result resumed retriable retries retry reused rev"
    " revision ring role roles root rotation route route53 router routers routes routing rtt rule"
    " rules run running runtime sae sagemaker same saml sample sampled sampling san sandbox save"
    " scale schedule scheduler schema scheme scoped sds secondary seconds secp secret secrets"
    " secretsmanager security securityhub seen selected selection selector send sent serial server"
    " servers service serviceaccount serviceaccounts servicecatalog servicediscovery services"
    " serving ses session sessions set setting settings seven sha shadow shared should shrink"
    " shutdown sid sidecar sigalgs since single sit six size skip skipped slave sleep small smtp"
    " sni sns sock socket sockets soft some sotw source south southeast southwest spec sqs srv ssh"
    " ssl ssm ssmmessages sso stable stacktrace stage staging stale standby staple start started"
    " startup stat state statefulset statement states static stats statsd status statuses"
    " stepfunctions stop stopped stopping strategy streak stream streams string structures sts sub"
    " subject subnet subnets subsets succeeded success successful such sum supported svc swf sys"
    " system table tables tag tags target targets task taskrole tasks tcmalloc tcp team teams"
    " telemetry temp template tempo temporary ten terminated terminating test testing tests text"
    " textract tgw than that the then there these this those thread threads three threshold"
    " thresholds through time timeout timeouts timer timestamp tls tmp too total trace traceable"
    " traces tracing traefik traffic trailers transfer transit transport triggers true trust"
    " trusted try two type typed types uat ubuntu udp uid unauthenticated unauthorized unavailable"
    " under underscores unhealthy unix unknown unmapped unnamed unready unsafe until update"
    " updated updates upgrades upstream upstreams uptime uri url urls usage use user username"
    " users usr usw uuid valid validation value values var variable variables vars vault verify"
    " version versions very veth vgateway vgws vhds via virtual virtualgateway virtualinbound"
    " virtualnode virtualoutbound virtualrouter virtualservice vnode volume volumes vpc vpce"
    " vrouter vservice waf wafv2 wait waiting warming warn warning warnings was watchdog web"
    " webhook webhooks weight were west what when where which who why will window windows wip with"
    " worker workers workspaces would write www x86 xds xml xray yaml yes zero zipkin zone zones"
    " zookeeper k8s eksctl ec2 s3 x86 ";

enum { SLOTS = 8192 };

static uint32_t hash_of(const char *word, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)word[i]) * 16777619u;
    return hash % SLOTS;
}

/* Where each word begins in WORDS, by its hash; 0 is free. Made when it is first asked. */
static uint16_t slots[SLOTS];

static uint32_t slot_of(const char *word, size_t len)
{
    uint32_t slot = hash_of(word, len);
    while (slots[slot] &&
           (strncmp(words + slots[slot], word, len) != 0 || words[slots[slot] + len] != ' '))
        slot = (slot + 1) % SLOTS;
    return slot;
}

static void fill(void)
{
    _Static_assert(sizeof words < UINT16_MAX, "a place fits into a slot");
    for (const char *at = words + 1; *at; at += strcspn(at, " ") + 1)
        slots[slot_of(at, strcspn(at, " "))] = (uint16_t)(at - words);
}

bool identity_word_is_plain(const char *word)
{
    static bool filled;
    size_t len = strlen(word);
    if (!filled)
        fill();
    filled = true;
    return len && slots[slot_of(word, len)];
}
