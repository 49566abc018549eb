"""Runs the conformance suite against a gateway and writes RESULTS.md. `cargo xtask autobahn` calls it.

    run.py GATEWAY_BINARY KOSOKU REPORTS
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

import relay

GROUPS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closes",
    "10": "automatic fragmentation",
}
# Cases that must fail, and why that is allowed.
EXPLAINED = {
    "2.10": "of ten pings at once the newest is answered, which RFC 6455, section 5.5.3, allows",
    "2.11": "the same, with pings in pieces of one byte",
}
LIMIT_S = 600


def port_of(gateway):
    for line in gateway.stdout:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
            return int(found[1])
    sys.exit("the gateway ended")


def run(binary, kosoku, reports):
    command = [binary, "serve", "--port", "0", "--auth", "none"]
    pipe = subprocess.PIPE
    gateway = subprocess.Popen(command, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    try:
        port = relay.start(port_of(gateway))
        groups = [word for group in GROUPS for word in ("-i", f"{group}.*")]
        # It fails when a case fails; the reports say which.
        subprocess.run([kosoku, *groups, "-o", reports, f"127.0.0.1:{port}"], timeout=LIMIT_S, check=False)
    finally:
        gateway.kill()
        gateway.wait()


def main():
    binary, kosoku, reports = sys.argv[1:]
    run(binary, kosoku, reports)
    counts, bad = collections.defaultdict(collections.Counter), []
    for path in pathlib.Path(reports).glob("*_case_*.json"):
        case = json.loads(path.read_text())
        behaviour = {case["behavior"], case["behaviorClose"]} - {"OK"}
        is_good = behaviour <= {"NON-STRICT", "INFORMATIONAL"}
        kind = "ok"
        if not is_good:
            kind = "explained" if case["id"] in EXPLAINED else "failed"
        elif behaviour:
            kind = min(behaviour).lower()
        if kind == "failed":
            bad.append(case["id"])
        counts[case["id"].split(".")[0]][kind] += 1
    kinds = ["ok", "non-strict", "informational", "explained", "failed"]
    lines = [f"| group | {' | '.join(kinds)} |", f"|---|{'---|' * len(kinds)}"]
    for group, title in GROUPS.items():
        row = " | ".join(str(counts[group][kind]) for kind in kinds)
        lines.append(f"| {group} {title} | {row} |")
    page = pathlib.Path(__file__).with_name("RESULTS.md")
    text = page.read_text()
    start, end = text.index("| group"), text.index("\n\n", text.index("| group"))
    page.write_text(text[:start] + "\n".join(lines) + text[end:])
    print("\n".join(lines))
    if bad or not counts:
        sys.exit(f"not as the protocol has it: {', '.join(sorted(bad)) or 'no case ran'}")


main()
