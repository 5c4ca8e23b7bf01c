"""Saved answers of aws and kubectl alone, no proxy: the incident is concluded, and the finding names the statement or the
rule that decides, and cites it."""
import harness
from harness import Case, debrief

CASES = harness.TOP / "plugins/image-pull/cases"
POLICY, GROUP = "/PolicyDocument/Statement/1", "/SecurityGroups/0/IpPermissionsEgress"
NAMED = [
    ("role-other-resource", "access-denied", "statement 'PullImages' of inline policy 'pull'", "get-role-policy.json", POLICY),
    ("role-explicit-deny", "access-denied", "statement 'NoOtherRepositories' of managed policy 'only-base-images' denies",
     "get-account-authorization-details.json", "/Policies/0/PolicyVersionList/0/Document/Statement/0"),
    ("node-role-without-ecr", "access-denied", "the node's role", "list-attached-role-policies.json", "/AttachedPolicies/0"),
    ("network-closed-group", "network-unreachable", "security group sg-0123456789abcdef0", "describe-security-groups.json",
     GROUP),
    ("network-no-route", "network-unreachable", "route table rtb-0c0ffee0c0ffee0c0", "describe-route-tables.json",
     "/RouteTables/0/Routes"),
    ("network-acl-answers", "network-unreachable", "network ACL acl-0bee5bee5bee5bee5", "describe-network-acls.json",
     "/NetworkAcls/0/Entries/"),
    ("layers-endpoint-policy", "layer-download-blocked", "VPC endpoint vpce-0a5a5a5a5a5a5a5a5",
     "describe-vpc-endpoints.json", "/VpcEndpoints/0/PolicyDocument"),
]


class Deciding(Case):
    def test_what_decides_is_named_and_cited(self):
        for name, slug, words, source, place in NAMED:
            with self.subTest(name):
                result = debrief("check", CASES / name / "evidence", "-o", "json")
                self.assertStatus(result, 3)
                finding = result.target["findings"][0]
                self.assertEqual(finding["id"], "image-pull." + slug)
                self.assertIn(words, finding["message"])
                cited = [(proof["source"], proof["locator"]) for proof in finding["evidence"]]
                self.assertTrue(any(at.endswith(source) and where.startswith(place) for at, where in cited), cited)

    def test_the_bundle_says_the_same(self):
        for name in ("role-explicit-deny", "network-closed-group"):
            bundle = self.dir / f"{name}.tar.gz"
            self.assertStatus(debrief("collect", CASES / name / "evidence", "--bundle", bundle), 0)
            first = debrief("check", CASES / name / "evidence", "-o", "json").target["findings"]
            again = debrief("check", bundle, "-o", "json").target["findings"]
            self.assertEqual([finding["id"] for finding in again], [finding["id"] for finding in first])
            decided = {"statement": "NoOtherRepositories", "group": "sg-0123456789abcdef0"}
            self.assertTrue(any(word in again[0]["message"] for word in decided.values()), again[0]["message"])


harness.main()
