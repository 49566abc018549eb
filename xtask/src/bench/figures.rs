//! Measured figures by name, kept in files of `target/bench`, so that single parts can be measured again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::Failure;

/// Stands for a run whose report does not state its date and commit.
const UNKNOWN_RUN: &str = "date and commit not recorded";

/// All figures about one gateway, or one library.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    values: BTreeMap<String, (f64, String)>,
    /// Date and commit of the run that measured each scenario.
    runs: BTreeMap<String, String>,
    pub(crate) notes: Vec<String>,
}

impl Figures {
    /// Reads a report; without the file there are no figures.
    pub(crate) fn read(file: &Path) -> Self {
        std::fs::read_to_string(file)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .map(|report: Value| Self::of(&report))
            .unwrap_or_default()
    }

    fn of(report: &Value) -> Self {
        let list = |member: &str| report[member].as_array().into_iter().flatten();
        let mut figures = Self::default();
        for figure in list("figures") {
            if let (Some(name), Some(value)) = (figure["name"].as_str(), figure["value"].as_f64()) {
                figures.set(name, value, figure["unit"].as_str().unwrap_or_default());
            }
        }
        // The report of the npm package: each operation by the package and by plain JavaScript.
        for result in list("results") {
            for (member, unit) in [("wasmUs", "us"), ("plainUs", "us"), ("ratio", "x")] {
                if let (Some(name), Some(value)) = (result["name"].as_str(), result[member].as_f64()) {
                    figures.set(&format!("{name}.{member}"), value, unit);
                }
            }
        }
        let runs = report["runs"].as_object().into_iter().flatten();
        figures.runs = runs
            .filter_map(|(scenario, run)| Some((scenario.clone(), run.as_str()?.to_owned())))
            .collect();
        figures.notes = list("notes")
            .filter_map(|note| note.as_str().map(str::to_owned))
            .collect();
        figures
    }

    pub(crate) fn set(&mut self, name: &str, value: f64, unit: &str) {
        self.values.insert(name.to_owned(), (value, unit.to_owned()));
    }

    /// A figure's value.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.values.get(name).map(|(value, _)| *value)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, f64, &str)> {
        self.values
            .iter()
            .map(|(name, (value, unit))| (name.as_str(), *value, unit.as_str()))
    }

    /// States the run that measured all of these figures.
    pub(crate) fn set_run(&mut self, run: &str) {
        let scenarios = self.values.keys().map(|name| scenario(name));
        self.runs = scenarios
            .map(|scenario| (scenario.to_owned(), run.to_owned()))
            .collect();
    }

    /// The runs that measured these figures, each with its scenarios.
    pub(crate) fn runs(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut runs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for scenario in self.values.keys().map(|name| scenario(name)) {
            let run = self.runs.get(scenario).map_or(UNKNOWN_RUN, String::as_str);
            runs.entry(run).or_default().insert(scenario);
        }
        runs
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Merges newer figures: a measurement that was repeated replaces all figures of its earlier run.
    pub(crate) fn renew(&mut self, newer: Self) {
        let measured: Vec<String> = newer
            .values
            .keys()
            .map(|name| scenario(name).to_owned())
            .collect();
        self.values
            .retain(|name, _| !measured.iter().any(|measured| measured == scenario(name)));
        self.values.extend(newer.values);
        self.runs.extend(newer.runs);
        self.notes
            .retain(|note| !measured.iter().any(|name| note.starts_with(&format!("{name}:"))));
        for note in newer.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// Writes a report.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        let figures: Vec<Value> = self
            .all()
            .map(|(name, value, unit)| json!({"name": name, "value": value, "unit": unit}))
            .collect();
        let report = json!({"figures": figures, "runs": self.runs, "notes": self.notes});
        std::fs::write(file, format!("{report:#}\n"))
            .map_err(|error| Failure::missing(format!("cannot write {}: {error}", file.display())))
    }
}

/// The scenario of a figure.
fn scenario(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Criterion's medians, in ns, by `group.parameter`.
pub(crate) fn criterion(folder: &Path) -> Figures {
    let mut figures = Figures::default();
    let names = |folder: &Path| -> Vec<String> {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect()
    };
    for group in names(folder) {
        for parameter in names(&folder.join(&group)) {
            let file = folder.join(&group).join(&parameter).join("new/estimates.json");
            let median = std::fs::read_to_string(file)
                .ok()
                .and_then(|text| serde_json::from_str::<Value>(&text).ok())
                .and_then(|estimates| estimates["median"]["point_estimate"].as_f64());
            if let Some(median) = median {
                figures.set(&format!("{group}.{parameter}"), median, "ns");
            }
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(text: &str) -> Figures {
        Figures::of(&serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn a_part_that_is_measured_again_replaces_that_part_only() {
        let mut all = figures(
            r#"{"figures":[{"name":"storm.time","value":3,"unit":"ms"},{"name":"storm.gone","value":3},
                {"name":"storm-delta.time","value":5,"unit":"ms"}],"notes":["storm: old","pinned"]}"#,
        );
        all.renew(figures(
            r#"{"figures":[{"name":"storm.time","value":2,"unit":"ms"}],"notes":["pinned"]}"#,
        ));
        assert_eq!(all.value("storm.time"), Some(2.0));
        assert_eq!(all.value("storm.gone"), None);
        assert_eq!(all.value("storm-delta.time"), Some(5.0));
        assert_eq!(all.notes, ["pinned"]);
    }

    #[test]
    fn figures_of_an_earlier_run_keep_its_date() {
        let of = |text: &str, run: &str| {
            let mut figures = figures(text);
            figures.set_run(run);
            figures
        };
        let mut all = figures(r#"{"figures":[{"name":"many.memory","value":3}]}"#);
        let both = r#"{"figures":[{"name":"storm.time","value":3},{"name":"idle.memory","value":3}]}"#;
        all.renew(of(both, "1 May 2026, commit a"));
        all.renew(of(
            r#"{"figures":[{"name":"storm.time","value":2}]}"#,
            "2 May 2026, commit b",
        ));
        let runs: Vec<(&str, Vec<&str>)> = all
            .runs()
            .into_iter()
            .map(|(run, scenarios)| (run, scenarios.into_iter().collect()))
            .collect();
        assert_eq!(
            runs,
            [
                ("1 May 2026, commit a", vec!["idle"]),
                ("2 May 2026, commit b", vec!["storm"]),
                (UNKNOWN_RUN, vec!["many"]),
            ]
        );
    }

    #[test]
    fn the_npm_packages_report_is_read() {
        let all =
            figures(r#"{"node":"v24","results":[{"name":"a list","wasmUs":9,"plainUs":6,"ratio":1.5}]}"#);
        assert_eq!(all.value("a list.ratio"), Some(1.5));
        assert_eq!(all.value("a list.wasmUs"), Some(9.0));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = std::env::temp_dir().join(format!("xtask-figures-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("a.json");
        let mut all = Figures::default();
        all.set("a.b", 1.25, "ms");
        all.notes.push("a \"note\"".to_owned());
        all.set_run("1 May 2026, commit a");
        all.write(&file).expect("written");
        assert_eq!(Figures::read(&file), all);

        std::fs::create_dir_all(folder.join("upsert/200/new")).expect("a folder");
        let estimates = r#"{"mean":{"point_estimate":9},"median":{"point_estimate":401.5}}"#;
        std::fs::write(folder.join("upsert/200/new/estimates.json"), estimates).expect("written");
        assert_eq!(criterion(&folder).value("upsert.200"), Some(401.5));
        assert!(Figures::read(&folder.join("absent.json")).is_empty());
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
