"""What debrief ran: the list that the shims of kubectl and aws keep ($CALLS), against what it may run and what
`--dry-run` announced."""
import re

# Written down a second time, apart from core/collect/command_allowed.c: whoever adds a verb there is asked again here.
READS = re.compile(
    r"aws (acm|appmesh|ec2|ecr|ecs|elbv2|iam|logs|servicediscovery) (describe|list)-[a-z-]+ "
    r"|aws iam get-(role|role-policy|policy|policy-version|instance-profile) "
    r"|aws ecr get-repository-policy |aws ec2 get-managed-prefix-list-entries "
    r"|aws servicediscovery get-(service|namespace) |aws logs filter-log-events "
    r"|kubectl (get|logs|port-forward) ")


def read(path):
    return path.read_text().splitlines() if path.exists() else []


def not_reading(calls):
    return [call for call in calls if not READS.match(call) or "secret" in call.lower()]


def not_announced(calls, dry_run):
    """A line of the dry run fits a call when its words do; `<NAME>` is one word or several, none an option."""
    patterns = []
    for line in dry_run.splitlines():
        line = re.sub(r"^(then|when it is not there): ", "", line)
        line = re.sub(r"--start-time \d+", "--start-time <since>", line)
        parts = [re.escape(part) for part in re.split(r"<[^>]*>", line)]
        patterns.append(re.compile(r"[^-\s]\S*(?: [^-\s]\S*)*".join(parts)))
    return [call for call in calls if not any(pattern.fullmatch(call) for pattern in patterns)]
