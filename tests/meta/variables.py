"""variables.py TOP: the manual of envoy-image lists the variables as the check knows them, and the registries as
the program does."""
import pathlib
import re
import sys

top = pathlib.Path(sys.argv[1])
manual = (top / "plugins/envoy-image/README.md").read_text()
check = (top / "plugins/envoy-image/envoy-image.lua").read_text()
registry = (top / "core/source/published.c").read_text()

known = re.findall(r'^  \{ "(.*?)", "(.*?)", "(.*?)", "(.*?)", "(.*?)", "(.*?)" \},$', check, re.M)
told = [tuple(cell.strip() for cell in line.strip("|").replace("`", "").split("|"))
        for line in manual.splitlines() if re.match(r"\| `[A-Z]", line)]
problems = [f"variables: {row} stands on one side only" for row in sorted(set(known) ^ set(told))]
if len({row[0] for row in known}) != len(known) or len(known) < 80:
    problems.append(f"variables: {len(known)} rows, or one twice")

accounts = {(region.replace("*", "all others"), account)
            for region, account in re.findall(r'\{"([a-z0-9*-]+)", "(\d{12})"\}', registry)}
rows = set(re.findall(r"^\| ([a-z0-9 -]+?) \| (\d{12}) \|$", manual, re.M))
problems += [f"registries: {row} stands on one side only" for row in sorted(accounts ^ rows)]

for problem in problems:
    print(problem)
print(f"{len(known)} variables, {len(accounts)} registries, {len(problems)} problems")
sys.exit(1 if problems or not accounts else 0)
