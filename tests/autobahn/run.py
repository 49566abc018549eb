"""Runs the conformance suite against a gateway, without TLS and with it, and writes RESULTS.md. `cargo xtask autobahn` calls it.

    run.py GATEWAY_BINARY KOSOKU REPORTS
"""

import collections
import datetime
import json
import pathlib
import re
import shutil
import subprocess
import sys

import relay
import tls

GROUPS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closes",
    "9": "large and many messages",
    "10": "automatic fragmentation",
}
# Cases that must fail, and why that is allowed.
EXPLAINED = {
    "2.10": "of ten pings at once the newest is answered, which RFC 6455, section 5.5.3, allows",
    "2.11": "the same, with pings in pieces of one byte",
}
LIMIT_S = 1_800
# The largest messages of group 9 have 16 MiB.
PAYLOAD_BYTES = 17_000_000


def port_of(gateway):
    for line in gateway.stdout:
        if found := re.search(r"https?://127\.0\.0\.1:(\d+)/", line):
            return int(found[1])
    sys.exit("the gateway ended")


def run(binary, kosoku, reports, certificate):
    command = [binary, "serve", "--port", "0", "--auth", "none", "--payload-bytes", str(PAYLOAD_BYTES)]
    if certificate:
        command += ["--tls-cert", certificate[0], "--tls-key", certificate[1]]
    pipe = subprocess.PIPE
    gateway = subprocess.Popen(command, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    try:
        port = port_of(gateway)
        port = relay.start(tls.start(port, certificate[0]) if certificate else port)
        groups = [word for group in GROUPS for word in ("-i", f"{group}.*")]
        # It fails when a case fails; the reports say which.
        subprocess.run([kosoku, *groups, "-o", reports, f"127.0.0.1:{port}"], timeout=LIMIT_S, check=False)
    finally:
        gateway.kill()
        gateway.wait()


def judge(reports):
    """Counts the outcomes of each group; returns them, and the cases that failed and the groups without cases."""
    counts, bad = collections.defaultdict(collections.Counter), []
    for path in reports.glob("*_case_*.json"):
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
    bad += [f"{group}: no case ran" for group in GROUPS if not counts[group]]
    return counts, bad


def table(counts):
    kinds = ["ok", "non-strict", "informational", "explained", "failed"]
    lines = [f"| group | {' | '.join(kinds)} |", f"|---|{'---|' * len(kinds)}"]
    for group, title in GROUPS.items():
        row = " | ".join(str(counts[group][kind]) for kind in kinds)
        lines.append(f"| {group} {title} | {row} |")
    return "\n".join(lines)


PAGE = pathlib.Path(__file__).with_name("RESULTS.md")


def write(heading, text):
    """Puts the table in place of the first one below that heading."""
    old = PAGE.read_text()
    start = old.index("| group", old.index(heading))
    PAGE.write_text(old[:start] + text + old[old.index("\n\n", start) :])


def commit():
    """Returns the commit of the tested tree: to be called before the results change that tree."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=8"]
    return subprocess.run(command, cwd=PAGE.parent, capture_output=True, text=True, check=True).stdout.strip()


def write_date(commit):
    today = datetime.date.today()
    line = f"Last run: {today.day} {today:%B %Y}, commit {commit}."
    PAGE.write_text(re.sub("^Last run: .*$", line, PAGE.read_text(), flags=re.MULTILINE))


def main():
    binary, kosoku, reports = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    tested = commit()
    failed = []
    for heading, name in (("## Without TLS", "plain"), ("## By TLS", "tls")):
        folder = reports / name
        shutil.rmtree(folder, ignore_errors=True)
        run(binary, kosoku, folder, tls.certificate(reports / "certificate") if name == "tls" else None)
        counts, bad = judge(folder)
        write(heading, table(counts))
        print(f"{heading}\n{table(counts)}")
        failed += [f"{case} ({name})" for case in sorted(bad)]
    write_date(tested)
    if failed:
        sys.exit(f"not as the protocol has it: {', '.join(failed)}")


main()
