//! `BENCHMARKS.md`, from the measured figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::figures::Figures;
use super::lines::lines;
use super::number::with_unit;
use super::targets::{Measured, Whose};

/// Returns the whole page. `notes` is written by hand and is included unchanged.
pub(crate) fn page(measured: &Measured, machine: &str, notes: &str) -> String {
    let mut page = String::from("# Benchmarks\n\n");
    page.push_str(
        "Made by `cargo xtask bench`, which with `--peers` also measures OpenClaw's gateways; do not edit. The notes are in \
         `xtask/benchmarks.md`.\n\n",
    );
    page.push_str("## The machine\n\n");
    page.push_str(machine);
    for note in &measured.ours.notes {
        let _ = writeln!(page, "* {note}");
    }
    page.push_str("\n## Runs\n\nA figure stays on this page until it is measured again.\n\n");
    page.push_str(&runs(measured));
    page.push_str("\n## Targets\n\n");
    page.push_str(&table(measured));
    page.push_str("\n## Curves\n\nCost grows in proportion to the work.\n\n");
    page.push_str(&curve(&measured.ours));
    page.push_str(&rows(&measured.core));
    page.push_str(&side_by_side(&measured.wasm));
    page.push('\n');
    page.push_str(notes.trim_end());
    page.push('\n');
    for (peer, figures) in &measured.peers {
        if !figures.notes.is_empty() {
            let _ = writeln!(page, "\n### Problems with openclaw@{peer}\n");
            for note in &figures.notes {
                let _ = writeln!(page, "* {note}");
            }
        }
    }
    page
}

/// The date and the commit of each run, and what it measured.
fn runs(measured: &Measured) -> String {
    let mut runs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let peers = measured
        .peers
        .iter()
        .map(|(peer, figures)| (format!("openclaw@{peer}"), figures));
    for (name, figures) in std::iter::once(("gateway".to_owned(), &measured.ours)).chain(peers) {
        for (run, scenarios) in figures.runs() {
            let scenarios: Vec<&str> = scenarios.into_iter().collect();
            let what = format!("{name} ({})", scenarios.join(", "));
            runs.entry(run).or_default().push(what);
        }
    }
    for (name, figures) in [("core", &measured.core), ("npm package", &measured.wasm)] {
        for run in figures.runs().into_keys() {
            runs.entry(run).or_default().push(name.to_owned());
        }
    }
    runs.into_iter()
        .map(|(run, what)| format!("* {run}: {}\n", what.join("; ")))
        .collect()
}

/// The table of targets, ours and the others' side by side.
pub(crate) fn table(measured: &Measured) -> String {
    let mut out = String::from("| what |");
    for (peer, _) in &measured.peers {
        let _ = write!(out, " openclaw {peer} |");
    }
    out.push_str(" limit (bare TCP) | ours | target | met |\n|---|");
    out.push_str(&"---:|".repeat(measured.peers.len() + 2));
    out.push_str("---|---|\n");
    for line in lines() {
        let shown = |figures: &Figures| match (line.of)(figures) {
            Some(value) => with_unit(value, line.unit),
            None => "–".to_owned(),
        };
        let own = match line.whose {
            Whose::Gateway => &measured.ours,
            Whose::Core => &measured.core,
            Whose::Wasm => &measured.wasm,
        };
        let _ = write!(out, "| {} |", line.what);
        for (_, figures) in &measured.peers {
            let cell = if line.whose == Whose::Gateway {
                shown(figures)
            } else {
                String::new()
            };
            let _ = write!(out, " {cell} |");
        }
        let limit = line
            .limit
            .and_then(|limit| limit(&measured.ours))
            .map(|value| with_unit(value, line.unit))
            .unwrap_or_default();
        let met = match (line.of)(own).map(|value| line.target.is_met(value)) {
            Some(Some(true)) => "yes",
            Some(Some(false)) => "**no**",
            Some(None) => "",
            None => "not measured",
        };
        let _ = writeln!(
            out,
            " {limit} | {} | {} | {met} |",
            shown(own),
            line.target.shown(line.unit)
        );
    }
    out
}

/// Returns the number of targets that are met, and of all targets.
pub(crate) fn met(measured: &Measured) -> (usize, usize) {
    let verdicts: Vec<bool> = lines()
        .filter_map(|line| {
            let own = match line.whose {
                Whose::Gateway => &measured.ours,
                Whose::Core => &measured.core,
                Whose::Wasm => &measured.wasm,
            };
            line.target.is_met((line.of)(own)?)
        })
        .collect();
    (verdicts.iter().filter(|met| **met).count(), verdicts.len())
}

/// Over the number of connections.
fn curve(ours: &Figures) -> String {
    let mut points: Vec<u64> = ours
        .all()
        .filter_map(|(name, _, _)| name.strip_prefix("curve.")?.split('.').next()?.parse().ok())
        .collect();
    points.sort_unstable();
    points.dedup();
    if points.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "| connections | memory | memory per client | list of 200 rows: time to the last client | time per client | delta of one row: time to the last client | time per client |\n\
         |---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for point in points {
        let cell = |kind: &str, what: &str, scale: f64, unit: &str| {
            ours.value(&format!("curve.{point}.{kind}.{what}"))
                .map_or_else(|| "–".to_owned(), |value| with_unit(value / scale, unit))
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            with_unit(point as f64, ""),
            cell("full", "memory", 1024.0, "MB"),
            cell("full", "per_client", 1.0, "KB"),
            cell("full", "last", 1.0, "ms"),
            cell("full", "each", 1.0, "us"),
            cell("delta", "last", 1.0, "ms"),
            cell("delta", "each", 1.0, "us"),
        );
    }
    out.push('\n');
    out
}

/// Over the number of rows.
fn rows(core: &Figures) -> String {
    let mut groups: Vec<&str> = Vec::new();
    let mut sizes: Vec<u64> = Vec::new();
    for (name, _, _) in core.all() {
        if let Some((group, size)) = name.rsplit_once('.')
            && let Ok(size) = size.parse()
        {
            groups.push(group);
            sizes.push(size);
        }
    }
    groups.dedup();
    sizes.sort_unstable();
    sizes.dedup();
    if groups.is_empty() {
        return String::new();
    }
    let mut out = String::from("| core: time of one operation |");
    for size in &sizes {
        let _ = write!(out, " {} rows |", with_unit(*size as f64, ""));
    }
    let _ = writeln!(out, "\n|---|{}", "---:|".repeat(sizes.len()));
    for group in groups {
        let _ = write!(out, "| {} |", operation(group));
        for size in &sizes {
            let cell = core
                .value(&format!("{group}.{size}"))
                .map_or_else(|| "–".to_owned(), time);
            let _ = write!(out, " {cell} |");
        }
        out.push('\n');
    }
    out
}

/// Names the operation that a group of criterion's measures.
fn operation(group: &str) -> &str {
    match group {
        "delta" => "encode a delta of one changed row",
        "encode" => "encode the list after all rows changed",
        "expire" => "expire a row",
        "hub-beacon" => "handle the frame of a beacon, and answer",
        "hub-system-presence" => "handle the frame of a `system-presence`, and answer",
        "list" => "encode the list after one row changed",
        "touch" => "touch a row",
        "upsert" => "upsert a row",
        "upsert-tracked" => "upsert a row while clients receive deltas",
        other => other,
    }
}

/// The npm package beside plain JavaScript.
fn side_by_side(wasm: &Figures) -> String {
    let names: Vec<&str> = wasm
        .all()
        .filter_map(|(name, _, _)| name.strip_suffix(".ratio"))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\n| npm package: from a frame to the sorted list | WASM | plain JavaScript | ratio |\n|---|---:|---:|---:|\n",
    );
    for name in names {
        let cell = |what: &str| {
            wasm.value(&format!("{name}.{what}"))
                .map_or_else(|| "–".to_owned(), |us| time(us * 1e3))
        };
        let ratio = wasm.value(&format!("{name}.ratio")).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} |",
            cell("wasmUs"),
            cell("plainUs"),
            with_unit(ratio, "x")
        );
    }
    out
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns >= 1e6 => with_unit(ns / 1e6, "ms"),
        ns if ns >= 1e3 => with_unit(ns / 1e3, "us"),
        ns => with_unit(ns, "ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let mut measured = Measured::default();
        measured.ours.set("start.hello", 4.2, "ms");
        measured.ours.set("fanout.last", 25.0, "ms");
        measured.ours.set("fanout.bare", 20.0, "ms");
        measured.ours.set("fanout.ratio", 1.3, "x");
        measured.ours.set("curve.100.full.last", 3.0, "ms");
        measured.ours.set("curve.10000.full.last", 300.0, "ms");
        measured.ours.set_run("2 May 2026, commit b");
        measured.core.set("upsert.200", 400.0, "ns");
        measured.core.set("upsert.1000000", 900.0, "ns");
        measured
            .core
            .set("key of 1,024 units.Greek, sigmas", 4_000.0, "ns");
        measured.core.set("key of 1,024 units.Deseret", 21_000.0, "ns");
        measured.core.set_run("1 May 2026, commit a");
        measured.wasm.set("a list.wasmUs", 1_500.0, "us");
        measured.wasm.set("a list.plainUs", 1_000.0, "us");
        measured.wasm.set("a list.ratio", 1.5, "x");
        measured.wasm.set_run("2 May 2026, commit b");
        let mut peer = Figures::default();
        peer.set("start.hello", 8_000.0, "ms");
        peer.set_run("1 May 2026, commit a");
        measured.peers.push(("2026.9.6".to_owned(), peer));
        measured
    }

    #[test]
    fn the_table_has_limit_peers_ours_and_target() {
        let table = table(&measured());
        let line = |what: &str| {
            table
                .lines()
                .find(|line| line.starts_with(&format!("| {what} ")))
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(
            line("time from the start to the first accepted handshake"),
            "| time from the start to the first accepted handshake | 8,000 ms |  | 4.20 ms | ≤ 10 ms | yes |"
        );
        assert!(
            line("fan-out of a list of 200 rows to 1,000 clients:").contains("| 20 ms | 25 ms |"),
            "{table}"
        );
        assert!(
            line("fan-out of a list: time as a multiple of bare TCP")
                .ends_with("| 1.30 x | ≤ 1.25 x | **no** |")
        );
        assert!(
            line("core: upsert of a row in a list of 1,000,000 rows")
                .ends_with("| 0.90 us | ≤ 1.50 us | yes |")
        );
        assert!(
            line("memory without clients").ends_with("| – | ≤ 6 MB | not measured |"),
            "{table}"
        );
        assert!(
            line("core: key of an id of 1,024 units, in the script that takes the longest")
                .ends_with("| 21 us | ≤ 20 us | **no** |"),
            "{table}"
        );
        assert_eq!(met(&measured()), (3, 5));
    }

    #[test]
    fn the_page_states_the_run_of_each_figure() {
        let page = page(&measured(), "* a machine\n", "");
        let runs = "* 1 May 2026, commit a: openclaw@2026.9.6 (start); core\n\
                    * 2 May 2026, commit b: gateway (curve, fanout, start); npm package\n";
        assert!(page.contains(runs), "{page}");
    }

    #[test]
    fn curves_are_in_the_order_of_their_points() {
        let page = page(&measured(), "* a machine\n", "## Notes\n\nby hand\n");
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text} in {page}"));
        assert!(at("| 100 | –") < at("| 10,000 | –"));
        assert!(at("| a list | 1.50 ms | 1 ms | 1.50 x |") < at("## Notes"));
        assert!(at("| upsert a row | 400 ns | 900 ns |") < at("## Notes"));
    }
}
